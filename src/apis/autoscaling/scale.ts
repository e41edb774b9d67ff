import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, object, opt, req, str } from '../../machinery/schema/types.ts';

export const Scale = object('io.k8s.api.autoscaling.v1.Scale', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ScaleSpec),
  status: opt(3, ScaleStatus),
}));
export interface Scale extends Infer<typeof Scale> {}

export const ScaleStatus = object('io.k8s.api.autoscaling.v1.ScaleStatus', () => ({
  replicas: req(1, int32),
  selector: opt(2, str),
}));
export interface ScaleStatus extends Infer<typeof ScaleStatus> {}

export const ScaleSpec = object('io.k8s.api.autoscaling.v1.ScaleSpec', () => ({
  replicas: opt(1, int32, { pointer: false }),
}));
export interface ScaleSpec extends Infer<typeof ScaleSpec> {}

/** Scales: what is sent to the `scale` of a workload; no resource of its own. */
export const scales = defineKind<Scale>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scale',
  schema: Scale,
  verbs: ['get', 'patch', 'update'],
  stored: false,
});
