import { defineKind } from '../../machinery/kind.ts';
import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
import {
  bool,
  type Infer,
  int32,
  intOrString,
  list,
  map,
  object,
  opt,
  req,
  str,
} from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { keepAllocations, setServiceDefaults } from './serviceDefaults.ts';
import { serviceWarnings } from './serviceWarnings.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from './validation/service.ts';

export const Service = object('io.k8s.api.core.v1.Service', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ServiceSpec),
  status: opt(3, ServiceStatus),
}));
export interface Service extends Infer<typeof Service> {}

export const ServiceStatus = object('io.k8s.api.core.v1.ServiceStatus', () => ({
  loadBalancer: opt(1, LoadBalancerStatus, { pointer: false }),
  conditions: opt(2, list(Condition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface ServiceStatus extends Infer<typeof ServiceStatus> {}

export const LoadBalancerStatus = object('io.k8s.api.core.v1.LoadBalancerStatus', () => ({
  ingress: opt(1, list(LoadBalancerIngress)),
}));
export interface LoadBalancerStatus extends Infer<typeof LoadBalancerStatus> {}

export const LoadBalancerIngress = object('io.k8s.api.core.v1.LoadBalancerIngress', () => ({
  ip: opt(1, str),
  hostname: opt(2, str),
  ipMode: opt(3, str, { pointer: true }),
  ports: opt(4, list(PortStatus)),
}));
export interface LoadBalancerIngress extends Infer<typeof LoadBalancerIngress> {}

export const PortStatus = object('io.k8s.api.core.v1.PortStatus', () => ({
  port: req(1, int32),
  protocol: req(2, str),
  error: opt(3, str, { pointer: true }),
}));
export interface PortStatus extends Infer<typeof PortStatus> {}

export const ServiceSpec = object('io.k8s.api.core.v1.ServiceSpec', () => ({
  ports: opt(1, list(ServicePort, { type: 'map', keys: ['port', 'protocol'], patch: 'merge', mergeKey: 'port' })),
  selector: opt(2, map(str, { atomic: true }), { doc: 'The labels of the pods behind it.' }),
  clusterIP: opt(3, str, { doc: "Its address in the cluster; chosen if absent, 'None' for none." }),
  type: opt(4, str, { doc: 'From where it is reached: ClusterIP (default), NodePort, LoadBalancer or ExternalName.' }),
  externalIPs: opt(5, list(str), { doc: 'Addresses of nodes at which it answers too. Deprecated.' }),
  sessionAffinity: opt(7, str, { doc: 'ClientIP: a client stays with its pod. Or None (default).' }),
  loadBalancerIP: opt(8, str),
  loadBalancerSourceRanges: opt(9, list(str)),
  externalName: opt(10, str, { doc: 'The DNS name for which an ExternalName stands.' }),
  externalTrafficPolicy: opt(11, str, { doc: 'Local: traffic from outside stays on the node. Or Cluster (default).' }),
  healthCheckNodePort: opt(12, int32, { pointer: false }),
  publishNotReadyAddresses: opt(13, bool, { pointer: false }),
  sessionAffinityConfig: opt(14, SessionAffinityConfig),
  ipFamilyPolicy: opt(17, str, { pointer: true, doc: 'SingleStack, PreferDualStack or RequireDualStack.' }),
  clusterIPs: opt(18, list(str)),
  ipFamilies: opt(19, list(str), { doc: 'IPv4, IPv6, or both in the order wanted.' }),
  allocateLoadBalancerNodePorts: opt(20, bool),
  loadBalancerClass: opt(21, str, { pointer: true }),
  internalTrafficPolicy: opt(22, str, {
    pointer: true,
    doc: 'Local: traffic from pods stays on the node. Or Cluster (default).',
  }),
  trafficDistribution: opt(23, str, {
    pointer: true,
    doc: 'Which pods are preferred: PreferSameZone, PreferSameNode, or PreferClose, the older name of the first.',
  }),
}));
export interface ServiceSpec extends Infer<typeof ServiceSpec> {}

export const SessionAffinityConfig = object('io.k8s.api.core.v1.SessionAffinityConfig', () => ({
  clientIP: opt(1, ClientIPConfig),
}));
export interface SessionAffinityConfig extends Infer<typeof SessionAffinityConfig> {}

export const ClientIPConfig = object('io.k8s.api.core.v1.ClientIPConfig', () => ({
  timeoutSeconds: opt(1, int32),
}));
export interface ClientIPConfig extends Infer<typeof ClientIPConfig> {}

export const ServicePort = object('io.k8s.api.core.v1.ServicePort', () => ({
  name: opt(1, str),
  protocol: opt(2, str, { default: 'TCP' }),
  port: req(3, int32),
  targetPort: opt(4, intOrString, {
    pointer: false,
    doc: 'The port of the pods, by number or name; that of the service if absent.',
  }),
  nodePort: opt(5, int32, { pointer: false, doc: 'The port on every node; chosen if absent.' }),
  appProtocol: opt(6, str, { pointer: true }),
}));
export interface ServicePort extends Infer<typeof ServicePort> {}

/** Services: a stable address for a set of pods. */
export const services = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  schema: Service,
  returnsDeleted: true,
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: dnsLabel,
  createOnUpdate: true,
  subresources: { proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } },
  setDefaults: setServiceDefaults,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    if (service.spec?.clusterIP && service.spec.clusterIPs === undefined) {
      service.spec.clusterIPs = [service.spec.clusterIP];
    }
  },
  validate: validateService,
  update: {
    prepare(service, old) {
      service.status = old.status ?? { loadBalancer: {} };
      // No balancer, so nothing that it said.
      if (service.spec?.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
      if (service.spec !== undefined && old.spec !== undefined) keepAllocations(service.spec, old.spec);
    },
    validate: validateServiceUpdate,
  },
  status: {
    prepare(service, old) {
      keepSpec(service, old);
      const balancer = service.status?.loadBalancer;
      service.status = { ...service.status, loadBalancer: balancer?.ingress?.length ? balancer : {} };
    },
    validate: validateServiceStatus,
  },
  warnings: serviceWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Type',
      type: 'string',
      description: 'From where it can be reached.',
      value: (service) => service.spec?.type ?? '',
    },
    {
      name: 'Cluster-IP',
      type: 'string',
      description: 'Its address within the cluster.',
      value: (service) => service.spec?.clusterIP || '<none>',
    },
    {
      name: 'External-IP',
      type: 'string',
      description: 'Its address from outside.',
      value: externalText,
    },
    {
      name: 'Port(s)',
      type: 'string',
      description: 'Its ports, with the port on the nodes where there is one.',
      value: (service) => (service.spec?.ports ?? []).map(portText).join(',') || '<none>',
    },
    AGE_COLUMN,
    {
      name: 'Selector',
      type: 'string',
      description: 'Which pods stand behind it.',
      priority: 1,
      value: (service) =>
        Object.entries(service.spec?.selector ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .sort()
          .join(',') || '<none>',
    },
  ],
  selectableFields: {
    'spec.clusterIP': (service) => service.spec?.clusterIP ?? '',
    'spec.type': (service) => service.spec?.type ?? '',
  },
});

function portText(port: ServicePort): string {
  return port.nodePort ? `${port.port}:${port.nodePort}/${port.protocol}` : `${port.port}/${port.protocol}`;
}

function externalText(service: Service): string {
  const external = service.spec?.externalIPs ?? [];
  switch (service.spec?.type) {
    case 'LoadBalancer': {
      const given = (service.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '');
      return [...given, ...external].filter((a) => a !== '').join(',') || '<pending>';
    }
    case 'ExternalName':
      return service.spec.externalName ?? '<none>';
    default:
      return external.join(',') || '<none>';
  }
}
