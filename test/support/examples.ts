/** A small valid object of every kind that is stored, for suites that go through all of them. */

export interface Example {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

const labels = { app: 'web' };
const selector = { matchLabels: labels };
const podSpec = { containers: [{ name: 'c', image: 'busybox' }] };
const template = { metadata: { labels }, spec: podSpec };
const jobTemplate = { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } };
const capacity = { storage: '1Gi' };
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: capacity } };
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
const subjects = [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }];
const allPods = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
};
const webhook = {
  name: 'hook.example.com',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  clientConfig: { url: 'https://127.0.0.1:1/' },
  rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }],
};
const deviceRequests = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } };
const schema = {
  openAPIV3Schema: {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
  },
};
/** A certificate request of CN=jane, O=users with an Ed25519 key. */
const REQUEST = [
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlHZU1GSUNBUUF3SHpFTk1Bc0dBMVVFQXd3RWFtRnVaVEVPTUF3',
  'R0ExVUVDZ3dGZFhObGNuTXdLakFGQmdNcgpaWEFESVFEOVg1Mi9ySlRyK1E1RGVVMGNYb0xDSnY2Rm9uaGc3K2ZScWNFL2ZpOWpv',
  'NkFBTUFVR0F5dGxjQU5CCkFDNzhzdStXQ3hyL29IZENrMVpNdUtXS0tsVDhxdSs2UHg3SFlRUFV5em9tMmE1NVJxOGJta3NJaVNO',
  'djVRK2sKbkd2UllHNWQ5NVFmZTZRcXJVVWQ5UVk9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=',
].join('');

const of = (apiVersion: string, kind: string, more: object = {}, name = 'x'): Example => ({
  apiVersion,
  kind,
  metadata: { name },
  ...more,
});

/** Of namespaced kinds, without a namespace. */
export const EXAMPLES: readonly Example[] = [
  of('v1', 'ConfigMap', { data: { key: 'value' } }),
  of('v1', 'Secret', { stringData: { password: 'secret' } }),
  of('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80 }] }] }),
  of('v1', 'Event', {
    involvedObject: { kind: 'Pod', name: 'x', namespace: 'default' },
    reason: 'Started',
    message: 'it started',
    type: 'Normal',
    source: { component: 'test' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  }),
  of('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] } }),
  of('v1', 'Namespace', { metadata: { name: 'y' } }),
  of('v1', 'Node'),
  of('v1', 'PersistentVolume', {
    spec: {
      capacity,
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/tmp/x' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  }),
  of('v1', 'PersistentVolumeClaim', { spec: claimSpec }),
  of('v1', 'Pod', { spec: podSpec }),
  of('v1', 'PodTemplate', { template }),
  of('v1', 'ReplicationController', { spec: { replicas: 1, selector: labels, template } }),
  of('v1', 'ResourceQuota', { spec: { hard: { pods: '10' } } }),
  of('v1', 'Service', { spec: { selector: labels, ports: [{ port: 80 }] } }),
  of('v1', 'ServiceAccount'),
  of('apps/v1', 'ControllerRevision', { revision: 1, data: { spec: {} } }),
  of('apps/v1', 'DaemonSet', { spec: { selector, template } }),
  of('apps/v1', 'Deployment', { spec: { replicas: 1, selector, template } }),
  of('apps/v1', 'ReplicaSet', { spec: { replicas: 1, selector, template } }),
  of('apps/v1', 'StatefulSet', { spec: { replicas: 1, selector, template, serviceName: 'x' } }),
  of('autoscaling/v1', 'HorizontalPodAutoscaler', {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
  }),
  of('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: {
      minReplicas: 1,
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
  }),
  of('batch/v1', 'CronJob', { spec: { schedule: '*/5 * * * *', jobTemplate } }),
  of('batch/v1', 'Job', jobTemplate),
  of('certificates.k8s.io/v1', 'CertificateSigningRequest', {
    spec: { request: REQUEST, signerName: 'example.com/signer', usages: ['client auth'] },
  }),
  of('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } }),
  of('discovery.k8s.io/v1', 'EndpointSlice', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.2.3'] }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  }),
  of('events.k8s.io/v1', 'Event', {
    regarding: { kind: 'Pod', name: 'x', namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/test',
    reportingInstance: 'test-1',
    action: 'Test',
    reason: 'Tested',
    type: 'Normal',
    note: 'it was tested',
  }),
  of('flowcontrol.apiserver.k8s.io/v1', 'FlowSchema', {
    spec: {
      priorityLevelConfiguration: { name: 'global-default' },
      matchingPrecedence: 9000,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'jane' } }],
          resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }],
        },
      ],
    },
  }),
  of('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } },
  }),
  of('networking.k8s.io/v1', 'Ingress', {
    spec: {
      ingressClassName: 'x',
      rules: [
        {
          host: 'example.com',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 80 } } } }],
          },
        },
      ],
    },
  }),
  of('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/ingress' } }),
  of('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress'] } }),
  of(
    'networking.k8s.io/v1',
    'IPAddress',
    { spec: { parentRef: { resource: 'services', namespace: 'default', name: 'x' } } },
    '10.9.8.7',
  ),
  of('networking.k8s.io/v1', 'ServiceCIDR', { spec: { cidrs: ['10.200.0.0/16'] } }),
  of('node.k8s.io/v1', 'RuntimeClass', { handler: 'runc' }),
  of('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, selector } }),
  of('rbac.authorization.k8s.io/v1', 'Role', { rules }),
  of('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules }),
  of('rbac.authorization.k8s.io/v1', 'RoleBinding', {
    subjects,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  }),
  of('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', {
    subjects,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  }),
  of('scheduling.k8s.io/v1', 'PriorityClass', { value: 100 }),
  of('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/disk' }),
  of('storage.k8s.io/v1', 'CSIDriver', { spec: { attachRequired: false } }),
  of('storage.k8s.io/v1', 'CSINode', { spec: { drivers: [{ name: 'csi.example.com', nodeID: 'n' }] } }),
  of('storage.k8s.io/v1', 'CSIStorageCapacity', { storageClassName: 'x', capacity: '1Gi' }),
  of('storage.k8s.io/v1', 'VolumeAttachment', {
    spec: { attacher: 'csi.example.com', nodeName: 'x', source: { persistentVolumeName: 'x' } },
  }),
  of('storage.k8s.io/v1', 'VolumeAttributesClass', { driverName: 'csi.example.com', parameters: { iops: '100' } }),
  of('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { webhooks: [webhook] }),
  of('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', { webhooks: [webhook] }),
  of('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', {
    spec: {
      failurePolicy: 'Ignore',
      matchConstraints: allPods,
      validations: [{ expression: 'object.metadata.name != "forbidden"' }],
    },
  }),
  of('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', {
    spec: { policyName: 'y', validationActions: ['Warn'] },
  }),
  of('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicy', {
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'Never',
      matchConstraints: allPods,
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"seen": "yes"}}}' },
        },
      ],
    },
  }),
  of('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicyBinding', { spec: { policyName: 'y' } }),
  of(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    {
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    },
    'widgets.example.com',
  ),
  of(
    'apiregistration.k8s.io/v1',
    'APIService',
    {
      spec: {
        group: 'example.com',
        version: 'v9',
        groupPriorityMinimum: 100,
        versionPriority: 15,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 'nobody' },
      },
    },
    'v9.example.com',
  ),
  of('resource.k8s.io/v1', 'DeviceClass', {
    spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }] },
  }),
  of('resource.k8s.io/v1', 'ResourceClaim', { spec: deviceRequests }),
  of('resource.k8s.io/v1', 'ResourceClaimTemplate', { spec: { spec: deviceRequests } }),
  of('resource.k8s.io/v1', 'ResourceSlice', {
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'x',
      pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'gpu-0' }],
    },
  }),
];

/** By apiVersion and kind. */
export function exampleOf(apiVersion: string, kind: string): Example | undefined {
  return EXAMPLES.find((example) => example.apiVersion === apiVersion && example.kind === kind);
}
