import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';

export const LimitRange = object('io.k8s.api.core.v1.LimitRange', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, LimitRangeSpec),
}));
export interface LimitRange extends Infer<typeof LimitRange> {}

export const LimitRangeSpec = object('io.k8s.api.core.v1.LimitRangeSpec', () => ({
  limits: req(1, list(LimitRangeItem)),
}));
export interface LimitRangeSpec extends Infer<typeof LimitRangeSpec> {}

export const LimitRangeItem = object('io.k8s.api.core.v1.LimitRangeItem', () => ({
  type: req(1, str),
  max: opt(2, map(quantity)),
  min: opt(3, map(quantity)),
  default: opt(4, map(quantity)),
  defaultRequest: opt(5, map(quantity)),
  maxLimitRequestRatio: opt(6, map(quantity)),
}));
export interface LimitRangeItem extends Infer<typeof LimitRangeItem> {}
