/**
 * Nobody grants rights that they do not have, unless they hold the verbs `escalate` (roles) or `bind` (bindings).
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
import type { PolicyRule, RoleRef, Subject } from '../../apis/rbac/rules.ts';
import type { KubeObject } from '../../machinery/kind.ts';
import { forbiddenRequest, notFound } from '../../machinery/status.ts';
import { type Authorizer, authorizeAll } from '../authorization/authorizer.ts';
import type { Rbac } from '../authorization/rbac.ts';
import { missingRules, showRule } from '../authorization/rules.ts';
import { MASTERS_GROUP } from '../user.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ALL_RULES: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

interface AnyRole extends KubeObject {
  rules?: PolicyRule[];
  aggregationRule?: unknown;
}

interface AnyBinding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[];
}

export function rightsEscalation(rbac: Rbac, authorizers: readonly Authorizer[]): AdmissionPlugin {
  const holds = (request: AdmissionRequest, verb: string, resource: string, name: string) =>
    authorizeAll(authorizers, {
      user: request.user,
      verb,
      isResource: true,
      group: GROUP,
      version: 'v1',
      resource,
      subresource: '',
      namespace: request.namespace ?? '',
      name,
      path: '',
    }).allowed;

  const assertHeld = (request: AdmissionRequest, wanted: readonly PolicyRule[]) => {
    const missing = missingRules(rbac.rulesFor(request.user, request.namespace ?? ''), wanted);
    if (missing.length === 0) return;
    const { name, groups } = request.user;
    const shownGroups = groups.map((g) => JSON.stringify(g)).join(' ');
    throw forbiddenRequest(
      request.kind,
      request.name,
      `user ${JSON.stringify(name)} (groups=[${shownGroups}]) is attempting to grant RBAC permissions not currently held:\n${missing.map(showRule).join('\n')}`,
    );
  };

  return {
    name: 'RBAC',
    resources: new Set(['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((r) => `${GROUP}/${r}`)),
    validate(request) {
      const { object, oldObject, kind, user } = request;
      if (object === undefined || user.groups.includes(MASTERS_GROUP)) return;
      if (kind.plural === 'roles' || kind.plural === 'clusterroles') {
        const role = object as AnyRole;
        if (grantsSame(role, oldObject as AnyRole | undefined)) return;
        if (holds(request, 'escalate', kind.plural, request.name)) return;
        if (role.aggregationRule !== undefined) assertHeld(request, ALL_RULES);
        assertHeld(request, role.rules ?? []);
        return;
      }
      const { roleRef, subjects } = object as AnyBinding;
      const old = oldObject as AnyBinding | undefined;
      if (old !== undefined && same(roleRef, old.roleRef) && same(subjects ?? [], old.subjects ?? [])) return;
      const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
      if (holds(request, 'bind', resource, roleRef.name)) return;
      const rules = rbac.rulesOf(roleRef, request.namespace ?? '');
      if (rules === undefined) throw notFound({ group: GROUP, plural: resource }, roleRef.name);
      assertHeld(request, rules);
    },
  };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function grantsSame(role: AnyRole, old: AnyRole | undefined): boolean {
  return (
    old !== undefined &&
    same(role.rules ?? [], old.rules ?? []) &&
    same(role.aggregationRule ?? null, old.aggregationRule ?? null)
  );
}
