import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../apis/core/node.ts';
import { type Commands, difference, type KernelState } from './kernel.ts';
import { type Here, planRoutes, type RoutePlan, TUNNEL_ANNOTATION, tunnelMac, tunnelNumber } from './plan.ts';

const HERE: Here = { nodeName: 'a', mode: 'vxlan', device: 'kubets0-vx', vni: 77 };

interface Told {
  readonly ip?: string;
  readonly ranges?: readonly string[];
  readonly mac?: string | undefined;
}
const node = (name: string, number: number, told: Told = {}): Node => ({
  metadata: {
    name,
    annotations:
      'mac' in told && told.mac === undefined ? {} : { [TUNNEL_ANNOTATION]: told.mac ?? tunnelMac(name, 77) },
  },
  spec: { podCIDRs: [...(told.ranges ?? [`10.244.${number}.0/24`])] },
  status: { addresses: [{ type: 'InternalIP', address: told.ip ?? `192.0.2.${number}` }] },
});

describe('the way to other nodes', () => {
  it('is a tunnel to each that says where its end is', () => {
    const silent = node('c', 3, { mac: undefined });
    expect(planRoutes([node('b', 2), silent, node('a', 1)], HERE)).toEqual({
      tunnel: {
        name: 'kubets0-vx',
        vni: 77,
        mac: tunnelMac('a', 77),
        local: '192.0.2.1',
        addresses: ['10.244.1.0/32'],
      },
      routes: [{ to: '10.244.2.0/24', via: '10.244.2.0', device: 'kubets0-vx' }],
      neighbours: [{ ip: '10.244.2.0', mac: tunnelMac('b', 77) }],
      forwarding: [{ mac: tunnelMac('b', 77), to: '192.0.2.2' }],
    });
  });

  it('is the node itself, where all are on one link', () => {
    const plan = planRoutes([node('b', 2), node('a', 1)], { ...HERE, mode: 'host-gw' });
    expect(plan).toMatchObject({
      tunnel: undefined,
      routes: [{ to: '10.244.2.0/24', via: '192.0.2.2' }],
      neighbours: [],
    });
  });

  it('is there for both families', () => {
    const ranges = (n: number) => [`10.244.${n}.0/24`, `fd00:${n}::/64`];
    const plan = planRoutes([node('a', 1, { ranges: ranges(1) }), node('b', 2, { ranges: ranges(2) })], HERE);
    expect(plan.tunnel?.addresses).toEqual(['10.244.1.0/32', 'fd00:1::/128']);
    expect(plan.routes.map(({ to, via }) => `${to} ${via}`)).toEqual([
      '10.244.2.0/24 10.244.2.0',
      'fd00:2::/64 fd00:2::',
    ]);
  });

  it.each<[string, Node[], Partial<Here>]>([
    ['a node alone', [node('a', 1)], {}],
    ['a node that is not registered', [node('b', 2)], {}],
    ['a node without a range', [node('a', 1, { ranges: [] }), node('b', 2)], {}],
    ['a network of somebody else', [node('a', 1), node('b', 2)], { mode: 'none' }],
    ['a MAC that is none', [node('a', 1), node('b', 2, { mac: 'x; reboot' })], {}],
    ['an address that is none', [node('a', 1), node('b', 2, { ip: 'b' })], {}],
    ['a range that is none', [node('a', 1), node('b', 2, { ranges: ['10.244.2.0/24 via 1.1.1.1'] })], {}],
  ])('is not there for %s', (_what, nodes, more) => {
    expect(planRoutes(nodes, { ...HERE, ...more })).toMatchObject({ tunnel: undefined, routes: [], forwarding: [] });
  });

  it('has a number and MACs that a tunnel can have', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (seed, name) => {
        const vni = tunnelNumber(seed);
        expect(vni).toBeGreaterThan(0);
        expect(vni).toBeLessThan(2 ** 24);
        expect(Number.parseInt(tunnelMac(name, vni).slice(0, 2), 16) & 3).toBe(2);
      }),
    );
  });
});

const EMPTY: KernelState = {
  tunnel: undefined,
  linkMtu: 1500,
  routes: new Set(),
  neighbours: new Set(),
  forwarding: new Set(),
};

/** A kernel that does what it is told, and refuses what a kernel would refuse. */
function carriedOut(state: KernelState, { ip, bridge }: Commands): KernelState {
  let tunnel = state.tunnel && { ...state.tunnel, addresses: [...state.tunnel.addresses] };
  const routes = new Set(state.routes);
  const neighbours = new Set(state.neighbours);
  const forwarding = new Set(state.forwarding);
  const there = () => {
    if (tunnel === undefined) throw new Error('there is no device');
    return tunnel;
  };
  for (const line of [...ip, ...bridge]) {
    const words = line.split(' ');
    const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
    const [what, how, which = ''] = words;
    const route = words.slice(2, words.indexOf('proto')).join(' ').replace(' onlink', '');
    switch (`${what} ${how}`) {
      case 'link add':
        if (tunnel !== undefined) throw new Error('there is a device');
        tunnel = {
          vni: Number(after('id')),
          mac: after('address'),
          local: after('local'),
          port: Number(after('dstport')),
          mtu: Number(after('mtu')),
          up: false,
          addresses: [],
        };
        break;
      case 'link delete':
        there();
        tunnel = undefined;
        for (const text of routes) if (text.includes(' dev ')) routes.delete(text);
        neighbours.clear();
        forwarding.clear();
        break;
      case 'link set':
        if (words.includes('up')) tunnel = { ...there(), up: true };
        else tunnel = { ...there(), mtu: Number(after('mtu')) };
        break;
      case 'address replace':
        there().addresses.push(which);
        break;
      case 'address delete':
        there().addresses.splice(there().addresses.indexOf(which), 1);
        break;
      case 'route replace':
        if (route.includes(' dev ')) there();
        for (const text of routes) if (text.split(' ')[0] === route.split(' ')[0]) routes.delete(text);
        routes.add(route);
        break;
      case 'route delete':
        if (!routes.delete(route)) throw new Error(`no such route: ${route}`);
        break;
      case 'neighbour replace':
        for (const text of neighbours) if (text.startsWith(`${which} `)) neighbours.delete(text);
        neighbours.add(`${which} ${after('lladdr')}`);
        break;
      case 'neighbour delete':
        for (const text of neighbours) if (text.startsWith(`${which} `)) neighbours.delete(text);
        break;
      case 'fdb append':
        forwarding.add(`${which} ${after('dst')}`);
        break;
      case 'fdb delete':
        if (!forwarding.delete(`${which} ${after('dst')}`)) throw new Error(`no such entry: ${line}`);
        break;
      default:
        throw new Error(line);
    }
  }
  return { ...state, tunnel, routes, neighbours, forwarding };
}

function shown(state: KernelState): unknown {
  const { tunnel, routes, neighbours, forwarding } = state;
  return {
    tunnel: tunnel && { ...tunnel, addresses: [...tunnel.addresses].sort() },
    routes: [...routes].sort(),
    neighbours: [...neighbours].sort(),
    forwarding: [...forwarding].sort(),
  };
}

/** Nodes whose names, ranges and places may be anybody's. */
const worlds = fc
  .record({
    mode: fc.constantFrom('vxlan' as const, 'host-gw' as const, 'none' as const),
    vni: fc.constantFrom(77, 78),
    mtu: fc.constantFrom(1500, 1400),
    own: fc.nat(2),
    others: fc.uniqueArray(fc.tuple(fc.constantFrom('b', 'c', 'd', 'e'), fc.nat(5), fc.nat(5)), {
      selector: ([name]) => name,
    }),
  })
  .map(({ mode, vni, mtu, own, others }) => {
    // A range belongs to one node.
    const ranges = new Map(others.map(([name, range]) => [range, name]));
    const nodes = others
      .filter(([name, range]) => ranges.get(range) === name)
      .map(([name, range, at]) => node(name, range + 10, { ip: `192.0.2.${at + 10}` }));
    const plan = planRoutes([node('a', own), ...nodes], { ...HERE, mode, vni });
    return { plan, mtu };
  });

describe('the commands', () => {
  const step = (state: KernelState, plan: RoutePlan) => carriedOut(state, difference(HERE.device, plan, state));

  it('lead from whatever there is to what there should be, and then there are none', () => {
    fc.assert(
      fc.property(fc.array(worlds, { minLength: 1, maxLength: 5 }), (steps) => {
        let state = EMPTY;
        for (const { plan, mtu } of steps) {
          state = step({ ...state, linkMtu: mtu }, plan);
          expect(shown(state)).toEqual(shown(step({ ...EMPTY, linkMtu: mtu }, plan)));
          expect(difference(HERE.device, plan, state)).toEqual({ ip: [], bridge: [] });
        }
      }),
    );
  });

  it('leave the tunnel alone when others come and go', () => {
    const before = step(EMPTY, planRoutes([node('a', 1), node('b', 2)], HERE));
    const { ip, bridge } = difference(HERE.device, planRoutes([node('a', 1), node('c', 3)], HERE), before);
    expect([...ip, ...bridge].filter((line) => line.startsWith('link'))).toEqual([]);
    expect(ip).toContain('route delete 10.244.2.0/24 via 10.244.2.0 dev kubets0-vx proto 118');
    expect(ip).toContain('route replace 10.244.3.0/24 via 10.244.3.0 dev kubets0-vx onlink proto 118');
  });

  it('are such as the kernel takes', () => {
    const both = [node('a', 1), node('b', 2), node('c', 3)];
    const { ip, bridge } = difference(HERE.device, planRoutes(both, HERE), EMPTY);
    const script = [
      'set -e',
      'ip link set lo up',
      'ip link add eth0 type veth peer name eth1',
      'ip address add 192.0.2.1/24 dev eth0',
      'ip link set eth0 up',
      `ip -batch - <<END\n${ip.join('\n')}\nEND`,
      `bridge -batch - <<END\n${bridge.join('\n')}\nEND`,
      'ip route get 10.244.3.9',
    ].join('\n');
    const result = spawnSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain('10.244.3.9 via 10.244.3.0 dev kubets0-vx src 10.244.1.0');
  });
});
