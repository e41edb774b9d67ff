import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';

export const SecretReference = object(
  'io.k8s.api.core.v1.SecretReference',
  () => ({
    name: opt(1, str),
    namespace: opt(2, str),
  }),
  { atomic: true },
);
export interface SecretReference extends Infer<typeof SecretReference> {}

export const TypedObjectReference = object('io.k8s.api.core.v1.TypedObjectReference', () => ({
  apiGroup: opt(1, str, { pointer: true }),
  kind: req(2, str),
  name: req(3, str),
  namespace: opt(4, str, { pointer: true }),
}));
export interface TypedObjectReference extends Infer<typeof TypedObjectReference> {}

export const TypedLocalObjectReference = object(
  'io.k8s.api.core.v1.TypedLocalObjectReference',
  () => ({
    apiGroup: opt(1, str, { pointer: true }),
    kind: req(2, str),
    name: req(3, str),
  }),
  { atomic: true },
);
export interface TypedLocalObjectReference extends Infer<typeof TypedLocalObjectReference> {}

export const ObjectReference = object(
  'io.k8s.api.core.v1.ObjectReference',
  () => ({
    kind: opt(1, str),
    namespace: opt(2, str),
    name: opt(3, str),
    uid: opt(4, str),
    apiVersion: opt(5, str),
    resourceVersion: opt(6, str),
    fieldPath: opt(7, str),
  }),
  { atomic: true },
);
export interface ObjectReference extends Infer<typeof ObjectReference> {}

export const LocalObjectReference = object(
  'io.k8s.api.core.v1.LocalObjectReference',
  () => ({
    name: opt(1, str),
  }),
  { atomic: true },
);
export interface LocalObjectReference extends Infer<typeof LocalObjectReference> {}
