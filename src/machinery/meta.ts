import { bool, type Infer, int64, list, map, object, opt, rawObject, req, str, time } from './schema/types.ts';

export const Condition = object('io.k8s.apimachinery.pkg.apis.meta.v1.Condition', () => ({
  type: req(1, str),
  status: req(2, str),
  observedGeneration: opt(3, int64, { pointer: false }),
  lastTransitionTime: req(4, time),
  reason: req(5, str),
  message: req(6, str),
}));
export interface Condition extends Infer<typeof Condition> {}

export const LabelSelector = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
  () => ({
    matchLabels: opt(1, map(str)),
    matchExpressions: opt(2, list(LabelSelectorRequirement)),
  }),
  { atomic: true },
);
export interface LabelSelector extends Infer<typeof LabelSelector> {}

export const LabelSelectorRequirement = object('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement', () => ({
  key: req(1, str),
  operator: req(2, str),
  values: opt(3, list(str)),
}));
export interface LabelSelectorRequirement extends Infer<typeof LabelSelectorRequirement> {}

export const ListMeta = object('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta', () => ({
  selfLink: opt(1, str),
  resourceVersion: opt(2, str),
  continue: opt(3, str),
  remainingItemCount: opt(4, int64),
  shardInfo: opt(5, ShardInfo),
}));
export interface ListMeta extends Infer<typeof ListMeta> {}

export const ShardInfo = object('io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo', () => ({
  selector: req(1, str),
}));
export interface ShardInfo extends Infer<typeof ShardInfo> {}

export const ObjectMeta = object('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', () => ({
  name: opt(1, str, {
    doc: 'What the object is called: unique among those of its kind in its namespace, and never changed.',
  }),
  generateName: opt(2, str, { doc: 'What the name begins with, where the server is to find the rest of it.' }),
  namespace: opt(3, str, { doc: 'Where the object is, for kinds that live in namespaces; never changed.' }),
  selfLink: opt(4, str, { doc: 'Not filled in any more.' }),
  uid: opt(5, str, { doc: 'Tells the object from all others that ever bear its name. The server sets it.' }),
  resourceVersion: opt(6, str, {
    doc: 'Changes with every write: sent back, it keeps a write from undoing one that it does not know of.',
  }),
  generation: opt(7, int64, { pointer: false, doc: 'Counts the changes of what is wanted of the object.' }),
  creationTimestamp: opt(8, time, { doc: 'CreationTimestamp is a timestamp of the server: when the object was made.' }),
  deletionTimestamp: opt(9, time, {
    pointer: true,
    doc: 'When the object is to be gone. It is there from the moment of its deletion and cannot be taken back.',
  }),
  deletionGracePeriodSeconds: opt(10, int64, { doc: 'How long the object has to come to its end once it is deleted.' }),
  labels: opt(11, map(str), { doc: 'Names and values by which objects are chosen.' }),
  annotations: opt(12, map(str), { doc: 'Names and values for tools, which nothing is chosen by.' }),
  ownerReferences: opt(13, list(OwnerReference, { type: 'map', keys: ['uid'], patch: 'merge', mergeKey: 'uid' }), {
    doc: 'Objects that this one belongs to: with the last of them it goes. One may be its controller.',
  }),
  finalizers: opt(14, list(str, { type: 'set', patch: 'merge' }), {
    doc: 'What must be done before the object goes: whoever does it takes its entry out.',
  }),
  // An empty list says: forget who owned what.
  managedFields: opt(17, list(ManagedFieldsEntry), {
    keepEmpty: true,
    doc: 'Who set which fields, and how. The server keeps it.',
  }),
}));
export interface ObjectMeta extends Infer<typeof ObjectMeta> {}

export const OwnerReference = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
  () => ({
    kind: req(1, str),
    name: req(3, str),
    uid: req(4, str),
    apiVersion: req(5, str),
    controller: opt(6, bool),
    blockOwnerDeletion: opt(7, bool),
  }),
  { atomic: true },
);
export interface OwnerReference extends Infer<typeof OwnerReference> {}

export const ManagedFieldsEntry = object('io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry', () => ({
  manager: opt(1, str),
  operation: opt(2, str),
  apiVersion: opt(3, str),
  time: opt(4, time, { pointer: true }),
  fieldsType: opt(6, str),
  fieldsV1: opt(7, rawObject),
  subresource: opt(8, str),
}));
export interface ManagedFieldsEntry extends Infer<typeof ManagedFieldsEntry> {}
