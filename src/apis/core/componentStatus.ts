import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const ComponentStatus = object('io.k8s.api.core.v1.ComponentStatus', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  conditions: opt(2, list(ComponentCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface ComponentStatus extends Infer<typeof ComponentStatus> {}

export const ComponentCondition = object('io.k8s.api.core.v1.ComponentCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  message: opt(3, str),
  error: opt(4, str),
}));
export interface ComponentCondition extends Infer<typeof ComponentCondition> {}
