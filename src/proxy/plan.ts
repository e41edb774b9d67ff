/**
 * From services and their endpoints to the rules of this node. Pure.
 *
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
 */
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';

export interface Backend {
  readonly ip: string;
  readonly port: number;
}

/** One port of one service. */
export interface ServicePortRule {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly clusterIPs: readonly string[];
  readonly port: number;
  readonly nodePort: number | undefined;
  readonly backends: readonly Backend[];
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const PROTOCOLS: Readonly<Record<string, 'tcp' | 'udp'>> = { TCP: 'tcp', UDP: 'udp' };

/** IPv4 services with an address, each port with the endpoints that take connections, in a stable order. */
export function planServices(services: readonly Service[], slices: readonly EndpointSlice[]): ServicePortRule[] {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const key = `${slice.metadata?.namespace}/${slice.metadata?.labels?.[SERVICE_NAME] ?? ''}`;
    const list = byService.get(key);
    if (list === undefined) byService.set(key, [slice]);
    else list.push(slice);
  }
  const rules: ServicePortRule[] = [];
  for (const service of services) {
    const spec = service.spec;
    const key = `${service.metadata?.namespace}/${service.metadata?.name}`;
    const clusterIPs = [...(spec?.clusterIPs ?? [spec?.clusterIP ?? '']), ...(spec?.externalIPs ?? [])].filter(isIPv4);
    if (clusterIPs.length === 0 || spec?.type === 'ExternalName') continue;
    for (const port of spec?.ports ?? []) {
      const protocol = PROTOCOLS[port.protocol ?? 'TCP'];
      if (protocol === undefined) continue;
      rules.push({
        name: `${key}:${port.name ?? ''}`,
        protocol,
        clusterIPs,
        port: port.port,
        nodePort: port.nodePort || undefined,
        backends: backendsOf(byService.get(key) ?? [], port.name ?? '', port.protocol ?? 'TCP'),
      });
    }
  }
  return rules.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.port - b.port));
}

function backendsOf(slices: readonly EndpointSlice[], portName: string, protocol: string): Backend[] {
  const ready: Backend[] = [];
  const terminating: Backend[] = [];
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const port of slice.ports ?? []) {
      if ((port.name ?? '') !== portName || (port.protocol ?? 'TCP') !== protocol || port.port === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const [ip] = endpoint.addresses;
        if (ip === undefined) continue;
        const { conditions } = endpoint;
        if (conditions?.ready !== false) ready.push({ ip, port: port.port });
        else if (conditions.serving === true && conditions.terminating === true)
          terminating.push({ ip, port: port.port });
      }
    }
  }
  // Where nothing else is left, what is on its way out still answers.
  const chosen = ready.length > 0 ? ready : terminating;
  const unique = new Map(chosen.map((b) => [`${b.ip}:${b.port}`, b]));
  return [...unique.keys()].sort().map((key) => unique.get(key) as Backend);
}

const isIPv4 = (ip: string) => /^\d+\.\d+\.\d+\.\d+$/.test(ip);
