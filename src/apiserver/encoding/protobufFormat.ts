/** Answers in protobuf. Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
import { ListMeta } from '../../machinery/meta.ts';
import { encodeApiProtobuf } from '../../machinery/schema/encodeApiProtobuf.ts';
import {
  blockOpening,
  ENVELOPE_END,
  envelopeOpening,
  frameWatchEvent,
  sealEnvelope,
} from '../../machinery/schema/protobufFrames.ts';
import type { BinaryFormat } from './binaryFormat.ts';
import { ListBody } from './listBody.ts';

export const protobufFormat: BinaryFormat = {
  item(object, type) {
    if (type === undefined) throw new Error('what has no type has no form in protobuf');
    return encodeApiProtobuf(type, object);
  },
  whole: ({ apiVersion, kind }, item) => sealEnvelope(apiVersion, kind, item),
  list({ apiVersion, kind }, meta, items) {
    const metadata = encodeApiProtobuf(ListMeta, meta);
    const beforeMeta = blockOpening(1, metadata.length);
    const openings = items.map((item) => blockOpening(2, item.length));
    let inner = beforeMeta.length + metadata.length;
    for (const [i, item] of items.entries()) inner += item.length + (openings[i]?.length ?? 0);
    const opening = envelopeOpening(apiVersion, kind, inner);
    return new ListBody(opening.length + inner + ENVELOPE_END.length, function* () {
      yield opening;
      yield beforeMeta;
      yield metadata;
      for (const [i, item] of items.entries()) {
        // There is one for each item.
        yield openings[i] as Buffer;
        yield item;
      }
      yield ENVELOPE_END;
    });
  },
  event: frameWatchEvent,
};
