import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';
import { Toleration } from '../core/affinity.ts';

export const RuntimeClass = object('io.k8s.api.node.v1.RuntimeClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  handler: req(2, str),
  overhead: opt(3, Overhead),
  scheduling: opt(4, Scheduling),
}));
export interface RuntimeClass extends Infer<typeof RuntimeClass> {}

export const Scheduling = object('io.k8s.api.node.v1.Scheduling', () => ({
  nodeSelector: opt(1, map(str, { atomic: true })),
  tolerations: opt(2, list(Toleration)),
}));
export interface Scheduling extends Infer<typeof Scheduling> {}

export const Overhead = object('io.k8s.api.node.v1.Overhead', () => ({
  podFixed: opt(1, map(quantity)),
}));
export interface Overhead extends Infer<typeof Overhead> {}
