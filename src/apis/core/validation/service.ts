/** What is wrong with a service. */
import { isIP, isIPv6 } from 'node:net';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, ipAddress, portName, portNumber, qualifiedName } from '../../../machinery/names.ts';
import { validateLabels } from '../../../machinery/validateMeta.ts';
import { isCidr, isLocalAddress } from '../../addresses.ts';
import { canonicalAddress, parseCidr } from '../../networking/cidr.ts';
import type { Service, ServicePort, ServiceSpec } from '../service.ts';
import { hasClusterIP, isExternallyReachable, isHeadless } from '../serviceDefaults.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const AFFINITIES = ['ClientIP', 'None'];
const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const IP_MODES = ['Proxy', 'VIP'];
const DAY_SECONDS = 86400;
/** The kubelet's own port: a load balancer must not lay it open. */
const KUBELET_PORT = 10250;

export function validateService(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const spec = service.spec ?? {};
  if (!TYPES.includes(spec.type ?? '')) errors.push(notSupported('spec.type', spec.type, TYPES));
  validatePorts(spec, errors);
  validateByType(spec, errors);
  validateLabels(spec.selector, 'spec.selector', errors);
  validateAddresses(spec, errors);
  validateAffinity(spec, errors);
  validateTraffic(spec, errors);
  return errors;
}

/** The address of a service stays as long as its type has one. */
export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const errors = validateService(service);
  const spec = service.spec ?? {};
  const before = old.spec ?? {};
  if (hasClusterIP(spec) && hasClusterIP(before) && before.clusterIP && spec.clusterIP !== before.clusterIP) {
    errors.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? spec.clusterIP, 'may not change once set'));
  }
  const stays = spec.type === 'LoadBalancer' && before.type === 'LoadBalancer';
  const port = before.healthCheckNodePort;
  const checked = stays && [spec, before].every((s) => s.externalTrafficPolicy === 'Local');
  if (checked && port !== undefined && spec.healthCheckNodePort !== port) {
    errors.push(invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, 'field is immutable'));
  }
  if (stays && spec.loadBalancerClass !== before.loadBalancerClass) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
  }
  return errors;
}

/** What a balancer says of itself: only of services that have one. */
export function validateServiceStatus(service: Service, old: Service): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'status.loadBalancer.ingress';
  const points = service.status?.loadBalancer?.ingress ?? [];
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map((point) => point.ip));
  if (points.length > 0 && service.spec?.type !== 'LoadBalancer' && known.size === 0) {
    errors.push(forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"));
  }
  for (const [i, { ip, ipMode, hostname }] of points.entries()) {
    const at = `${path}[${i}]`;
    if (ip && !known.has(ip) && canonicalAddress(ip) === undefined) {
      errors.push(invalid(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
    }
    if (ip && ipMode === undefined) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    if (!ip && ipMode !== undefined) {
      errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    } else if (ipMode !== undefined && !IP_MODES.includes(ipMode)) {
      errors.push(notSupported(`${at}.ipMode`, ipMode, IP_MODES));
    }
    if (!hostname) continue;
    for (const fault of dnsSubdomain(hostname)) errors.push(invalid(`${at}.hostname`, hostname, fault));
    if (isIP(hostname) !== 0) errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
  return errors;
}

function validatePorts(spec: ServiceSpec, errors: FieldError[]): void {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  const names = new Set<string>();
  const seen = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const path = `spec.ports[${i}]`;
    validateName(port, path, ports.length > 1, names, errors);
    for (const fault of portNumber(port.port)) errors.push(invalid(`${path}.port`, port.port, fault));
    if (!PROTOCOLS.includes(port.protocol ?? '')) {
      errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS));
    }
    validateTarget(port.targetPort, `${path}.targetPort`, errors);
    if (port.appProtocol !== undefined) {
      for (const fault of qualifiedName(port.appProtocol)) {
        errors.push(invalid(`${path}.appProtocol`, port.appProtocol, fault));
      }
    }
    const id = `${port.protocol}/${port.port}`;
    if (seen.has(id)) errors.push(duplicate(path, port));
    seen.add(id);
    validateNodePort(spec, port, path, nodePorts, errors);
    if (spec.type === 'LoadBalancer' && port.port === KUBELET_PORT) {
      errors.push(invalid(path, port.port, 'may not lay open port 10250, which is for the kubelet'));
    }
  }
}

function validateName(
  port: ServicePort,
  path: string,
  needed: boolean,
  names: Set<string>,
  errors: FieldError[],
): void {
  if (!port.name) {
    if (needed) errors.push(required(`${path}.name`));
    return;
  }
  for (const fault of dnsLabel(port.name)) errors.push(invalid(`${path}.name`, port.name, fault));
  if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name));
  names.add(port.name);
}

function validateTarget(target: number | string | undefined, path: string, errors: FieldError[]): void {
  if (target === undefined) return;
  const faults = typeof target === 'number' ? portNumber(target) : portName(target);
  for (const fault of faults) errors.push(invalid(path, target, fault));
}

function validateNodePort(
  spec: ServiceSpec,
  port: ServicePort,
  path: string,
  nodePorts: Set<string>,
  errors: FieldError[],
): void {
  if (!port.nodePort) return;
  if (spec.type === 'ClusterIP') {
    errors.push(forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
  }
  for (const fault of portNumber(port.nodePort)) errors.push(invalid(`${path}.nodePort`, port.nodePort, fault));
  const id = `${port.protocol}/${port.nodePort}`;
  if (nodePorts.has(id)) errors.push(duplicate(`${path}.nodePort`, port.nodePort));
  nodePorts.add(id);
}

function validateByType(spec: ServiceSpec, errors: FieldError[]): void {
  switch (spec.type) {
    case 'LoadBalancer':
    case 'NodePort':
      if (isHeadless(spec)) {
        errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
      }
      break;
    case 'ExternalName': {
      const without = 'may not be set for ExternalName services';
      if (spec.clusterIP) errors.push(forbidden('spec.clusterIPs', without));
      if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden('spec.ipFamilies', without));
      if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', without));
      const name = spec.externalName?.replace(/\.$/, '') ?? '';
      if (name === '') errors.push(required('spec.externalName'));
      else for (const fault of dnsSubdomain(name)) errors.push(invalid('spec.externalName', spec.externalName, fault));
      break;
    }
  }
}

function validateAddresses(spec: ServiceSpec, errors: FieldError[]): void {
  const { clusterIP, clusterIPs = [] } = spec;
  if (clusterIP && clusterIP !== 'None') {
    for (const fault of ipAddress(clusterIP)) errors.push(invalid('spec.clusterIPs[0]', clusterIP, fault));
  }
  if (clusterIPs.length > 0 && clusterIPs[0] !== (clusterIP ?? '')) {
    errors.push(invalid('spec.clusterIPs[0]', clusterIPs[0], 'first value must match `clusterIP`'));
  }
  if (clusterIPs.length > 2) errors.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  if (clusterIPs.length > 1 && clusterIPs.includes('None')) {
    errors.push(invalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"));
  }
  validateFamilies(spec, errors);
  if (spec.ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(spec.ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', spec.ipFamilyPolicy, FAMILY_POLICIES));
  }
  for (const [i, address] of (spec.externalIPs ?? []).entries()) {
    for (const fault of ipAddress(address)) errors.push(invalid(`spec.externalIPs[${i}]`, address, fault));
    if (isLocalAddress(address)) {
      errors.push(invalid(`spec.externalIPs[${i}]`, address, 'may not be unspecified, loopback or link-local'));
    }
  }
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    const path = `spec.loadBalancerSourceRanges[${i}]`;
    if (!isCidr(range.trim())) {
      errors.push(invalid(path, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
    } else if (parseCidr(range.trim())?.loose === true) {
      errors.push(invalid(path, range, 'must not have bits set beyond the prefix length'));
    }
  }
  if ((spec.loadBalancerSourceRanges ?? []).length > 0 && spec.type !== 'LoadBalancer') {
    errors.push(forbidden('spec.loadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
  }
}

/** One family or two, and the addresses in their order. */
function validateFamilies(spec: ServiceSpec, errors: FieldError[]): void {
  const { ipFamilies = [], clusterIPs = [], ipFamilyPolicy } = spec;
  const seen = new Set<string>();
  for (const [i, family] of ipFamilies.entries()) {
    if (!FAMILIES.includes(family)) errors.push(notSupported(`spec.ipFamilies[${i}]`, family, FAMILIES));
    if (seen.has(family)) errors.push(duplicate(`spec.ipFamilies[${i}]`, family));
    seen.add(family);
  }
  if (ipFamilies.length > FAMILIES.length) {
    errors.push(invalid('spec.ipFamilies', ipFamilies, 'may only hold up to 2 values'));
  }
  if (ipFamilyPolicy === 'SingleStack') {
    const detail = "must be RequireDualStack or PreferDualStack when multiple '%s' are specified";
    for (const [field, values] of Object.entries({ ipFamilies, clusterIPs })) {
      if (values.length > 1) errors.push(invalid('spec.ipFamilyPolicy', ipFamilyPolicy, detail.replace('%s', field)));
    }
  }
  const addresses = clusterIPs.filter((address) => isIP(address) !== 0);
  if (addresses.length === 2 && isIP(addresses[0] ?? '') === isIP(addresses[1] ?? '')) {
    errors.push(invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  for (const [i, address] of clusterIPs.entries()) {
    const family = ipFamilies[i];
    if (isIP(address) === 0 || family === undefined || (family === 'IPv6') === isIPv6(address)) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(invalid(`spec.clusterIPs[${i}]`, address, detail));
  }
}

function validateAffinity(spec: ServiceSpec, errors: FieldError[]): void {
  if (!AFFINITIES.includes(spec.sessionAffinity ?? '')) {
    errors.push(notSupported('spec.sessionAffinity', spec.sessionAffinity, AFFINITIES));
  }
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (spec.sessionAffinity === 'ClientIP' && (seconds === undefined || seconds < 1 || seconds > DAY_SECONDS)) {
    const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
    errors.push(invalid(path, seconds, `must be between 1 and ${DAY_SECONDS}, inclusive`));
  }
}

function validateTraffic(spec: ServiceSpec, errors: FieldError[]): void {
  const { externalTrafficPolicy, internalTrafficPolicy, trafficDistribution } = spec;
  if (externalTrafficPolicy) {
    if (!isExternallyReachable(spec)) {
      errors.push(
        invalid(
          'spec.externalTrafficPolicy',
          externalTrafficPolicy,
          'may only be set for externally-accessible services',
        ),
      );
    } else if (!TRAFFIC_POLICIES.includes(externalTrafficPolicy)) {
      errors.push(notSupported('spec.externalTrafficPolicy', externalTrafficPolicy, TRAFFIC_POLICIES));
    }
  }
  if (internalTrafficPolicy !== undefined && !TRAFFIC_POLICIES.includes(internalTrafficPolicy)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, TRAFFIC_POLICIES));
  }
  if (trafficDistribution !== undefined && !DISTRIBUTIONS.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS));
  }
  if (spec.healthCheckNodePort && !(spec.type === 'LoadBalancer' && externalTrafficPolicy === 'Local')) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, detail));
  }
  for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
    if (spec[field] !== undefined && spec.type !== 'LoadBalancer') {
      errors.push(forbidden(`spec.${field}`, "may only be used when `type` is 'LoadBalancer'"));
    }
  }
  if (spec.loadBalancerClass !== undefined) {
    for (const fault of qualifiedName(spec.loadBalancerClass)) {
      errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, fault));
    }
  }
}
