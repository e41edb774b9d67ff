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
import { PodTemplateSpec } from '../core/podTemplate.ts';

export const DaemonSet = object('io.k8s.api.apps.v1.DaemonSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, DaemonSetSpec),
  status: opt(3, DaemonSetStatus),
}));
export interface DaemonSet extends Infer<typeof DaemonSet> {}

export const DaemonSetStatus = object('io.k8s.api.apps.v1.DaemonSetStatus', () => ({
  currentNumberScheduled: req(1, int32),
  numberMisscheduled: req(2, int32),
  desiredNumberScheduled: req(3, int32),
  numberReady: req(4, int32),
  observedGeneration: opt(5, int64),
  updatedNumberScheduled: opt(6, int32),
  numberAvailable: opt(7, int32),
  numberUnavailable: opt(8, int32),
  collisionCount: opt(9, int32),
  conditions: opt(10, list(DaemonSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface DaemonSetStatus extends Infer<typeof DaemonSetStatus> {}

export const DaemonSetCondition = object('io.k8s.api.apps.v1.DaemonSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface DaemonSetCondition extends Infer<typeof DaemonSetCondition> {}

export const DaemonSetSpec = object('io.k8s.api.apps.v1.DaemonSetSpec', () => ({
  selector: req(1, LabelSelector),
  template: req(2, PodTemplateSpec),
  updateStrategy: opt(3, DaemonSetUpdateStrategy),
  minReadySeconds: opt(4, int32),
  revisionHistoryLimit: opt(6, int32),
}));
export interface DaemonSetSpec extends Infer<typeof DaemonSetSpec> {}

export const DaemonSetUpdateStrategy = object('io.k8s.api.apps.v1.DaemonSetUpdateStrategy', () => ({
  type: opt(1, str),
  rollingUpdate: opt(2, RollingUpdateDaemonSet),
}));
export interface DaemonSetUpdateStrategy extends Infer<typeof DaemonSetUpdateStrategy> {}

export const RollingUpdateDaemonSet = object('io.k8s.api.apps.v1.RollingUpdateDaemonSet', () => ({
  maxUnavailable: opt(1, intOrString),
  maxSurge: opt(2, intOrString),
}));
export interface RollingUpdateDaemonSet extends Infer<typeof RollingUpdateDaemonSet> {}
