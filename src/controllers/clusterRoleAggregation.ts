/**
 * Cluster roles that are made of others: their rules are the union of those that their selectors find.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
import { type ClusterRole, clusterRoles } from '../apis/rbac/clusterRole.ts';
import type { PolicyRule } from '../apis/rbac/rules.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../machinery/labelSelector.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

export function startClusterRoleAggregationController(context: ControllerContext): void {
  const informer = context.informers.of(clusterRoles);
  const loop = startLoop({
    name: 'clusterrole-aggregation-controller',
    context,
    reads: [informer],
    plan(name) {
      const role = informer.byKey(name);
      return role?.aggregationRule === undefined ? undefined : planAggregation(role, informer.list());
    },
  });
  // Whatever role changes may be a part of any that is made of others.
  const all = () => {
    for (const role of informer.list()) if (role.aggregationRule !== undefined) loop.enqueue(role.metadata.name);
  };
  informer.handle({ onAdd: all, onUpdate: all, onDelete: all });
}

/** Undefined where the role has the rules already. */
export function planAggregation(role: Stored<ClusterRole>, all: readonly Stored<ClusterRole>[]): Plan | undefined {
  const rules: PolicyRule[] = [];
  for (const labels of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFrom(labels);
    if (selector === undefined) continue;
    const found = all.filter((r) => r !== role && matchesLabels(selector, r.metadata.labels));
    found.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const rule of found.flatMap((r) => r.rules ?? [])) {
      if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  if (jsonEqual(role.rules ?? [], rules)) return undefined;
  const object: ClusterRole = { ...role, rules };
  return { actions: [{ verb: 'update', kind: clusterRoles as Kind, object }] };
}
