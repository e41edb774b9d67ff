/**
 * From the nodes of the API to what this node's kernel must know to reach the pods of the others. Pure.
 *
 * With `vxlan` a packet for a pod of another node goes to that node's tunnel address, whose MAC is known from the node's
 * annotation, and whose place is the node's own address: nothing is learned, nothing is flooded. With `host-gw` the other
 * node is simply the next hop.
 */
import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { Node } from '../../apis/core/node.ts';

/** How pods of different nodes reach each other; `none`: that is somebody else's matter. */
export const NETWORK_MODES = ['vxlan', 'host-gw', 'none'] as const;
export type NetworkMode = (typeof NETWORK_MODES)[number];

export interface Here {
  readonly nodeName: string;
  readonly mode: NetworkMode;
  /** of the tunnel's device, at most 15 characters */
  readonly device: string;
  /** tells the tunnels of several clusters apart: 1 to 2^24 - 1, the same on all nodes of a cluster */
  readonly vni: number;
}

export interface Tunnel {
  readonly name: string;
  readonly vni: number;
  readonly mac: string;
  /** the node's own address */
  readonly local: string;
  /** of the device */
  readonly addresses: readonly string[];
}

export interface Route {
  /** in CIDR notation */
  readonly to: string;
  readonly via: string;
  /** undefined: where the next hop is found by the other routes */
  readonly device?: string;
}

export interface Neighbour {
  readonly ip: string;
  readonly mac: string;
}

export interface Forwarding {
  readonly mac: string;
  /** the node that the MAC is on */
  readonly to: string;
}

/** Without a tunnel where there is nobody to reach through it. */
export interface RoutePlan {
  readonly tunnel: Tunnel | undefined;
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly forwarding: readonly Forwarding[];
}

/** On a node: the MAC of its end of the tunnel. */
export const TUNNEL_ANNOTATION = 'network.kubets.io/tunnel-mac';

const NOTHING: RoutePlan = { tunnel: undefined, routes: [], neighbours: [], forwarding: [] };

/** @param nodes all of the cluster, this one among them */
export function planRoutes(nodes: readonly Node[], here: Here): RoutePlan {
  if (here.mode === 'none') return NOTHING;
  const own = nodes.find((node) => node.metadata?.name === here.nodeName);
  const local = own && addressOf(own);
  const ranges = own === undefined ? [] : rangesOf(own);
  if (local === undefined || ranges.length === 0) return NOTHING;
  const others = nodes.filter((node) => node !== own && addressOf(node) !== undefined && rangesOf(node).length > 0);
  others.sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  if (here.mode === 'host-gw') {
    return { ...NOTHING, routes: others.flatMap((node) => directRoutes(node)) };
  }
  const reached = others.flatMap((node) => {
    const mac = macOf(node);
    return mac === undefined ? [] : [{ node, mac, at: addressOf(node) as string }];
  });
  if (reached.length === 0) return NOTHING;
  const families = new Set(ranges.map(familyOf));
  const ends = reached.flatMap(({ node, mac }) =>
    rangesOf(node)
      .filter((range) => families.has(familyOf(range)))
      .map((range) => ({ range, mac, end: tunnelAddress(range) })),
  );
  return {
    tunnel: {
      name: here.device,
      vni: here.vni,
      mac: tunnelMac(here.nodeName, here.vni),
      local,
      addresses: ranges.map((range) => `${tunnelAddress(range)}/${isIPv6(tunnelAddress(range)) ? 128 : 32}`),
    },
    routes: ends.map(({ range, end }) => ({ to: range, via: end, device: here.device })),
    neighbours: ends.map(({ end, mac }) => ({ ip: end, mac })),
    forwarding: reached.map(({ mac, at }) => ({ mac, to: at })),
  };
}

/** The MAC of a node's end of the tunnel: the same after every start, and no other node's. */
export function tunnelMac(nodeName: string, vni: number): string {
  const hash = createHash('sha256').update(`${vni} ${nodeName}`).digest();
  // Locally administered, for one receiver.
  const first = ((hash[0] ?? 0) & 0xfc) | 0x02;
  return [first, ...hash.subarray(1, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The number of a cluster's tunnel, from what only this cluster has. */
export function tunnelNumber(seed: string): number {
  return (createHash('sha256').update(seed).digest().readUIntBE(0, 3) % (2 ** 24 - 1)) + 1;
}

function directRoutes(node: Node): Route[] {
  return rangesOf(node).flatMap((range) => {
    const via = addressesOf(node).find((address) => familyOf(address) === familyOf(range));
    return via === undefined ? [] : [{ to: range, via }];
  });
}

/** The first address of a node's range, which no pod gets: its bridge has the next. */
const tunnelAddress = (range: string) => range.slice(0, range.indexOf('/'));

const familyOf = (text: string) => (text.includes(':') ? 6 : 4);
const RANGE = /^[0-9a-f.:]+\/\d{1,3}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Nothing of an object comes into a command that is not what it should be. */
function rangesOf({ spec }: Node): readonly string[] {
  const ranges = spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]);
  return ranges.filter((range) => RANGE.test(range) && isAddress(tunnelAddress(range)));
}

const isAddress = (text: string) => isIPv4(text) || isIPv6(text);

const addressesOf = ({ status }: Node) =>
  (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' && isAddress(address) ? [address] : [],
  );

const addressOf = (node: Node): string | undefined => addressesOf(node)[0];

function macOf({ metadata }: Node): string | undefined {
  const mac = metadata?.annotations?.[TUNNEL_ANNOTATION];
  return mac !== undefined && MAC.test(mac) ? mac : undefined;
}
