/**
 * The roles of the parts of a cluster: scheduler, controller manager, nodes, proxy, DNS.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles
 */
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import { KUBERNETES_SIGNERS } from './controllerRoles.ts';
import { can, READ, RECORD_EVENTS, type RoleRow } from './ruleWords.ts';

/** The lease that a part holds while it leads, and the right to make it. */
const leaderLease = (name: string): PolicyRule[] => [
  can('create', 'coordination.k8s.io', 'leases'),
  can('get update', 'coordination.k8s.io', 'leases', [name]),
];

/** What is asked of the API server about those that call a part. */
const REVIEWS: readonly PolicyRule[] = [
  can('create', 'authentication.k8s.io', 'tokenreviews'),
  can('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];

/**
 * What every node may do whatever runs on it. What depends on its pods (secrets, config maps, tokens, its own
 * node and lease) is in `authorization/node.ts`.
 */
export const NODE_RULES: readonly PolicyRule[] = [
  ...REVIEWS,
  can('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  can(READ, 'core', 'services'),
  can('create', 'core', 'nodes'),
  can('create patch update', 'core', 'events'),
  can('create', 'core', 'pods'),
  can('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  can(READ, 'storage.k8s.io', 'csidrivers'),
  can(READ, 'node.k8s.io', 'runtimeclasses'),
];

export const COMPONENT_ROLES: readonly RoleRow[] = [
  {
    name: 'system:kube-scheduler',
    rules: [
      RECORD_EVENTS,
      ...leaderLease('kube-scheduler'),
      can(READ, 'core', 'namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services'),
      can('delete get list watch', 'core', 'pods'),
      can('create', 'core', 'bindings pods/binding'),
      can('patch update', 'core', 'pods/status'),
      can(READ, 'apps', 'replicasets statefulsets'),
      can(READ, 'policy', 'poddisruptionbudgets'),
      can(READ, 'resource.k8s.io', 'deviceclasses resourceslices'),
      can('get list patch update watch', 'resource.k8s.io', 'resourceclaims'),
      can('patch update', 'resource.k8s.io', 'resourceclaims/status'),
      can(READ, 'storage.k8s.io', 'csidrivers csinodes csistoragecapacities volumeattachments'),
      ...REVIEWS,
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      can('get list patch update watch', 'core', 'persistentvolumeclaims persistentvolumes'),
      can(READ, 'storage.k8s.io', 'storageclasses'),
    ],
  },
  {
    name: 'system:kube-controller-manager',
    rules: [
      RECORD_EVENTS,
      ...leaderLease('kube-controller-manager'),
      can('create update', 'core', 'secrets serviceaccounts'),
      can('delete', 'core', 'secrets'),
      can('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      can('create', 'core', 'serviceaccounts/token'),
      can('list watch', '*', '*'),
      ...REVIEWS,
    ],
  },
  {
    name: 'system:node',
    rules: [
      ...NODE_RULES,
      can('get list patch update watch', 'core', 'nodes'),
      can('patch update', 'core', 'nodes/status pods/status'),
      can('delete get list watch', 'core', 'pods'),
      can('create', 'core', 'pods/eviction serviceaccounts/token'),
      can(READ, 'core', 'configmaps secrets'),
      can('get', 'core', 'endpoints persistentvolumeclaims persistentvolumes serviceaccounts'),
      can('get patch update', 'core', 'persistentvolumeclaims/status'),
      can('create delete get patch update', 'coordination.k8s.io', 'leases'),
      can('create delete get patch update', 'storage.k8s.io', 'csinodes'),
      can('get', 'storage.k8s.io', 'volumeattachments'),
    ],
  },
  {
    name: 'system:node-proxier',
    rules: [
      can('list watch', 'core', 'endpoints services'),
      can(READ, 'core', 'nodes'),
      can('list watch', 'discovery.k8s.io', 'endpointslices'),
      can('list watch', 'networking.k8s.io', 'servicecidrs'),
      RECORD_EVENTS,
    ],
  },
  {
    name: 'system:node-bootstrapper',
    rules: [can('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests')],
  },
  // Whoever has these gets such a certificate for a kubelet without a person's word.
  ...['nodeclient', 'selfnodeclient'].map((kind) => ({
    name: `system:certificates.k8s.io:certificatesigningrequests:${kind}`,
    rules: [can('create', 'certificates.k8s.io', `certificatesigningrequests/${kind}`)],
  })),
  ...KUBERNETES_SIGNERS.map((signer) => ({
    name: `system:certificates.k8s.io:${signer.slice(signer.indexOf('/') + 1)}-approver`,
    rules: [can('approve', 'certificates.k8s.io', 'signers', [signer])],
  })),
  {
    name: 'system:node-problem-detector',
    rules: [can('get', 'core', 'nodes'), can('patch', 'core', 'nodes/status'), RECORD_EVENTS],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      can(`${READ} proxy`, 'core', 'nodes'),
      can('*', 'core', 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
    ],
  },
  {
    name: 'system:kube-dns',
    rules: [
      can('list watch', 'core', 'endpoints namespaces services'),
      can('list watch', 'discovery.k8s.io', 'endpointslices'),
    ],
  },
  {
    name: 'system:network-policy-enforcer',
    rules: [
      can('list watch', 'core', 'namespaces pods'),
      can('list watch', 'discovery.k8s.io', 'endpointslices'),
      can('list watch', 'networking.k8s.io', 'networkpolicies'),
    ],
  },
  { name: 'system:pod-network', rules: [can('list watch', 'core', 'nodes')] },
  {
    name: 'system:ingress-controller',
    rules: [
      can('list watch', 'core', 'secrets services'),
      can('list watch', 'discovery.k8s.io', 'endpointslices'),
      can('list watch', 'networking.k8s.io', 'ingressclasses ingresses'),
      can('patch', 'networking.k8s.io', 'ingresses/status'),
    ],
  },
  {
    name: 'system:gateway-controller',
    rules: [
      can('list watch', 'core', 'namespaces secrets services'),
      can('list watch', 'discovery.k8s.io', 'endpointslices'),
      can('list watch', 'apiextensions.k8s.io', 'customresourcedefinitions'),
      can('list watch', 'gateway.networking.k8s.io', 'gatewayclasses gateways httproutes referencegrants'),
      can('create', 'gateway.networking.k8s.io', 'gatewayclasses'),
      can('patch', 'gateway.networking.k8s.io', 'gatewayclasses/status gateways/status httproutes/status'),
    ],
  },
  {
    name: 'system:local-volume-provisioner',
    rules: [
      can('create delete get list update watch', 'core', 'persistentvolumes'),
      can('get list update watch', 'core', 'persistentvolumeclaims'),
      can('update', 'core', 'persistentvolumeclaims/status'),
      can('get list', 'core', 'nodes'),
      can(READ, 'storage.k8s.io', 'storageclasses'),
      RECORD_EVENTS,
    ],
  },
  { name: 'system:kube-aggregator', rules: [can(READ, 'core', 'endpoints services')] },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      can('create delete get list watch', 'core', 'persistentvolumes'),
      can('get list update watch', 'core', 'persistentvolumeclaims'),
      can(READ, 'storage.k8s.io', 'storageclasses'),
      can('watch', 'core', 'events'),
      RECORD_EVENTS,
    ],
  },
];
