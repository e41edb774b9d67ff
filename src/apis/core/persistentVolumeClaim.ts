import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, map, object, opt, quantity, req, str, time } from '../../machinery/schema/types.ts';
import { PersistentVolumeClaimSpec } from './volumes.ts';

export const PersistentVolumeClaim = object('io.k8s.api.core.v1.PersistentVolumeClaim', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PersistentVolumeClaimSpec),
  status: opt(3, PersistentVolumeClaimStatus),
}));
export interface PersistentVolumeClaim extends Infer<typeof PersistentVolumeClaim> {}

export const PersistentVolumeClaimStatus = object('io.k8s.api.core.v1.PersistentVolumeClaimStatus', () => ({
  phase: opt(1, str),
  accessModes: opt(2, list(str)),
  capacity: opt(3, map(quantity)),
  conditions: opt(
    4,
    list(PersistentVolumeClaimCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
  ),
  allocatedResources: opt(5, map(quantity)),
  allocatedResourceStatuses: opt(7, map(str)),
  currentVolumeAttributesClassName: opt(8, str),
  modifyVolumeStatus: opt(9, ModifyVolumeStatus),
}));
export interface PersistentVolumeClaimStatus extends Infer<typeof PersistentVolumeClaimStatus> {}

export const ModifyVolumeStatus = object('io.k8s.api.core.v1.ModifyVolumeStatus', () => ({
  targetVolumeAttributesClassName: opt(1, str),
  status: req(2, str),
}));
export interface ModifyVolumeStatus extends Infer<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimCondition = object('io.k8s.api.core.v1.PersistentVolumeClaimCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
}));
export interface PersistentVolumeClaimCondition extends Infer<typeof PersistentVolumeClaimCondition> {}
