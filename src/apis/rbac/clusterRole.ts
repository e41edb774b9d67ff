import { type FieldError, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';
import { PolicyRule } from './rules.ts';
import { validateRules } from './validation.ts';

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
  createOnUpdate: true,
  validate: validateClusterRole,
  update: { validate: validateClusterRole },
});

function validateClusterRole(role: ClusterRole): FieldError[] {
  const errors: FieldError[] = [];
  validateRules(role.rules, false, errors);
  if (role.aggregationRule === undefined) return errors;
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  const path = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0) errors.push(required(path, 'at least one clusterRoleSelector required'));
  for (const [i, selector] of selectors.entries()) errors.push(...validateLabelSelector(selector, `${path}[${i}]`));
  return errors;
}
