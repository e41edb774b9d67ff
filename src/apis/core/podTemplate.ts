import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt } from '../../machinery/schema/types.ts';
import { PodSpec } from './podSpec.ts';

export const PodTemplateSpec = object('io.k8s.api.core.v1.PodTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodSpec),
}));
export interface PodTemplateSpec extends Infer<typeof PodTemplateSpec> {}
