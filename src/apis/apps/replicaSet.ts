import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';

export const ReplicaSet = object('io.k8s.api.apps.v1.ReplicaSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ReplicaSetSpec),
  status: opt(3, ReplicaSetStatus),
}));
export interface ReplicaSet extends Infer<typeof ReplicaSet> {}

export const ReplicaSetStatus = object('io.k8s.api.apps.v1.ReplicaSetStatus', () => ({
  replicas: req(1, int32),
  fullyLabeledReplicas: opt(2, int32),
  observedGeneration: opt(3, int64),
  readyReplicas: opt(4, int32),
  availableReplicas: opt(5, int32),
  conditions: opt(6, list(ReplicaSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  terminatingReplicas: opt(7, int32),
}));
export interface ReplicaSetStatus extends Infer<typeof ReplicaSetStatus> {}

export const ReplicaSetCondition = object('io.k8s.api.apps.v1.ReplicaSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface ReplicaSetCondition extends Infer<typeof ReplicaSetCondition> {}

export const ReplicaSetSpec = object('io.k8s.api.apps.v1.ReplicaSetSpec', () => ({
  replicas: opt(1, int32, { default: 1 }),
  selector: req(2, LabelSelector),
  template: opt(3, PodTemplateSpec),
  minReadySeconds: opt(4, int32),
}));
export interface ReplicaSetSpec extends Infer<typeof ReplicaSetSpec> {}

/** Replica sets: a number of like pods. */
export const replicaSets = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  schema: ReplicaSet,
  shortNames: ['rs'],
  categories: ['all'],
  hasGeneration: true,
  status: {},
});
