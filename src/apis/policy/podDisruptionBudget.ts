import { Condition, LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import {
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  map,
  object,
  opt,
  str,
  time,
} from '../../machinery/schema/types.ts';

export const PodDisruptionBudget = object('io.k8s.api.policy.v1.PodDisruptionBudget', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodDisruptionBudgetSpec),
  status: opt(3, PodDisruptionBudgetStatus),
}));
export interface PodDisruptionBudget extends Infer<typeof PodDisruptionBudget> {}

export const PodDisruptionBudgetStatus = object('io.k8s.api.policy.v1.PodDisruptionBudgetStatus', () => ({
  observedGeneration: opt(1, int64),
  disruptedPods: opt(2, map(time)),
  disruptionsAllowed: opt(3, int32),
  currentHealthy: opt(4, int32),
  desiredHealthy: opt(5, int32),
  expectedPods: opt(6, int32),
  conditions: opt(7, list(Condition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface PodDisruptionBudgetStatus extends Infer<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudgetSpec = object('io.k8s.api.policy.v1.PodDisruptionBudgetSpec', () => ({
  minAvailable: opt(1, intOrString),
  selector: opt(2, LabelSelector, { patch: 'replace' }),
  maxUnavailable: opt(3, intOrString),
  unhealthyPodEvictionPolicy: opt(4, str),
}));
export interface PodDisruptionBudgetSpec extends Infer<typeof PodDisruptionBudgetSpec> {}
