import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const CSINode = object('io.k8s.api.storage.v1.CSINode', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CSINodeSpec),
}));
export interface CSINode extends Infer<typeof CSINode> {}

export const CSINodeSpec = object('io.k8s.api.storage.v1.CSINodeSpec', () => ({
  drivers: req(1, list(CSINodeDriver, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
}));
export interface CSINodeSpec extends Infer<typeof CSINodeSpec> {}

export const CSINodeDriver = object('io.k8s.api.storage.v1.CSINodeDriver', () => ({
  name: req(1, str),
  nodeID: req(2, str),
  topologyKeys: opt(3, list(str)),
  allocatable: opt(4, VolumeNodeResources),
}));
export interface CSINodeDriver extends Infer<typeof CSINodeDriver> {}

export const VolumeNodeResources = object('io.k8s.api.storage.v1.VolumeNodeResources', () => ({
  count: opt(1, int32),
}));
export interface VolumeNodeResources extends Infer<typeof VolumeNodeResources> {}
