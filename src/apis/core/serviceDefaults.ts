/**
 * Defaults of services, and what an update that does not speak of them keeps: addresses and ports that
 * were allocated.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
 */
import type { Service, ServicePort, ServiceSpec } from './service.ts';

const AFFINITY_TIMEOUT_SECONDS = 10800;

export function setServiceDefaults(service: Service): void {
  const spec = service.spec;
  if (spec === undefined) return;
  spec.type ||= 'ClusterIP';
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= AFFINITY_TIMEOUT_SECONDS;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    if (!port.targetPort) port.targetPort = port.port;
    if (port.nodePort === 0) delete port.nodePort;
  }
  if (isExternallyReachable(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (hasClusterIP(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  }
  if (spec.publishNotReadyAddresses === false) delete spec.publishNotReadyAddresses;
  if (spec.healthCheckNodePort === 0) delete spec.healthCheckNodePort;
}

/** Whether traffic from outside the cluster may come in. */
export function isExternallyReachable(spec: ServiceSpec): boolean {
  return (
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
  );
}

/** Whether the type asks for an address within the cluster (which may be `None`). */
export function hasClusterIP(spec: ServiceSpec): boolean {
  return spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

const hasNodePorts = (spec: ServiceSpec) => spec.type === 'NodePort' || spec.type === 'LoadBalancer';

/** A headless service has no address of its own. */
export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

const needsHealthPort = (spec: ServiceSpec) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

/** Allocated values stay where the type still needs them, and go where it does not and nobody changed them. */
export function keepAllocations(spec: ServiceSpec, old: ServiceSpec): void {
  syncClusterIPs(spec, old);
  if (hasClusterIP(spec) && hasClusterIP(old)) {
    if (!spec.clusterIP) {
      if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
      if (old.clusterIPs !== undefined) spec.clusterIPs ??= [...old.clusterIPs];
    }
    if (old.ipFamilies !== undefined) spec.ipFamilies ??= [...old.ipFamilies];
    if (old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
    dropSecondFamily(spec, old);
  }
  if (hasNodePorts(spec) && hasNodePorts(old)) keepNodePorts(spec, old);
  if (needsHealthPort(spec) && needsHealthPort(old) && old.healthCheckNodePort !== undefined) {
    spec.healthCheckNodePort ??= old.healthCheckNodePort;
  }
  dropWhatTheTypeLost(spec, old);
}

/** `clusterIP` is the older name of the first of `clusterIPs`; a client may know only the one. */
function syncClusterIPs(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP];
  else if (spec.clusterIP !== old.clusterIP && sameList(spec.clusterIPs, old.clusterIPs)) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
    else delete spec.clusterIPs;
  }
}

/** A service that gives up its second family gives up the address of it, too, where nobody says otherwise. */
function dropSecondFamily(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.ipFamilyPolicy !== 'SingleStack' || old.ipFamilyPolicy === 'SingleStack') return;
  if (spec.ipFamilies !== undefined && sameList(spec.ipFamilies, old.ipFamilies)) spec.ipFamilies.splice(1);
  if (spec.clusterIPs !== undefined && sameList(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs.splice(1);
}

const sameList = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
  (a ?? []).join() === (b ?? []).join();

const portId = (port: ServicePort) => `${port.protocol}/${port.port}`;

function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const taken = new Set((spec.ports ?? []).map((port) => port.nodePort));
  const before = new Map((old.ports ?? []).map((port) => [portId(port), port.nodePort]));
  for (const port of spec.ports ?? []) {
    const nodePort = before.get(portId(port));
    if (!port.nodePort && nodePort && !taken.has(nodePort)) {
      port.nodePort = nodePort;
      taken.add(nodePort);
    }
  }
}

function dropWhatTheTypeLost(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(old) && !hasClusterIP(spec)) {
    if ((spec.clusterIP ?? '') === (old.clusterIP ?? '')) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (sameList(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const before = new Set((old.ports ?? []).map((port) => port.nodePort));
    for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
  }
  if (needsHealthPort(old) && !needsHealthPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) {
    delete spec.healthCheckNodePort;
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (
    isExternallyReachable(old) &&
    !isExternallyReachable(spec) &&
    spec.externalTrafficPolicy === old.externalTrafficPolicy
  ) {
    delete spec.externalTrafficPolicy;
  }
  if (hasClusterIP(old) && !hasClusterIP(spec) && spec.internalTrafficPolicy === old.internalTrafficPolicy) {
    delete spec.internalTrafficPolicy;
  }
}
