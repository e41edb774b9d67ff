import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, list, map, object, opt, req, str } from '../../machinery/schema/types.ts';

export const StorageClass = object('io.k8s.api.storage.v1.StorageClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  provisioner: req(2, str),
  parameters: opt(3, map(str)),
  reclaimPolicy: opt(4, str),
  mountOptions: opt(5, list(str)),
  allowVolumeExpansion: opt(6, bool),
  volumeBindingMode: opt(7, str),
  allowedTopologies: opt(8, list(TopologySelectorTerm)),
}));
export interface StorageClass extends Infer<typeof StorageClass> {}

export const TopologySelectorTerm = object(
  'io.k8s.api.core.v1.TopologySelectorTerm',
  () => ({
    matchLabelExpressions: opt(1, list(TopologySelectorLabelRequirement)),
  }),
  { atomic: true },
);
export interface TopologySelectorTerm extends Infer<typeof TopologySelectorTerm> {}

export const TopologySelectorLabelRequirement = object('io.k8s.api.core.v1.TopologySelectorLabelRequirement', () => ({
  key: req(1, str),
  values: req(2, list(str)),
}));
export interface TopologySelectorLabelRequirement extends Infer<typeof TopologySelectorLabelRequirement> {}
