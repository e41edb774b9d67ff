/** What the API server tells those who write a service: what is deprecated, what has no effect, what is written oddly. */
import { isIPv6 } from 'node:net';
import { canonicalAddress } from '../networking/cidr.ts';
import type { Service } from './service.ts';
import { isHeadless } from './serviceDefaults.ts';

const HINTS = 'service.kubernetes.io/topology-aware-hints';
const MODE = 'service.kubernetes.io/topology-mode';

export function serviceWarnings(service: Service): string[] {
  const warnings: string[] = [];
  const spec = service.spec ?? {};
  if (service.metadata?.annotations?.[HINTS] !== undefined) {
    warnings.push(`annotation ${HINTS} is deprecated, please use ${MODE} instead`);
  }
  if (isHeadless(spec)) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if ((spec.externalIPs ?? []).length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== undefined && spec.sessionAffinity !== 'None') {
      warnings.push('spec.SessionAffinity is ignored for headless services');
    }
  } else if ((spec.externalIPs ?? []).length > 0) warnings.push('spec.externalIPs is deprecated in v1.36+');
  for (const field of ['clusterIPs', 'externalIPs'] as const) {
    for (const [i, address] of (spec[field] ?? []).entries()) warnOfForm(address, `spec.${field}[${i}]`, warnings);
  }
  if (spec.loadBalancerIP) warnOfForm(spec.loadBalancerIP, 'spec.loadBalancerIP', warnings);
  return warnings;
}

function warnOfForm(address: string, path: string, warnings: string[]): void {
  const canonical = isIPv6(address) ? canonicalAddress(address) : undefined;
  if (canonical === undefined || canonical === address) return;
  warnings.push(`${path}: IPv6 address "${address}" should be in RFC 5952 canonical format ("${canonical}")`);
}
