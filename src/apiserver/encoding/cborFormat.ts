/** Answers in CBOR, and watches as a sequence of it. Source: https://kep.k8s.io/4222 */
import { encodeCbor, openingOf, SELF_DESCRIBED } from '../../machinery/schema/encodeCbor.ts';
import type { BinaryFormat } from './binaryFormat.ts';
import { ListBody } from './listBody.ts';

const TYPE = encodeCbor('type');
const OBJECT = encodeCbor('object');
const KIND = encodeCbor('kind');
const ITEMS = encodeCbor('items');
const METADATA = encodeCbor('metadata');
const API_VERSION = encodeCbor('apiVersion');

export const cborFormat: BinaryFormat = {
  item: (object, type) => encodeCbor(object, type),
  whole: (_names, item) => Buffer.concat([SELF_DESCRIBED, item]),
  list({ apiVersion, kind }, meta, items) {
    // The keys in the order of their encodings: shorter ones first.
    const opening = [
      SELF_DESCRIBED,
      openingOf('map', 4),
      KIND,
      encodeCbor(kind),
      ITEMS,
      openingOf('list', items.length),
    ];
    const end = [METADATA, encodeCbor(meta), API_VERSION, encodeCbor(apiVersion)];
    let length = 0;
    for (const part of [...opening, ...end]) length += part.length;
    for (const item of items) length += item.length;
    return new ListBody(length, function* () {
      yield* opening;
      yield* items;
      yield* end;
    });
  },
  // As in Kubernetes, the event and the object in it each say that they are CBOR.
  event: (type, object) => Buffer.concat([SELF_DESCRIBED, openingOf('map', 2), TYPE, encodeCbor(type), OBJECT, object]),
};
