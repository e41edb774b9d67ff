import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';
import { PolicyRule } from './rules.ts';

export const ClusterRole = object('io.k8s.api.rbac.v1.ClusterRole', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  rules: opt(2, list(PolicyRule)),
  aggregationRule: opt(3, AggregationRule),
}));
export interface ClusterRole extends Infer<typeof ClusterRole> {}

export const AggregationRule = object('io.k8s.api.rbac.v1.AggregationRule', () => ({
  clusterRoleSelectors: opt(1, list(LabelSelector)),
}));
export interface AggregationRule extends Infer<typeof AggregationRule> {}

/** Cluster roles: what may be done in the whole cluster, or in any namespace that binds them. */
export const clusterRoles = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  schema: ClusterRole,
  namespaced: false,
  nameRule: pathSegment,
});
