/**
 * What the kernel knows of the way to other nodes' pods, and the commands that bring it from what it knows to a plan.
 *
 * Source: ip-link(8), ip-route(8), ip-neighbour(8), bridge(8)
 */
import { spawn } from 'node:child_process';
import { type Cidr, contains, parseCidr } from '../../apis/networking/cidr.ts';
import type { RoutePlan, Tunnel } from './plan.ts';

/** In the outer packet: Ethernet, IP, UDP and VXLAN headers. IPv6's is longer. */
const OVERHEAD = { 4: 50, 6: 70 } as const;
/** As Linux and others have it; the number that was assigned later is taken by more. */
const PORT = 8472;
/** Marks our routes, so that no other's are taken away (rtnetlink(7), RTPROT). */
const ROUTE_PROTOCOL = 118;

/** What is there now. */
export interface KernelState {
  readonly tunnel:
    | (Omit<Tunnel, 'name'> & { readonly mtu: number; readonly port: number; readonly up: boolean })
    | undefined;
  /** of the link that has the node's address */
  readonly linkMtu: number | undefined;
  /** `CIDR via ADDRESS [dev DEVICE]` */
  readonly routes: ReadonlySet<string>;
  /** `ADDRESS MAC` */
  readonly neighbours: ReadonlySet<string>;
  /** `MAC ADDRESS` */
  readonly forwarding: ReadonlySet<string>;
}

/** Lines for `ip -batch` and `bridge -batch`, in this order. */
export interface Commands {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

/** How large a packet within the tunnel may be. */
export function tunnelMtu(linkMtu: number, local: string): number {
  return linkMtu - OVERHEAD[local.includes(':') ? 6 : 4];
}

/** The commands of the difference. @param name of the tunnel's device, whether it is there or not */
export function difference(name: string, plan: RoutePlan, state: KernelState): Commands {
  const { tunnel } = plan;
  const ip: string[] = [];
  const mtu = tunnel && tunnelMtu(state.linkMtu ?? 1500, tunnel.local);
  const fits = tunnel !== undefined && state.tunnel !== undefined && isSameTunnel(tunnel, state.tunnel);
  // What goes with a device need not be taken away.
  const kept = fits
    ? state
    : { ...state, routes: withoutDevice(state.routes, name), neighbours: NONE, forwarding: NONE };
  if (state.tunnel !== undefined && !fits) ip.push(`link delete ${name}`);
  if (tunnel !== undefined && !fits) {
    ip.push(
      `link add ${name} address ${tunnel.mac} mtu ${mtu} type vxlan id ${tunnel.vni} dstport ${PORT} local ${tunnel.local} nolearning`,
    );
  }
  if (tunnel !== undefined) {
    if (fits && state.tunnel?.mtu !== mtu) ip.push(`link set ${name} mtu ${mtu}`);
    const addresses = fits ? (state.tunnel?.addresses ?? []) : [];
    for (const old of addresses) if (!tunnel.addresses.includes(old)) ip.push(`address delete ${old} dev ${name}`);
    for (const own of tunnel.addresses) {
      if (!addresses.includes(own)) ip.push(`address replace ${own} dev ${name}${own.includes(':') ? ' nodad' : ''}`);
    }
    if (!fits || state.tunnel?.up !== true) ip.push(`link set ${name} up`);
  }
  const neighbours = new Set(plan.neighbours.map(({ ip: address, mac }) => `${address} ${mac}`));
  const routes = new Set(plan.routes.map(({ to, via, device }) => routeText(to, via, device)));
  const forwarding = new Set(plan.forwarding.map(({ mac, to }) => `${mac} ${to}`));
  const bridge: string[] = [];
  // A pod's address may have moved to another node: what is wrong goes before what is right comes.
  for (const text of minus(kept.routes, routes)) ip.push(`route delete ${text} proto ${ROUTE_PROTOCOL}`);
  for (const text of minus(kept.neighbours, neighbours)) ip.push(`neighbour delete ${text.split(' ')[0]} dev ${name}`);
  for (const text of minus(kept.forwarding, forwarding)) {
    const [mac, to] = text.split(' ');
    bridge.push(`fdb delete ${mac} dev ${name} dst ${to} self`);
  }
  for (const text of minus(neighbours, kept.neighbours)) {
    const [address, mac] = text.split(' ');
    ip.push(`neighbour replace ${address} lladdr ${mac} dev ${name} nud permanent`);
  }
  for (const text of minus(forwarding, kept.forwarding)) {
    const [mac, to] = text.split(' ');
    bridge.push(`fdb append ${mac} dev ${name} dst ${to} self permanent`);
  }
  for (const text of minus(routes, kept.routes)) {
    ip.push(`route replace ${text}${text.includes(' dev ') ? ' onlink' : ''} proto ${ROUTE_PROTOCOL}`);
  }
  return { ip, bridge };
}

const NONE: ReadonlySet<string> = new Set();

const routeText = (to: string, via: string, device: string | undefined) =>
  device === undefined ? `${to} via ${via}` : `${to} via ${via} dev ${device}`;

const minus = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [...a].filter((text) => !b.has(text));

const withoutDevice = (routes: ReadonlySet<string>, device: string) =>
  new Set([...routes].filter((text) => !text.endsWith(` dev ${device}`)));

function isSameTunnel(wanted: Tunnel, found: NonNullable<KernelState['tunnel']>): boolean {
  return found.vni === wanted.vni && found.mac === wanted.mac && found.local === wanted.local && found.port === PORT;
}

// --- reading and writing ------------------------------------------------------------------------

interface LinkJson {
  readonly ifname?: string;
  readonly mtu?: number;
  readonly address?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number; readonly scope?: string }[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: {
      readonly id?: number;
      readonly port?: number;
      readonly local?: string;
      readonly local6?: string;
    };
  };
}
interface RouteJson {
  readonly dst?: string;
  readonly gateway?: string;
  readonly dev?: string;
}
interface NeighbourJson {
  readonly dst?: string;
  readonly lladdr?: string;
}
interface ForwardingJson {
  readonly mac?: string;
  readonly dst?: string;
}

export interface Selection {
  /** of the tunnel's device */
  readonly device: string;
  /** whose link's MTU counts */
  readonly nodeIP: string;
  /** of all pods of the cluster: routes to elsewhere are those of other clusters */
  readonly clusterCIDRs: readonly string[];
}

/** @throws Error with what the programs say */
export async function readKernel({ device: name, nodeIP, clusterCIDRs }: Selection): Promise<KernelState> {
  const [links, routes4, routes6] = await Promise.all([
    json<LinkJson>('ip', ['-d', 'address', 'show']),
    json<RouteJson>('ip', ['-4', 'route', 'show', 'proto', String(ROUTE_PROTOCOL)]),
    json<RouteJson>('ip', ['-6', 'route', 'show', 'proto', String(ROUTE_PROTOCOL)]),
  ]);
  const device = links.find((link) => link.ifname === name);
  const [neighbours, forwarding] =
    device === undefined
      ? [[], []]
      : await Promise.all([
          json<NeighbourJson>('ip', ['neighbour', 'show', 'dev', name, 'nud', 'permanent']),
          json<ForwardingJson>('bridge', ['fdb', 'show', 'dev', name]),
        ]);
  return {
    tunnel: device && tunnelOf(device),
    linkMtu: mtuOf(links, nodeIP),
    routes: new Set(
      [...routes4, ...routes6]
        .filter(({ dst = '', dev }) => dev === name || isWithin(dst, clusterCIDRs))
        // Only the tunnel's routes say where they go: those of the nodes' network follow the next hop.
        .map(({ dst = '', gateway = '', dev }) => routeText(dst, gateway, dev === name ? dev : undefined)),
    ),
    neighbours: new Set(neighbours.map(({ dst = '', lladdr = '' }) => `${dst} ${lladdr}`)),
    forwarding: new Set(forwarding.flatMap(({ mac = '', dst }) => (dst === undefined ? [] : [`${mac} ${dst}`]))),
  };
}

function isWithin(range: string, outer: readonly string[]): boolean {
  const inner = parseCidr(range);
  if (inner === undefined) return false;
  return outer.map(parseCidr).some((one: Cidr | undefined) => one !== undefined && contains(one, inner));
}

function tunnelOf({ linkinfo, address = '', mtu = 0, addr_info = [], flags = [] }: LinkJson): KernelState['tunnel'] {
  const { id = 0, port = 0, local, local6 } = linkinfo?.info_data ?? {};
  return {
    vni: id,
    port,
    local: local ?? local6 ?? '',
    mac: address,
    mtu,
    up: flags.includes('UP'),
    addresses: addr_info.flatMap(({ local: own = '', prefixlen = 0, scope }) =>
      scope === 'link' ? [] : [`${own}/${prefixlen}`],
    ),
  };
}

function mtuOf(links: readonly LinkJson[], nodeIP: string): number | undefined {
  return links.find(({ addr_info = [] }) => addr_info.some(({ local }) => local === nodeIP))?.mtu;
}

/** The MTU of the link that has an address; undefined where none has it. @throws Error with what ip says */
export async function linkMtu(nodeIP: string): Promise<number | undefined> {
  return mtuOf(await json<LinkJson>('ip', ['address', 'show']), nodeIP);
}

/** Carries commands out; those that can be are, even where one fails. @throws Error with what was said */
export async function apply({ ip, bridge }: Commands): Promise<void> {
  // The device must be there before what is on it.
  const failures: string[] = [];
  for (const [program, lines] of [
    ['ip', ip],
    ['bridge', bridge],
  ] as const) {
    if (lines.length === 0) continue;
    await run(program, ['-force', '-batch', '-'], `${lines.join('\n')}\n`).catch((error: Error) =>
      failures.push(error.message),
    );
  }
  if (failures.length > 0) throw new Error(failures.join('; '));
}

async function json<T>(program: string, args: readonly string[]): Promise<T[]> {
  const text = await run(program, ['-json', ...args], '');
  return text.trim() === '' ? [] : (JSON.parse(text) as T[]);
}

function run(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 2000) said += chunk.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'));
      else reject(new Error(`${program} ${args.join(' ')}: ${said.trim() || `exit ${code}`}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
