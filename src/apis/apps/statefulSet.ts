import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import {
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  object,
  opt,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { PersistentVolumeClaim } from '../core/persistentVolumeClaim.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';

export const StatefulSet = object('io.k8s.api.apps.v1.StatefulSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, StatefulSetSpec),
  status: opt(3, StatefulSetStatus),
}));
export interface StatefulSet extends Infer<typeof StatefulSet> {}

export const StatefulSetStatus = object('io.k8s.api.apps.v1.StatefulSetStatus', () => ({
  observedGeneration: opt(1, int64),
  replicas: req(2, int32),
  readyReplicas: opt(3, int32),
  currentReplicas: opt(4, int32),
  updatedReplicas: opt(5, int32),
  currentRevision: opt(6, str),
  updateRevision: opt(7, str),
  collisionCount: opt(9, int32),
  conditions: opt(10, list(StatefulSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  availableReplicas: opt(11, int32),
}));
export interface StatefulSetStatus extends Infer<typeof StatefulSetStatus> {}

export const StatefulSetCondition = object('io.k8s.api.apps.v1.StatefulSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface StatefulSetCondition extends Infer<typeof StatefulSetCondition> {}

export const StatefulSetSpec = object('io.k8s.api.apps.v1.StatefulSetSpec', () => ({
  replicas: opt(1, int32),
  selector: req(2, LabelSelector),
  template: req(3, PodTemplateSpec),
  volumeClaimTemplates: opt(4, list(PersistentVolumeClaim)),
  serviceName: opt(5, str),
  podManagementPolicy: opt(6, str),
  updateStrategy: opt(7, StatefulSetUpdateStrategy),
  revisionHistoryLimit: opt(8, int32),
  minReadySeconds: opt(9, int32),
  persistentVolumeClaimRetentionPolicy: opt(10, StatefulSetPersistentVolumeClaimRetentionPolicy),
  ordinals: opt(11, StatefulSetOrdinals),
}));
export interface StatefulSetSpec extends Infer<typeof StatefulSetSpec> {}

export const StatefulSetUpdateStrategy = object('io.k8s.api.apps.v1.StatefulSetUpdateStrategy', () => ({
  type: opt(1, str),
  rollingUpdate: opt(2, RollingUpdateStatefulSetStrategy),
}));
export interface StatefulSetUpdateStrategy extends Infer<typeof StatefulSetUpdateStrategy> {}

export const RollingUpdateStatefulSetStrategy = object('io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy', () => ({
  partition: opt(1, int32),
  maxUnavailable: opt(2, intOrString),
}));
export interface RollingUpdateStatefulSetStrategy extends Infer<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = object(
  'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy',
  () => ({
    whenDeleted: opt(1, str),
    whenScaled: opt(2, str),
  }),
);
export interface StatefulSetPersistentVolumeClaimRetentionPolicy
  extends Infer<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const StatefulSetOrdinals = object('io.k8s.api.apps.v1.StatefulSetOrdinals', () => ({
  start: opt(1, int32),
}));
export interface StatefulSetOrdinals extends Infer<typeof StatefulSetOrdinals> {}
