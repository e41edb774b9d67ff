/**
 * From a service and its endpoints to what this node does with connections to it. Pure.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
 */
import { isIP } from 'node:net';
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';
import { parseCidr } from '../apis/networking/cidr.ts';
import { type Backend, backendsOf, type Family, type Here } from './backends.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** What happens to a connection. */
export type Treatment =
  | { readonly to: 'backends'; readonly backends: readonly Backend[]; readonly keepsSource: boolean }
  /** There is nothing behind it anywhere. */
  | { readonly to: 'refuse' }
  /** There is nothing behind it on this node, and it may not leave it. */
  | { readonly to: 'drop' };

/** One port of one service, for addresses of one family. */
export interface ServicePort {
  /** `namespace/name:port` */
  readonly name: string;
  readonly family: Family;
  readonly protocol: Protocol;
  readonly port: number;
  readonly clusterIPs: readonly string[];
  readonly internal: Treatment;
  /** addresses under which clients outside of the cluster know it */
  readonly externalIPs: readonly string[];
  /** those of load balancers, which may be open to some only */
  readonly balancerIPs: readonly string[];
  readonly external: Treatment;
  readonly nodePort: number | undefined;
  /** in CIDR notation; undefined: everybody */
  readonly sourceRanges: readonly string[] | undefined;
  /** A client gets the same backend for so long after its last connection; undefined: any. */
  readonly affinitySeconds: number | undefined;
}

/** A port at which load balancers ask whether this node has backends of a service. */
export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  readonly localEndpoints: number;
}

export interface ServicePlan {
  readonly ports: readonly ServicePort[];
  readonly healthCheck: HealthCheck | undefined;
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' };
const DEFAULT_AFFINITY_SECONDS = 10_800;
/** What bears one of these is another proxy's, or nobody's. */
const NOT_OURS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];

const isOurs = ({ metadata }: Service | EndpointSlice) =>
  !NOT_OURS.some((name) => metadata?.labels?.[name] !== undefined);

/** @param slices those of the service */
export function planService(service: Service, slices: readonly EndpointSlice[], here: Here): ServicePlan {
  const { spec = {}, metadata = {} } = service;
  const local = new Set<string>();
  const ports =
    spec.type === 'ExternalName' || !isOurs(service)
      ? []
      : ([4, 6] as const).flatMap((family) => portsOf(service, slices.filter(isOurs), { ...here, family, local }));
  const isGuarded = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
  const healthPort = isGuarded && ports.length > 0 ? spec.healthCheckNodePort : undefined;
  return {
    ports,
    healthCheck: healthPort
      ? { port: healthPort, namespace: metadata.namespace ?? '', name: metadata.name ?? '', localEndpoints: local.size }
      : undefined,
  };
}

interface Planning extends Here {
  readonly family: Family;
  /** is filled with the addresses of endpoints on this node */
  readonly local: Set<string>;
}

function portsOf(service: Service, slices: readonly EndpointSlice[], planning: Planning): ServicePort[] {
  const { spec = {}, metadata = {}, status } = service;
  const { family, local } = planning;
  const ofFamily = (ip: string) => isIP(ip) === family;
  const clusterIPs = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter(ofFamily);
  if (clusterIPs.length === 0) return [];
  const isBalanced = spec.type === 'LoadBalancer';
  const balancerIPs = (isBalanced ? (status?.loadBalancer?.ingress ?? []) : [])
    .filter(({ ipMode }) => ipMode !== 'Proxy')
    .flatMap(({ ip }) => ip ?? [])
    .filter(ofFamily);
  const sourceRanges = isBalanced ? (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()) : [];
  const keepsInside = spec.internalTrafficPolicy === 'Local';
  const keepsOutside = spec.externalTrafficPolicy === 'Local';
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  return (spec.ports ?? []).flatMap((port): ServicePort[] => {
    const protocol = PROTOCOLS[port.protocol ?? 'TCP'];
    if (protocol === undefined) return [];
    const backends = backendsOf(slices, family, port.name ?? '', port.protocol ?? 'TCP', planning);
    for (const { ip } of backends.local) local.add(ip);
    const treatment = (staysHere: boolean, keepsSource: boolean): Treatment => {
      if (backends.cluster.length === 0 && backends.local.length === 0) return { to: 'refuse' };
      const chosen = staysHere ? backends.local : backends.cluster;
      return chosen.length === 0 ? { to: 'drop' } : { to: 'backends', backends: chosen, keepsSource };
    };
    return [
      {
        name: `${metadata.namespace}/${metadata.name}:${port.name ?? ''}`,
        family,
        protocol,
        port: port.port,
        clusterIPs,
        internal: treatment(keepsInside, false),
        externalIPs: (spec.externalIPs ?? []).filter(ofFamily),
        balancerIPs,
        external: treatment(keepsOutside, keepsOutside),
        nodePort: port.nodePort || undefined,
        // Where only clients of the other family are let in, nobody of this one is.
        sourceRanges:
          sourceRanges.length === 0 ? undefined : sourceRanges.filter((range) => parseCidr(range)?.family === family),
        affinitySeconds: spec.sessionAffinity === 'ClientIP' ? seconds : undefined,
      },
    ];
  });
}
