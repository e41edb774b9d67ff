/** All default roles and bindings as objects. */
import type { ClusterRole } from '../../apis/rbac/clusterRole.ts';
import type { ClusterRoleBinding } from '../../apis/rbac/clusterRoleBinding.ts';
import type { Role } from '../../apis/rbac/role.ts';
import type { RoleBinding } from '../../apis/rbac/roleBinding.ts';
import type { Subject } from '../../apis/rbac/rules.ts';
import { COMPONENT_ROLES } from './componentRoles.ts';
import { CONTROLLER_ROLES } from './controllerRoles.ts';
import { can, READ, RECORD_EVENTS, type RoleRow } from './ruleWords.ts';
import { USER_ROLES } from './userRoles.ts';

const GROUP = 'rbac.authorization.k8s.io';
const CONTROLLER_PREFIX = 'system:controller:';
const CONTROLLER_NAMESPACE = 'kube-system';

/** While this says true on an object, a start adds what the object lacks. */
export const AUTOUPDATE_ANNOTATION = 'rbac.authorization.kubernetes.io/autoupdate';

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { [AUTOUPDATE_ANNOTATION]: 'true' },
});

const partLabel = (of: string) => `${GROUP}/aggregate-to-${of}`;

export function bootstrapClusterRoles(): ClusterRole[] {
  const controllers = Object.entries(CONTROLLER_ROLES).map(([name, rules]): RoleRow => {
    return { name: `${CONTROLLER_PREFIX}${name}`, rules };
  });
  return [...USER_ROLES, ...COMPONENT_ROLES, ...controllers].map((row) => ({
    metadata: metadata(row.name, Object.fromEntries((row.partOf ?? []).map((of) => [partLabel(of), 'true']))),
    ...(row.aggregate === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [partLabel(row.aggregate)]: 'true' } }] } }),
    rules: [...row.rules],
  }));
}

const group = (name: string): Subject => ({ kind: 'Group', apiGroup: GROUP, name });
const user = (name: string): Subject => ({ kind: 'User', apiGroup: GROUP, name });
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: CONTROLLER_NAMESPACE });

/** Role to subjects; the binding has the role's name. */
const BINDINGS: Readonly<Record<string, readonly Subject[]>> = {
  'cluster-admin': [group('system:masters')],
  'system:discovery': [group('system:authenticated')],
  'system:basic-user': [group('system:authenticated')],
  'system:public-info-viewer': [group('system:authenticated'), group('system:unauthenticated')],
  'system:monitoring': [group('system:monitoring')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:kube-scheduler': [user('system:kube-scheduler')],
  'system:volume-scheduler': [user('system:kube-scheduler')],
  'system:kube-controller-manager': [user('system:kube-controller-manager')],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:kube-dns': [account('kube-dns')],
  'system:local-volume-provisioner': [user('system:local-volume-provisioner')],
  'system:gateway-controller': [user('system:gateway-controller')],
  'system:ingress-controller': [user('system:ingress-controller')],
  'system:network-policy-enforcer': [user('system:network-policy-enforcer')],
  'system:pod-network': [user('system:pod-network')],
  // Nodes get their rights from the node authorizer; the binding is there for others to add to.
  'system:node': [],
};

export function bootstrapClusterRoleBindings(): ClusterRoleBinding[] {
  const controllers = Object.keys(CONTROLLER_ROLES).map(
    (name) => [`${CONTROLLER_PREFIX}${name}`, [account(name)]] as const,
  );
  return [...Object.entries(BINDINGS), ...controllers].map(([name, subjects]) => ({
    metadata: metadata(name),
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
    ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
  }));
}

interface NamespacedRow {
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly ReturnType<typeof can>[];
  readonly subjects: readonly Subject[];
}

const NAMESPACED: readonly NamespacedRow[] = [
  {
    namespace: CONTROLLER_NAMESPACE,
    name: 'system:controller:bootstrap-signer',
    rules: [can(READ, 'core', 'secrets')],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: CONTROLLER_NAMESPACE,
    name: 'system:controller:token-cleaner',
    rules: [can('delete get list watch', 'core', 'secrets'), RECORD_EVENTS],
    subjects: [account('token-cleaner')],
  },
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [can(READ, 'core', 'configmaps', ['extension-apiserver-authentication'])],
    subjects: [],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: [can('watch', 'core', 'configmaps'), can('get update', 'core', 'configmaps', ['kube-scheduler'])],
    subjects: [user('system:kube-scheduler'), account('kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: [can('watch', 'core', 'configmaps'), can('get update', 'core', 'configmaps', ['kube-controller-manager'])],
    subjects: [user('system:kube-controller-manager'), account('kube-controller-manager')],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [
      can(READ, 'core', 'configmaps'),
      can('update', 'core', 'configmaps', ['cluster-info']),
      can('create patch update', 'core,events.k8s.io', 'events'),
    ],
    subjects: [account('bootstrap-signer')],
  },
];

export function bootstrapRoles(): Role[] {
  return NAMESPACED.map(({ namespace, name, rules }) => ({
    metadata: { ...metadata(name), namespace },
    rules: [...rules],
  }));
}

export function bootstrapRoleBindings(): RoleBinding[] {
  return NAMESPACED.filter((row) => row.subjects.length > 0).map(({ namespace, name, subjects }) => ({
    metadata: { ...metadata(name), namespace },
    roleRef: { apiGroup: GROUP, kind: 'Role', name },
    subjects: [...subjects],
  }));
}
