/**
 * The rights of each controller: `system:controller:<name>`, bound to the service account of that name in
 * kube-system.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
 */
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import { can, READ, RECORD_EVENTS } from './ruleWords.ts';

const MAKE = 'create delete get list patch update watch';
const REVISIONS = can(MAKE, 'apps', 'controllerrevisions');
const CERTIFICATES = 'certificates.k8s.io';
export const KUBERNETES_SIGNERS = [
  'kubernetes.io/legacy-unknown',
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
];
const STORAGE_CLASSES = can(READ, 'storage.k8s.io', 'storageclasses');

export const CONTROLLER_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    can('list watch', 'core', 'persistentvolumeclaims persistentvolumes pods'),
    can(READ, 'core', 'nodes'),
    can('patch update', 'core', 'nodes/status'),
    can('create delete get list watch', 'storage.k8s.io', 'volumeattachments'),
    can(READ, 'storage.k8s.io', 'csidrivers csinodes'),
    RECORD_EVENTS,
  ],
  'certificate-controller': [
    can('delete get list watch', CERTIFICATES, 'certificatesigningrequests'),
    can('update', CERTIFICATES, 'certificatesigningrequests/approval certificatesigningrequests/status'),
    can('approve', CERTIFICATES, 'signers', ['kubernetes.io/kube-apiserver-client-kubelet']),
    can('sign', CERTIFICATES, 'signers', KUBERNETES_SIGNERS),
    can('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    RECORD_EVENTS,
  ],
  'clusterrole-aggregation-controller': [
    can('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    can('get list update watch', 'batch', 'cronjobs'),
    can(MAKE, 'batch', 'jobs'),
    can('update', 'batch', 'cronjobs/finalizers cronjobs/status'),
    can('delete list', 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'daemon-set-controller': [
    can(READ, 'apps', 'daemonsets'),
    can('update', 'apps', 'daemonsets/finalizers daemonsets/status'),
    can('list watch', 'core', 'nodes'),
    can('create delete list patch watch', 'core', 'pods'),
    can('create', 'core', 'pods/binding'),
    REVISIONS,
    RECORD_EVENTS,
  ],
  'deployment-controller': [
    can('get list update watch', 'apps', 'deployments'),
    can('update', 'apps', 'deployments/finalizers deployments/status'),
    can(MAKE, 'apps', 'replicasets'),
    can('get list update watch', 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'disruption-controller': [
    can(READ, 'apps', 'deployments replicasets statefulsets'),
    can(READ, 'core', 'replicationcontrollers'),
    can(READ, 'policy', 'poddisruptionbudgets'),
    can('update', 'policy', 'poddisruptionbudgets/status'),
    can('patch update', 'core', 'pods/status'),
    can('get', '*', '*/scale'),
    RECORD_EVENTS,
  ],
  'endpoint-controller': [
    can(READ, 'core', 'pods services'),
    can('create delete get list update watch', 'core', 'endpoints'),
    can('create', 'core', 'endpoints/restricted'),
    RECORD_EVENTS,
  ],
  'endpointslice-controller': [
    can(READ, 'core', 'nodes pods services'),
    can('update', 'core', 'services/finalizers'),
    can('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    can('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    RECORD_EVENTS,
  ],
  'endpointslicemirroring-controller': [
    can(READ, 'core', 'endpoints services'),
    can('update', 'core', 'endpoints/finalizers services/finalizers'),
    can('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    can('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    RECORD_EVENTS,
  ],
  'ephemeral-volume-controller': [
    can(READ, 'core', 'pods'),
    can('update', 'core', 'pods/finalizers'),
    can('create get list watch', 'core', 'persistentvolumeclaims'),
    RECORD_EVENTS,
  ],
  'expand-controller': [
    can('get list patch update watch', 'core', 'persistentvolumes'),
    can('patch update', 'core', 'persistentvolumeclaims/status'),
    can(READ, 'core', 'persistentvolumeclaims'),
    STORAGE_CLASSES,
    RECORD_EVENTS,
  ],
  'generic-garbage-collector': [can('delete get list patch update watch', '*', '*'), RECORD_EVENTS],
  'horizontal-pod-autoscaler': [
    can(READ, 'autoscaling', 'horizontalpodautoscalers'),
    can('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    can('get update', '*', '*/scale'),
    can('list', 'core,metrics.k8s.io', 'pods'),
    can('watch', 'core', 'pods'),
    can('get list', 'custom.metrics.k8s.io,external.metrics.k8s.io', '*'),
    RECORD_EVENTS,
  ],
  'job-controller': [
    can('get list patch update watch', 'batch', 'jobs'),
    can('update', 'batch', 'jobs/finalizers jobs/status'),
    can('create delete list patch watch', 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'legacy-service-account-token-cleaner': [
    can('get', 'core', 'configmaps', ['kube-apiserver-legacy-service-account-token-tracking']),
    can('delete patch', 'core', 'secrets'),
  ],
  'namespace-controller': [
    can('delete get list watch', 'core', 'namespaces'),
    can('update', 'core', 'namespaces/finalize namespaces/status'),
    can('delete deletecollection get list watch', '*', '*'),
  ],
  'node-controller': [
    can('delete get list patch update watch', 'core', 'nodes'),
    can('patch update', 'core', 'nodes/status pods/status'),
    can('delete get list watch', 'core', 'pods'),
    can(READ, 'coordination.k8s.io', 'leases'),
    RECORD_EVENTS,
  ],
  'persistent-volume-binder': [
    can('create delete get list update watch', 'core', 'persistentvolumes'),
    can('get list update watch', 'core', 'persistentvolumeclaims'),
    can('update', 'core', 'persistentvolumeclaims/status persistentvolumes/status'),
    can('create delete get list watch', 'core', 'pods'),
    can('list watch', 'core', 'nodes'),
    can('watch', 'core', 'events'),
    STORAGE_CLASSES,
    RECORD_EVENTS,
  ],
  'pod-garbage-collector': [
    can('delete list watch', 'core', 'pods'),
    can(READ, 'core', 'nodes'),
    can('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [can('get list update watch', 'core', 'persistentvolumes'), RECORD_EVENTS],
  'pvc-protection-controller': [
    can('get list update watch', 'core', 'persistentvolumeclaims'),
    can('update', 'core', 'persistentvolumeclaims/status'),
    can(READ, 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'replicaset-controller': [
    can('get list update watch', 'apps', 'replicasets'),
    can('update', 'apps', 'replicasets/finalizers replicasets/status'),
    can('create delete list patch watch', 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'replication-controller': [
    can('get list update watch', 'core', 'replicationcontrollers'),
    can('update', 'core', 'replicationcontrollers/finalizers replicationcontrollers/status'),
    can('create delete list patch watch', 'core', 'pods'),
    RECORD_EVENTS,
  ],
  'resource-claim-controller': [
    can(READ, 'core', 'pods'),
    can('update', 'core', 'pods/finalizers'),
    can('patch update', 'core', 'pods/status'),
    can('create delete get list update watch', 'resource.k8s.io', 'resourceclaims'),
    can(READ, 'resource.k8s.io', 'resourceclaimtemplates'),
    can('update', 'resource.k8s.io', 'resourceclaims/status'),
    RECORD_EVENTS,
  ],
  'resourcequota-controller': [
    can('list watch', '*', '*'),
    can('update', 'core', 'resourcequotas/status'),
    RECORD_EVENTS,
  ],
  'root-ca-cert-publisher': [can('create update', 'core', 'configmaps'), RECORD_EVENTS],
  'service-account-controller': [can('create', 'core', 'serviceaccounts'), RECORD_EVENTS],
  'service-controller': [
    can(READ, 'core', 'services'),
    can('patch update', 'core', 'services/status'),
    can('list watch', 'core', 'nodes'),
    RECORD_EVENTS,
  ],
  'statefulset-controller': [
    can(READ, 'apps', 'statefulsets'),
    can('update', 'apps', 'statefulsets/finalizers statefulsets/status'),
    can(MAKE, 'core', 'pods'),
    can('update', 'core', 'pods/finalizers'),
    can('create delete get list update watch', 'core', 'persistentvolumeclaims'),
    REVISIONS,
    RECORD_EVENTS,
  ],
  'ttl-after-finished-controller': [can('delete get list watch', 'batch', 'jobs'), RECORD_EVENTS],
  'ttl-controller': [can('list patch update watch', 'core', 'nodes'), RECORD_EVENTS],
};
