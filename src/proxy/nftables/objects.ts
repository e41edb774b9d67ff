/**
 * From what is to be done with a service's connections to the nftables objects that do it. Pure.
 *
 * A packet to a service is found in one map. Usually that sends it to a chain that puts the number of a backend into
 * its mark, and a second map has the backend of that number: the cost grows neither with the number of services nor
 * with that of their endpoints. Services with affinity have a chain for each backend, which remembers its clients.
 */
import { createHash } from 'node:crypto';
import type { Backend, Family } from '../backends.ts';
import type { Protocol, ServicePort, Treatment } from '../plan.ts';

/** An element of a set, or of a map where it has a value. */
export interface Element {
  readonly set: string;
  readonly key: string;
  readonly value?: string;
}

/** What one service has in the table. */
export interface ServiceObjects {
  readonly elements: readonly Element[];
  /** the rules of each chain */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** the definition of each set */
  readonly sets: ReadonlyMap<string, string>;
  /** for these numbers of backends there must be chains that pick */
  readonly sizes: ReadonlySet<number>;
}

/** Set on connections whose sender is to be replaced by the node. */
export const MASQUERADE = 'ct mark set ct mark or 0x4000';

interface Building {
  readonly syntax: Syntax;
  readonly elements: Element[];
  readonly chains: Map<string, readonly string[]>;
  readonly sets: Map<string, string>;
  readonly sizes: Set<number>;
}

/** Who is sent where, and how: each needs entries of its own. */
type Entrance = 'cluster' | 'external' | 'node';

/** How a family is written. */
export interface Syntax {
  /** of tables, headers and translations */
  readonly family: 'ip' | 'ip6';
  /** the type of its addresses */
  readonly address: string;
  readonly loopback: string;
  /** an address and a port */
  target(ip: string, port: number): string;
}

export const SYNTAX: Readonly<Record<Family, Syntax>> = {
  4: { family: 'ip', address: 'ipv4_addr', loopback: '127.0.0.0/8', target: (ip, port) => `${ip}:${port}` },
  6: { family: 'ip6', address: 'ipv6_addr', loopback: '::1', target: (ip, port) => `[${ip}]:${port}` },
};

/** @param ports all of one family */
export function objectsOf(ports: readonly ServicePort[]): ServiceObjects {
  const built: Building = {
    syntax: SYNTAX[ports[0]?.family ?? 4],
    elements: [],
    chains: new Map(),
    sets: new Map(),
    sizes: new Set(),
  };
  for (const port of ports) addPort(built, port);
  return built;
}

function addPort(built: Building, port: ServicePort): void {
  const { protocol, internal, external } = port;
  const id = idOf(port);
  for (const ip of port.clusterIPs) {
    built.elements.push({ set: 'cluster-ips', key: ip });
    addAddress(built, port, ip, internal, verdictOf(built, port, `${id}-in`, 'cluster', internal));
  }
  if (port.externalIPs.length > 0 || port.balancerIPs.length > 0) {
    const verdict = verdictOf(built, port, `${id}-ex`, 'external', external);
    for (const ip of port.externalIPs) addAddress(built, port, ip, external, verdict);
    const guarded = guard(built, id, port.sourceRanges, verdict);
    for (const ip of port.balancerIPs) addAddress(built, port, ip, external, guarded);
  }
  if (port.nodePort === undefined) return;
  const key = `${protocol} . ${port.nodePort}`;
  if (external.to === 'refuse') {
    built.elements.push({ set: 'refused-ports', key });
    return;
  }
  const verdict = verdictOf(built, port, `${id}-ex`, 'node', external);
  if (verdict !== undefined) built.elements.push({ set: 'node-ports', key, value: verdict });
  if (external.to !== 'backends' || port.affinitySeconds !== undefined) return;
  for (const [i, { ip, port: to }] of external.backends.entries()) {
    built.elements.push({ set: 'node-targets', key: `${key} . ${i}`, value: `${ip} . ${to}` });
  }
}

function addAddress(
  built: Building,
  { protocol, port, affinitySeconds }: ServicePort,
  ip: string,
  treatment: Treatment,
  verdict: string | undefined,
): void {
  const key = `${ip} . ${protocol} . ${port}`;
  if (treatment.to === 'refuse') {
    built.elements.push({ set: 'refused', key });
    return;
  }
  if (verdict !== undefined) built.elements.push({ set: 'services', key, value: verdict });
  if (treatment.to !== 'backends' || affinitySeconds !== undefined) return;
  for (const [i, backend] of treatment.backends.entries()) {
    built.elements.push({ set: 'targets', key: `${key} . ${i}`, value: `${backend.ip} . ${backend.port}` });
  }
}

/** Where a packet goes from the map; undefined where it is not to be found there. */
function verdictOf(
  built: Building,
  port: ServicePort,
  id: string,
  entrance: Entrance,
  treatment: Treatment,
): string | undefined {
  if (treatment.to === 'refuse') return undefined;
  if (treatment.to === 'drop') return 'drop';
  const { backends, keepsSource } = treatment;
  // A pod that reaches itself must not see its own address as the sender.
  for (const { ip } of backends) built.elements.push({ set: 'hairpins', key: `${ip} . ${ip}` });
  const kind = entrance === 'cluster' ? 'cluster' : keepsSource ? 'keep' : 'masquerade';
  if (port.affinitySeconds !== undefined) {
    const remembering = rememberingChain(built, id, port.protocol, backends, port.affinitySeconds);
    const chain = `${kind}-${remembering}`;
    built.chains.set(chain, [...preparation(built.syntax, kind), `goto ${remembering}`]);
    return `goto ${chain}`;
  }
  built.sizes.add(backends.length);
  return `goto ${pickChain(kind, entrance === 'node', backends.length)}`;
}

export const PREPARATIONS = ['cluster', 'keep', 'masquerade'] as const;
export type Preparation = (typeof PREPARATIONS)[number];

/** What is done before a backend is picked. `@inside` holds the addresses of pods. */
export function preparation({ family }: Syntax, kind: Preparation): readonly string[] {
  switch (kind) {
    case 'cluster':
      // A client that is neither a pod nor on this node could not be answered directly.
      return [`${family} saddr != @inside fib saddr type != local ${MASQUERADE}`];
    case 'keep':
      return [];
    case 'masquerade':
      return [MASQUERADE];
  }
}

export const pickChain = (kind: Preparation, node: boolean, size: number) =>
  `${node ? 'node-' : ''}${kind}-pick-${size}`;

/** A chain that sends a client where it was sent before, and its chains and sets. Returns its name. */
function rememberingChain(
  built: Building,
  id: string,
  protocol: Protocol,
  backends: readonly Backend[],
  seconds: number,
): string {
  const { family } = built.syntax;
  const name = `affinity-${id}-${seconds}`;
  if (built.chains.has(name)) return name;
  const targets = backends.map(({ ip, port }) => {
    const chain = `to-${id}-${seconds}-${ip}-${port}`.replaceAll(/[.:]/g, '-');
    built.sets.set(chain, `type ${built.syntax.address}; flags dynamic,timeout; timeout ${seconds}s;`);
    built.chains.set(chain, [
      `update @${chain} { ${family} saddr }`,
      `meta l4proto ${protocol} dnat ${family} to ${built.syntax.target(ip, port)}`,
    ]);
    return chain;
  });
  built.chains.set(name, [
    ...targets.map((chain) => `${family} saddr @${chain} goto ${chain}`),
    `numgen random mod ${targets.length} vmap { ${targets.map((chain, i) => `${i} : goto ${chain}`).join(', ')} }`,
  ]);
  return name;
}

/** Lets only some in. */
function guard(
  built: Building,
  id: string,
  ranges: readonly string[] | undefined,
  verdict: string | undefined,
): string | undefined {
  if (ranges === undefined || verdict === undefined || verdict === 'drop') return verdict;
  const chain = `guard-${id}`;
  built.chains.set(chain, [...ranges.map((range) => `${built.syntax.family} saddr ${range} ${verdict}`), 'drop']);
  return `goto ${chain}`;
}

const ID_LENGTH = 12;

function idOf({ name, protocol, port }: ServicePort): string {
  return createHash('sha256').update(`${name} ${protocol} ${port}`).digest('hex').slice(0, ID_LENGTH);
}
