/**
 * From network policies to what each pod of this node may exchange with whom. Pure.
 * Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../apis/networking/networkPolicy.ts';
import { type Labels, matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';

export interface PolicyWorld {
  readonly policies: readonly NetworkPolicy[];
  readonly pods: readonly Pod[];
  /** labels of namespaces, by name */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly nodeName: string;
  /** What answers as a pod though it is none: the cluster's own servers. */
  readonly servers: readonly Server[];
}

export interface Server {
  readonly namespace: string;
  readonly labels: Labels;
  readonly ip: string;
  /** by the port at which clients see it, the one at which it listens */
  readonly ports: ReadonlyMap<number, number>;
}

export type Direction = 'ingress' | 'egress';

/** What one rule of a policy allows. */
export interface Allowed {
  /** undefined: everybody */
  readonly peers: readonly Peers[] | undefined;
  /** undefined: every port */
  readonly ports: readonly Ports[] | undefined;
}

export type Peers =
  | { readonly kind: 'addresses'; readonly ips: readonly string[] }
  | { readonly kind: 'range'; readonly cidr: string; readonly except: readonly string[] };

export type Ports =
  | { readonly kind: 'numbers'; readonly protocol: string; readonly first?: number; readonly last?: number }
  /** of a pod each: what a name stands for there */
  | { readonly kind: 'sockets'; readonly sockets: readonly Socket[] };

export interface Socket {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

export interface PolicyChain {
  readonly name: string;
  readonly allowed: readonly Allowed[];
}

export interface PolicyPlan {
  readonly chains: readonly PolicyChain[];
  /** by direction and address of a pod that policies are for: the names of their chains */
  readonly guarded: Readonly<Record<Direction, ReadonlyMap<string, readonly string[]>>>;
}

interface Place {
  readonly namespace: string;
  readonly labels: Labels;
  readonly ips: readonly string[];
  readonly pod?: Pod;
  readonly server?: Server;
}

/** A pod's addresses of one family are guarded by themselves: packets are of one of them. */
export type Family = 4 | 6;

export function planPolicies(world: PolicyWorld, family: Family): PolicyPlan {
  const places = [
    ...world.pods.flatMap((pod) => placeOf(pod, family)),
    ...world.servers.filter(({ ip }) => familyOf(ip) === family).map(placeOfServer),
  ];
  const chains: PolicyChain[] = [];
  const guarded = { ingress: new Map<string, string[]>(), egress: new Map<string, string[]>() };
  for (const policy of world.policies) {
    const selector = selectorFrom(policy.spec?.podSelector ?? {});
    const namespace = policy.metadata?.namespace ?? '';
    if (selector === undefined) continue;
    const chosen = places.filter(
      (place) =>
        place.pod?.spec?.nodeName === world.nodeName &&
        place.namespace === namespace &&
        matchesLabels(selector, place.labels),
    );
    if (chosen.length === 0) continue;
    for (const direction of ['ingress', 'egress'] as const) {
      if (!(policy.spec?.policyTypes ?? ['Ingress']).includes(direction === 'ingress' ? 'Ingress' : 'Egress')) continue;
      const name = `${direction}-${policy.metadata?.uid ?? ''}`;
      chains.push({ name, allowed: allowedBy(policy, direction, places, chosen, world, family) });
      for (const ip of chosen.flatMap(({ ips }) => ips)) {
        const names = guarded[direction].get(ip);
        if (names === undefined) guarded[direction].set(ip, [name]);
        else names.push(name);
      }
    }
  }
  return { chains, guarded };
}

/** A pod with an address of its own that is not over. */
function placeOf(pod: Pod, family: Family): Place[] {
  const { status, spec, metadata } = pod;
  if (spec?.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  const ips = (status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => familyOf(ip) === family);
  return ips.length === 0 ? [] : [{ namespace: metadata?.namespace ?? '', labels: metadata?.labels ?? {}, ips, pod }];
}

const placeOfServer = (server: Server): Place => {
  const { namespace, labels, ip } = server;
  return { namespace, labels, ips: [ip], server };
};

function allowedBy(
  policy: NetworkPolicy,
  direction: Direction,
  places: readonly Place[],
  chosen: readonly Place[],
  world: PolicyWorld,
  family: Family,
): Allowed[] {
  const namespace = policy.metadata?.namespace ?? '';
  const rules =
    direction === 'ingress'
      ? (policy.spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (policy.spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return rules.flatMap(({ peers = [], ports = [] }): Allowed[] => {
    const found = peers.length === 0 ? undefined : peers.map((peer) => peersOf(peer, namespace, places, world, family));
    // A name is looked up in the pods that are reached.
    const reached = direction === 'ingress' ? chosen : (found?.flatMap((f) => f.places) ?? places);
    const allowed: Allowed = {
      peers: found?.map((f) => f.peers),
      ports: ports.length === 0 ? undefined : ports.map((port) => portsOf(port, reached)),
    };
    return direction === 'egress' ? [allowed, ...serversOf(reached, ports)] : [allowed];
  });
}

function peersOf(
  { ipBlock, podSelector, namespaceSelector }: NetworkPolicyPeer,
  namespace: string,
  places: readonly Place[],
  world: PolicyWorld,
  family: Family,
): { peers: Peers; places: readonly Place[] } {
  if (ipBlock !== undefined) {
    const { cidr, except = [] } = ipBlock;
    const peers: Peers =
      familyOf(cidr) === family
        ? { kind: 'range', cidr, except: except.filter((range) => familyOf(range) === family) }
        : { kind: 'addresses', ips: [] };
    return { peers, places: [] };
  }
  const pods = selectorFrom(podSelector ?? {});
  const spaces = namespaceSelector === undefined ? undefined : selectorFrom(namespaceSelector);
  const found = places.filter((place) => {
    const inside =
      namespaceSelector === undefined
        ? place.namespace === namespace
        : spaces !== undefined && matchesLabels(spaces, world.namespaces.get(place.namespace));
    return inside && pods !== undefined && matchesLabels(pods, place.labels);
  });
  return { peers: { kind: 'addresses', ips: found.flatMap(({ ips }) => ips) }, places: found };
}

function portsOf({ protocol = 'TCP', port, endPort }: NetworkPolicyPort, reached: readonly Place[]): Ports {
  const proto = protocol.toLowerCase();
  if (port === undefined) return { kind: 'numbers', protocol: proto };
  if (typeof port === 'number') return { kind: 'numbers', protocol: proto, first: port, last: endPort ?? port };
  const sockets = reached.flatMap(({ pod, ips }) =>
    (pod?.spec?.containers ?? [])
      .flatMap((container) => container.ports ?? [])
      .filter((p) => p.name === port && (p.protocol ?? 'TCP') === protocol)
      .flatMap((p) => ips.map((ip) => ({ ip, protocol: proto, port: p.containerPort }))),
  );
  return { kind: 'sockets', sockets };
}

/** A server listens at another port than its clients see: where that one is allowed, so is the other. */
function serversOf(reached: readonly Place[], ports: readonly NetworkPolicyPort[]): Allowed[] {
  const sockets = reached.flatMap(({ server }) =>
    [...(server?.ports ?? [])].flatMap(([seen, port]) =>
      ports
        .filter(({ port: first, endPort }) => typeof first === 'number' && first <= seen && seen <= (endPort ?? first))
        .map(({ protocol = 'TCP' }) => ({ ip: server?.ip ?? '', protocol: protocol.toLowerCase(), port })),
    ),
  );
  return sockets.length === 0 ? [] : [{ peers: undefined, ports: [{ kind: 'sockets', sockets }] }];
}

const familyOf = (text: string): Family => (text.includes(':') ? 6 : 4);
