import { defineKind } from '../../machinery/kind.ts';
import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel1035 } from '../../machinery/names.ts';
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

export const Service = object('io.k8s.api.core.v1.Service', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ServiceSpec),
  status: opt(3, ServiceStatus),
}));
export interface Service extends Infer<typeof Service> {}

export const ServiceStatus = object('io.k8s.api.core.v1.ServiceStatus', () => ({
  loadBalancer: opt(1, LoadBalancerStatus),
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
  ipMode: opt(3, str),
  ports: opt(4, list(PortStatus)),
}));
export interface LoadBalancerIngress extends Infer<typeof LoadBalancerIngress> {}

export const PortStatus = object('io.k8s.api.core.v1.PortStatus', () => ({
  port: req(1, int32),
  protocol: req(2, str),
  error: opt(3, str),
}));
export interface PortStatus extends Infer<typeof PortStatus> {}

export const ServiceSpec = object('io.k8s.api.core.v1.ServiceSpec', () => ({
  ports: opt(1, list(ServicePort, { type: 'map', keys: ['port', 'protocol'], patch: 'merge', mergeKey: 'port' })),
  selector: opt(2, map(str, { atomic: true })),
  clusterIP: opt(3, str),
  type: opt(4, str, { default: 'ClusterIP' }),
  externalIPs: opt(5, list(str)),
  sessionAffinity: opt(7, str, { default: 'None' }),
  loadBalancerIP: opt(8, str),
  loadBalancerSourceRanges: opt(9, list(str)),
  externalName: opt(10, str),
  externalTrafficPolicy: opt(11, str),
  healthCheckNodePort: opt(12, int32),
  publishNotReadyAddresses: opt(13, bool),
  sessionAffinityConfig: opt(14, SessionAffinityConfig),
  ipFamilyPolicy: opt(17, str),
  clusterIPs: opt(18, list(str)),
  ipFamilies: opt(19, list(str)),
  allocateLoadBalancerNodePorts: opt(20, bool),
  loadBalancerClass: opt(21, str),
  internalTrafficPolicy: opt(22, str),
  trafficDistribution: opt(23, str),
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
  targetPort: opt(4, intOrString),
  nodePort: opt(5, int32),
  appProtocol: opt(6, str),
}));
export interface ServicePort extends Infer<typeof ServicePort> {}

/** Services: a stable address for a set of pods. */
export const services = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  schema: Service,
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: dnsLabel1035,
  subresources: { proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } },
  status: {},
});
