/**
 * The roles for people and for what every user may see.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
 */
import { can, canVisit, READ, type RoleRow, WRITE } from './ruleWords.ts';

const WORKLOADS = 'daemonsets deployments replicasets statefulsets';
const SCALABLE = 'deployments/scale replicasets/scale statefulsets/scale';
const HEALTH = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

/** What may be looked at in a namespace: everything but secrets, and rights. */
const VIEW = [
  can(
    READ,
    'core',
    'bindings configmaps endpoints events limitranges namespaces namespaces/status persistentvolumeclaims ' +
      'persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers replicationcontrollers/scale ' +
      'replicationcontrollers/status resourcequotas resourcequotas/status serviceaccounts services services/status',
  ),
  can(READ, 'apps', `controllerrevisions ${WORKLOADS} ${SCALABLE} ${statusOf(WORKLOADS)}`),
  can(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  can(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  can(READ, 'discovery.k8s.io', 'endpointslices'),
  can(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  can(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  can(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

/** What may be changed in a namespace. Who runs pods can act as any of its service accounts. */
const EDIT = [
  can(READ, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  can('impersonate', 'core', 'serviceaccounts'),
  can(WRITE, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  can('create', 'core', 'pods/eviction serviceaccounts/token'),
  can(
    WRITE,
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets ' +
      'serviceaccounts services services/proxy',
  ),
  can(WRITE, 'apps', `${WORKLOADS} deployments/rollback ${SCALABLE}`),
  can(WRITE, 'batch', 'cronjobs jobs'),
  can(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  can(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
  can(WRITE, 'policy', 'poddisruptionbudgets'),
  can(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
  can(`${READ} ${WRITE}`, 'coordination.k8s.io', 'leases'),
];

/** What the administrator of a namespace may do besides: grant rights in it. */
const ADMIN = [
  can('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  can(`${READ} ${WRITE}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
];

export const USER_ROLES: readonly RoleRow[] = [
  {
    name: 'cluster-admin',
    rules: [can('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  },
  { name: 'admin', rules: [...ADMIN, ...EDIT, ...VIEW], aggregate: 'admin' },
  { name: 'edit', rules: [...EDIT, ...VIEW], aggregate: 'edit', partOf: ['admin'] },
  { name: 'view', rules: VIEW, aggregate: 'view', partOf: ['edit'] },
  { name: 'system:aggregate-to-admin', rules: ADMIN, partOf: ['admin'] },
  { name: 'system:aggregate-to-edit', rules: EDIT, partOf: ['edit'] },
  { name: 'system:aggregate-to-view', rules: VIEW, partOf: ['view'] },
  // As metrics-server brings it: whoever may look at pods may look at what they use.
  {
    name: 'system:aggregated-metrics-reader',
    rules: [can(READ, 'metrics.k8s.io', 'nodes pods')],
    partOf: ['admin', 'edit', 'view'],
  },
  {
    name: 'system:discovery',
    rules: [canVisit('/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...HEALTH)],
  },
  { name: 'system:public-info-viewer', rules: [canVisit(...HEALTH)] },
  {
    name: 'system:basic-user',
    rules: [
      can('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      can('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      can('create', 'authentication.k8s.io', 'tokenreviews'),
      can('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [canVisit('/.well-known/openid-configuration', '/openid/v1/jwks')],
  },
  {
    name: 'system:monitoring',
    rules: [
      canVisit('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'),
    ],
  },
];

function statusOf(resources: string): string {
  return resources
    .split(' ')
    .map((r) => `${r}/status`)
    .join(' ');
}
