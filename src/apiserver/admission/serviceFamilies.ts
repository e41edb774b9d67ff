/**
 * The families of a service's addresses: what its policy asks for, of what the cluster has.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dual-stack/#services
 */
import { isIP } from 'node:net';
import type { ServiceSpec } from '../../apis/core/service.ts';
import { hasClusterIP, isHeadless } from '../../apis/core/serviceDefaults.ts';
import { type FieldError, invalid } from '../../machinery/fieldError.ts';

export type IpFamily = 'IPv4' | 'IPv6';

const ALL: readonly IpFamily[] = ['IPv4', 'IPv6'];
const NONE = 'None';

export const familyOf = (address: string): IpFamily => (address.includes(':') ? 'IPv6' : 'IPv4');

/**
 * Sets families and policy where they are not said, and adds what the policy asks for.
 * @param has the families of the cluster, the first one being that of services that do not care
 */
export function setFamilies(spec: ServiceSpec, has: readonly IpFamily[], errors: FieldError[]): void {
  if (!hasClusterIP(spec)) return;
  const selects = Object.keys(spec.selector ?? {}).length > 0;
  if (isHeadless(spec) && !selects) {
    // Whoever makes the endpoints chooses their family.
    if (spec.ipFamilies === undefined) {
      spec.ipFamilyPolicy ??= 'RequireDualStack';
      spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? [has[0] ?? 'IPv4'] : both(has[0] ?? 'IPv4');
    } else spec.ipFamilyPolicy ??= spec.ipFamilies.length > 1 ? 'RequireDualStack' : 'SingleStack';
    return;
  }
  const named = addressesOf(spec).map(familyOf);
  if (named.length > 1 || (spec.ipFamilies ?? []).length > 1) spec.ipFamilyPolicy ??= 'RequireDualStack';
  spec.ipFamilyPolicy ??= 'SingleStack';
  if (spec.ipFamilyPolicy === 'RequireDualStack' && has.length < 2) {
    const why = 'this cluster is not configured for dual-stack services';
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (ALL.includes(family as IpFamily) && !has.includes(family as IpFamily)) {
      errors.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
    }
  }
  if (errors.length > 0) return;
  const families = (spec.ipFamilies ?? (named.length > 0 ? named : has.slice(0, 1))) as IpFamily[];
  const [first = 'IPv4'] = families;
  const wantsBoth = spec.ipFamilyPolicy !== 'SingleStack' && has.length > 1;
  spec.ipFamilies = wantsBoth && families.length === 1 ? both(first) : [...families];
}

/** Addresses that are named; what is none is for validation to say. */
const addressesOf = ({ clusterIPs, clusterIP }: ServiceSpec) =>
  (clusterIPs ?? [clusterIP ?? '']).filter((ip) => ip !== NONE && isIP(ip) !== 0);

const both = (first: IpFamily): IpFamily[] => [first, ...ALL.filter((family) => family !== first)];
