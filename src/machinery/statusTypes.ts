/** The types of what is answered beside objects of a kind, for encodings that need types. */
import { ListMeta, ObjectMeta } from './meta.ts';
import { int32, list, object, opt, str } from './schema/types.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

const StatusCause = object(`${META}StatusCause`, () => ({
  reason: opt(1, str),
  message: opt(2, str),
  field: opt(3, str),
}));

const StatusDetails = object(`${META}StatusDetails`, () => ({
  name: opt(1, str),
  group: opt(2, str),
  kind: opt(3, str),
  causes: opt(4, list(StatusCause)),
  retryAfterSeconds: opt(5, int32, { pointer: false }),
  uid: opt(6, str),
}));

export const StatusType = object(`${META}Status`, () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ListMeta),
  status: opt(2, str),
  message: opt(3, str),
  reason: opt(4, str),
  details: opt(5, StatusDetails),
  code: opt(6, int32, { pointer: false }),
}));

export const PartialObjectMetadata = object(`${META}PartialObjectMetadata`, () => ({
  metadata: opt(1, ObjectMeta),
}));
