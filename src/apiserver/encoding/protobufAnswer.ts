/**
 * Answers and watches in protobuf, for clients that ask for it.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { ListMeta } from '../../machinery/meta.ts';
import { encodeApiProtobuf } from '../../machinery/schema/encodeApiProtobuf.ts';
import { blockOpening, frameWatchEvent, sealEnvelope } from '../../machinery/schema/protobufFrames.ts';
import { int32, list, type ObjectType, object, opt, str } from '../../machinery/schema/types.ts';
import type { Status } from '../../machinery/status.ts';
import type { ListAnswer } from '../answer.ts';
import type { Entry } from '../registry/entry.ts';
import { listMeta } from './listBody.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** Whether objects of a kind have a form in protobuf; those that are defined at run time, and their definitions, have none. */
export function hasProtobuf(kind: Kind | undefined): boolean {
  return kind !== undefined && kind.decode === undefined;
}

const encoded = new WeakMap<Entry, Buffer>();

/** The object without its envelope; made once. @param entry as the version of `kind` has it */
function rawOf(kind: Kind, entry: Entry): Buffer {
  let raw = encoded.get(entry);
  if (raw === undefined) {
    raw = encodeApiProtobuf(kind.schema, entry.object);
    encoded.set(entry, raw);
  }
  return raw;
}

export function protobufEntry(kind: Kind, entry: Entry): Buffer {
  return sealEnvelope(apiVersionOf(kind), kind.kind, rawOf(kind, entry.as(kind)));
}

/** An object that is not stored as it is. */
export function protobufObject(kind: Kind, value: KubeObject): Buffer {
  return sealEnvelope(
    value.apiVersion ?? apiVersionOf(kind),
    value.kind ?? kind.kind,
    encodeApiProtobuf(kind.schema, value),
  );
}

export function protobufList(answer: ListAnswer): Buffer {
  const { kind, entries } = answer;
  const metadata = encodeApiProtobuf(ListMeta, listMeta(answer));
  const items = entries.map((entry) => rawOf(kind, entry.as(kind)));
  const raw = Buffer.concat([
    blockOpening(1, metadata.length),
    metadata,
    ...items.flatMap((item) => [blockOpening(2, item.length), item]),
  ]);
  return sealEnvelope(apiVersionOf(kind), kind.listKind, raw);
}

export function protobufEvent(type: string, object: Buffer): Buffer {
  return frameWatchEvent(type, object);
}

/** A Status, which a watch may end with. */
export function protobufStatus(status: Status): Buffer {
  return sealEnvelope('v1', 'Status', encodeApiProtobuf(StatusType, status));
}

const StatusCause = object('io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause', () => ({
  reason: opt(1, str),
  message: opt(2, str),
  field: opt(3, str),
}));

const StatusDetails = object('io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails', () => ({
  name: opt(1, str),
  group: opt(2, str),
  kind: opt(3, str),
  causes: opt(4, list(StatusCause)),
  retryAfterSeconds: opt(5, int32, { pointer: false }),
  uid: opt(6, str),
}));

const StatusType: ObjectType = object('io.k8s.apimachinery.pkg.apis.meta.v1.Status', () => ({
  metadata: opt(1, ListMeta),
  status: opt(2, str),
  message: opt(3, str),
  reason: opt(4, str),
  details: opt(5, StatusDetails),
  code: opt(6, int32, { pointer: false }),
}));
