import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';

export const ResourceQuota = object('io.k8s.api.core.v1.ResourceQuota', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ResourceQuotaSpec),
  status: opt(3, ResourceQuotaStatus),
}));
export interface ResourceQuota extends Infer<typeof ResourceQuota> {}

export const ResourceQuotaStatus = object('io.k8s.api.core.v1.ResourceQuotaStatus', () => ({
  hard: opt(1, map(quantity)),
  used: opt(2, map(quantity)),
}));
export interface ResourceQuotaStatus extends Infer<typeof ResourceQuotaStatus> {}

export const ResourceQuotaSpec = object('io.k8s.api.core.v1.ResourceQuotaSpec', () => ({
  hard: opt(1, map(quantity)),
  scopes: opt(2, list(str)),
  scopeSelector: opt(3, ScopeSelector),
}));
export interface ResourceQuotaSpec extends Infer<typeof ResourceQuotaSpec> {}

export const ScopeSelector = object(
  'io.k8s.api.core.v1.ScopeSelector',
  () => ({
    matchExpressions: opt(1, list(ScopedResourceSelectorRequirement)),
  }),
  { atomic: true },
);
export interface ScopeSelector extends Infer<typeof ScopeSelector> {}

export const ScopedResourceSelectorRequirement = object('io.k8s.api.core.v1.ScopedResourceSelectorRequirement', () => ({
  scopeName: req(1, str),
  operator: req(2, str),
  values: opt(3, list(str)),
}));
export interface ScopedResourceSelectorRequirement extends Infer<typeof ScopedResourceSelectorRequirement> {}
