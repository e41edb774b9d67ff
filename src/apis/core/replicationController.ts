import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { PodTemplateSpec } from './podTemplate.ts';

export const ReplicationController = object('io.k8s.api.core.v1.ReplicationController', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ReplicationControllerSpec),
  status: opt(3, ReplicationControllerStatus),
}));
export interface ReplicationController extends Infer<typeof ReplicationController> {}

export const ReplicationControllerStatus = object('io.k8s.api.core.v1.ReplicationControllerStatus', () => ({
  replicas: req(1, int32),
  fullyLabeledReplicas: opt(2, int32),
  observedGeneration: opt(3, int64),
  readyReplicas: opt(4, int32),
  availableReplicas: opt(5, int32),
  conditions: opt(
    6,
    list(ReplicationControllerCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
  ),
}));
export interface ReplicationControllerStatus extends Infer<typeof ReplicationControllerStatus> {}

export const ReplicationControllerCondition = object('io.k8s.api.core.v1.ReplicationControllerCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface ReplicationControllerCondition extends Infer<typeof ReplicationControllerCondition> {}

export const ReplicationControllerSpec = object('io.k8s.api.core.v1.ReplicationControllerSpec', () => ({
  replicas: opt(1, int32),
  selector: opt(2, map(str, { atomic: true })),
  template: opt(3, PodTemplateSpec),
  minReadySeconds: opt(4, int32),
}));
export interface ReplicationControllerSpec extends Infer<typeof ReplicationControllerSpec> {}
