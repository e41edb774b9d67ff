import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { ResourceClaimSpec } from './resourceClaim.ts';

export const ResourceClaimTemplate = object('io.k8s.api.resource.v1.ResourceClaimTemplate', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceClaimTemplateSpec),
}));
export interface ResourceClaimTemplate extends Infer<typeof ResourceClaimTemplate> {}

export const ResourceClaimTemplateSpec = object('io.k8s.api.resource.v1.ResourceClaimTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceClaimSpec),
}));
export interface ResourceClaimTemplateSpec extends Infer<typeof ResourceClaimTemplateSpec> {}
