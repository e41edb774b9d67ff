/**
 * From what is to be done with a service's connections to the chains of iptables that do it. Pure.
 *
 * A service's address has one rule in the dispatching chain, which leads to a chain of the service's own; that one
 * picks a chain of one endpoint by chance. The cost of a packet grows with the number of services, as it does
 * wherever iptables is used: nftables has maps for it.
 */
import { createHash } from 'node:crypto';
import type { Backend, Family } from '../backends.ts';
import type { ServicePort, Treatment } from '../plan.ts';

/** What one service has in the tables. */
export interface ServiceChains {
  /** the rules of each chain of its own in `nat` */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** and in `filter` */
  readonly filterChains: ReadonlyMap<string, readonly string[]>;
  /** its rules in chains that services share; they stand in no order */
  readonly rules: readonly SharedRule[];
}

export interface SharedRule {
  readonly in: 'services' | 'node-ports' | 'refused' | 'postrouting';
  readonly rule: string;
}

/** Set on connections whose sender is to be replaced by the node. */
export const MASQUERADE = '-j CONNMARK --set-xmark 0x4000/0x4000';

const ID_LENGTH = 12;

/** @param prefix of all names of chains */
export type ChainsOf = (prefix: string, podCIDR: string, ports: readonly ServicePort[]) => ServiceChains;

export const chainsOf: ChainsOf = (prefix, podCIDR, ports) => {
  const chains = new Map<string, readonly string[]>();
  const rules: SharedRule[] = [];
  for (const port of ports) addPort({ prefix, podCIDR, chains, rules }, port);
  return { chains, filterChains: new Map(), rules };
};

interface Building {
  readonly prefix: string;
  readonly podCIDR: string;
  readonly chains: Map<string, readonly string[]>;
  readonly rules: SharedRule[];
}

function addPort(built: Building, port: ServicePort): void {
  const { protocol, internal, external, name, sourceRanges } = port;
  const id = idOf(`${name} ${protocol} ${port.port}`);
  const at = (number: number) => `-p ${protocol} -m ${protocol} --dport ${number} -m comment --comment "${name}"`;
  const inside = `${built.prefix}-SVC-${id}`;
  const outside = `${built.prefix}-EXT-${id}`;
  for (const ip of port.clusterIPs) addAddress(built, `-d ${host(ip)} ${at(port.port)}`, internal, inside);
  if (internal.to === 'backends') {
    // A client that is neither a pod nor on this node could not be answered directly.
    const mark = `! -s ${built.podCIDR} -m addrtype ! --src-type LOCAL ${MASQUERADE}`;
    built.chains.set(inside, [mark, ...picks(built, id, port, internal.backends)]);
  }
  for (const ip of port.externalIPs) addAddress(built, `-d ${host(ip)} ${at(port.port)}`, external, outside);
  for (const ip of port.balancerIPs) {
    const match = `-d ${host(ip)} ${at(port.port)}`;
    if (sourceRanges === undefined || external.to !== 'backends') addAddress(built, match, external, outside);
    else {
      for (const range of sourceRanges) addAddress(built, `-s ${range} ${match}`, external, outside);
      // Whom none of the ranges lets in still has the balancer's address as the destination.
      built.rules.push({ in: 'refused', rule: `${match} -j DROP` });
    }
  }
  if (port.nodePort !== undefined) {
    if (external.to === 'backends') {
      built.rules.push({ in: 'node-ports', rule: `${at(port.nodePort)} -j ${outside}` });
    } else addAddress(built, `-m addrtype --dst-type LOCAL ${at(port.nodePort)}`, external, outside);
  }
  const isReached = port.externalIPs.length + port.balancerIPs.length > 0 || port.nodePort !== undefined;
  if (external.to !== 'backends' || !isReached) return;
  built.chains.set(outside, [
    ...(external.keepsSource ? [] : [MASQUERADE]),
    ...picks(built, id, port, external.backends),
  ]);
}

function addAddress(built: Building, match: string, treatment: Treatment, chain: string): void {
  if (treatment.to === 'backends') built.rules.push({ in: 'services', rule: `${match} -j ${chain}` });
  else built.rules.push({ in: 'refused', rule: `${match} -j ${treatment.to === 'drop' ? 'DROP' : 'REJECT'}` });
}

/** Where a client was before; else each endpoint with the same chance. Adds the endpoints' chains. */
function picks(
  built: Building,
  id: string,
  { family, protocol, affinitySeconds }: ServicePort,
  backends: readonly Backend[],
): string[] {
  const chains = backends.map(({ ip, port }) => {
    const chain = `${built.prefix}-SEP-${idOf(`${id} ${ip} ${port}`)}`;
    const remember =
      affinitySeconds === undefined ? '' : `-m recent --name ${chain} --set --mask ${WHOLE[family]} --rsource `;
    built.chains.set(chain, [
      // A pod that reaches itself must not see its own address as the sender.
      `-s ${host(ip)} ${MASQUERADE}`,
      `-p ${protocol} ${remember}-m ${protocol} -j DNAT --to-destination ${targetOf(ip, port)}`,
    ]);
    return chain;
  });
  const before = affinitySeconds === undefined ? [] : chains;
  return [
    ...before.map(
      (chain) =>
        `-m recent --name ${chain} --rcheck --seconds ${affinitySeconds} --reap --mask ${WHOLE[family]} --rsource -j ${chain}`,
    ),
    ...chains.map((chain, i) => {
      const left = chains.length - i;
      const chance = left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
      return `${chance}-j ${chain}`;
    }),
  ];
}

/** The range of one address. */
export const host = (ip: string) => `${ip}/${ip.includes(':') ? 128 : 32}`;
/** An address and a port. */
export const targetOf = (ip: string, port: number) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

/** All of an address. */
const WHOLE: Readonly<Record<Family, string>> = {
  4: '255.255.255.255',
  6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
};

/** Names of chains may not be long. */
export const idOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, ID_LENGTH).toUpperCase();
