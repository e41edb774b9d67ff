/**
 * How a pod resolves names.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { ResolverConfig } from '../../lib/resolvConf.ts';

export interface DnsConfig {
  /** the cluster's DNS; absent where the cluster has none */
  readonly clusterDNS?: string;
  readonly clusterDomain: string;
  /** the node's own resolver */
  readonly host: ResolverConfig;
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;

export function dnsOf(pod: Pod, dns: DnsConfig): { servers: string[]; searches: string[]; options: string[] } {
  const base = baseOf(pod, dns);
  const own = pod.spec?.dnsConfig;
  const options = new Map(base.options.map((o) => [o.split(':', 1)[0] as string, o]));
  for (const { name = '', value } of own?.options ?? [])
    options.set(name, value === undefined ? name : `${name}:${value}`);
  return {
    servers: [...new Set([...base.servers, ...(own?.nameservers ?? [])])].slice(0, MAX_SERVERS),
    searches: [...new Set([...base.searches, ...(own?.searches ?? [])])].slice(0, MAX_SEARCHES),
    options: [...options.values()],
  };
}

const NONE: ResolverConfig = { servers: [], searches: [], options: [] };

function baseOf(pod: Pod, dns: DnsConfig): ResolverConfig {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return NONE;
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec?.hostNetwork !== true);
  if (!cluster || dns.clusterDNS === undefined) return dns.host;
  const { clusterDomain } = dns;
  return {
    servers: [dns.clusterDNS],
    searches: [
      `${pod.metadata?.namespace}.svc.${clusterDomain}`,
      `svc.${clusterDomain}`,
      clusterDomain,
      ...dns.host.searches,
    ],
    options: ['ndots:5'],
  };
}
