import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';

export const CSIStorageCapacity = object('io.k8s.api.storage.v1.CSIStorageCapacity', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  nodeTopology: opt(2, LabelSelector),
  storageClassName: req(3, str),
  capacity: opt(4, quantity),
  maximumVolumeSize: opt(5, quantity),
}));
export interface CSIStorageCapacity extends Infer<typeof CSIStorageCapacity> {}
