import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Stored } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import { START, TinyWorld } from '../testing/objects.ts';
import { planEndpoints } from './endpointsPlan.ts';
import { planEndpointSlices } from './plan.ts';

interface PodOptions {
  readonly ready?: boolean;
  readonly going?: boolean;
  readonly phase?: string;
  readonly ips?: readonly string[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly hostname?: string;
}

function podOf(world: TinyWorld, name: string, options: PodOptions = {}): Stored<Pod> {
  const { ready = true, going = false, phase = 'Running', ips = [`10.0.0.${name}`], ports = [], hostname } = options;
  return world.put<Pod>(pods, {
    metadata: { name, uid: `pod-${name}`, ...(going ? { deletionTimestamp: formatTime(START) } : {}) },
    spec: {
      containers: [{ name: 'c', ports: ports.map((p) => ({ ...p, protocol: 'TCP' })) }],
      nodeName: 'n1',
      ...(hostname === undefined ? {} : { hostname, subdomain: 'web' }),
    },
    status: {
      phase,
      ...(ips.length === 0 ? {} : { podIPs: ips.map((ip) => ({ ip })) }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  });
}

function setUp(spec: Partial<NonNullable<Service['spec']>> = {}) {
  const world = new TinyWorld();
  const service = world.put<Service>(services, {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  });
  const plan = () =>
    planEndpointSlices({
      service,
      pods: world.list(pods),
      slices: world.list(endpointSlices),
      zoneOf: (node) => (node === 'n1' ? 'east' : undefined),
      zoneShares: () => undefined,
    });
  const step = () => {
    const actions = plan();
    world.carryOut({ actions });
    return actions.map((a) => a.verb);
  };
  return { world, service, plan, step, slices: () => world.list(endpointSlices) };
}

const endpointsOf = (slices: readonly EndpointSlice[]) => slices.flatMap((s) => s.endpoints ?? []);

describe('endpoint slices', () => {
  it('tell of each pod where it is and how it does', () => {
    const { world, step, slices } = setUp();
    podOf(world, '1');
    podOf(world, '2', { ready: false });
    podOf(world, '3', { going: true });
    podOf(world, '4', { phase: 'Failed' });
    podOf(world, '5', { ips: [] });
    podOf(world, '6', { hostname: 'six' });
    step();
    expect(endpointsOf(slices())).toMatchObject([
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'n1',
        zone: 'east',
        targetRef: { kind: 'Pod', name: '1', uid: 'pod-1' },
      },
      { addresses: ['10.0.0.2'], conditions: { ready: false, serving: false, terminating: false } },
      { addresses: ['10.0.0.3'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.0.0.6'], hostname: 'six' },
    ]);
    expect(step()).toEqual([]);
  });

  it('have one for each set of ports that pods have under a name', () => {
    const { world, step, slices } = setUp({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
    podOf(world, '1', { ports: [{ name: 'web', containerPort: 8080 }] });
    podOf(world, '2', { ports: [{ name: 'web', containerPort: 9090 }] });
    podOf(world, '3');
    step();
    expect(slices().map((s) => [s.ports?.[0]?.port, endpointsOf([s])[0]?.addresses])).toEqual([
      [8080, ['10.0.0.1']],
      [9090, ['10.0.0.2']],
    ]);
  });

  it('have one for each family of addresses', () => {
    const { world, step, slices } = setUp({ ipFamilies: ['IPv4', 'IPv6'] });
    podOf(world, '1', { ips: ['10.0.0.1', 'fd00::1'] });
    step();
    expect(slices().map((s) => [s.addressType, endpointsOf([s])[0]?.addresses])).toEqual([
      ['IPv4', ['10.0.0.1']],
      ['IPv6', ['fd00::1']],
    ]);
  });

  it('are there, and empty, where no pod is selected', () => {
    const { world, step, slices } = setUp({ clusterIP: 'None' });
    step();
    expect(slices()).toMatchObject([{ endpoints: [], metadata: { labels: { 'service.kubernetes.io/headless': '' } } }]);
    expect(step()).toEqual([]);
    podOf(world, '1');
    step();
    expect(slices()).toHaveLength(1);
    expect(endpointsOf(slices())).toHaveLength(1);
  });

  it('publish pods that are not ready where the service asks for it', () => {
    const { world, service, step, slices } = setUp({ publishNotReadyAddresses: true });
    podOf(world, '1', { ready: false });
    step();
    expect(endpointsOf(slices())[0]?.conditions).toEqual({ ready: true, serving: false, terminating: false });
    expect(planEndpoints(service, world.list(pods), undefined)).toMatchObject([
      { object: { subsets: [{ addresses: [{ ip: '10.0.0.1' }] }] } },
    ]);
  });

  it('hold each pod exactly once and never too many, and change little, whatever comes and goes', () => {
    const change = fc.array(fc.record({ pod: fc.nat(400), there: fc.boolean() }), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 350 }), fc.array(change, { maxLength: 4 }), (count, changes) => {
        const { world, step, slices } = setUp();
        for (let i = 0; i < count; i++) podOf(world, String(i));
        step();
        for (const batch of changes) {
          for (const { pod, there } of batch) {
            if (there) podOf(world, String(pod));
            else world.remove(pods, String(pod));
          }
          step();
          const uids = endpointsOf(slices()).map((e) => e.targetRef?.uid);
          expect([...uids].sort()).toEqual(
            world
              .list(pods)
              .map((p) => p.metadata.uid)
              .sort(),
          );
          for (const slice of slices()) expect(slice.endpoints?.length).toBeLessThanOrEqual(100);
          expect(step()).toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('endpoints', () => {
  it('list what is ready and what is not, without what is going', () => {
    const { world, service } = setUp({ ports: [{ name: 'http', port: 80, targetPort: 8080 }] });
    podOf(world, 'a', { ips: ['10.0.0.2'] });
    podOf(world, 'b', { ips: ['10.0.0.1'] });
    podOf(world, '3', { ready: false });
    podOf(world, '4', { going: true });
    const actions = planEndpoints(service, world.list(pods), undefined);
    expect(actions).toMatchObject([
      {
        verb: 'create',
        object: {
          metadata: { name: 'web', labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
          subsets: [
            {
              addresses: [{ ip: '10.0.0.1', nodeName: 'n1' }, { ip: '10.0.0.2' }],
              notReadyAddresses: [{ ip: '10.0.0.3' }],
              ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
            },
          ],
        },
      },
    ]);
  });

  it('are cut at a thousand, and say so', () => {
    const { world, service } = setUp();
    for (let i = 0; i < 1001; i++) podOf(world, String(i));
    const [action] = planEndpoints(service, world.list(pods), undefined);
    if (action?.verb !== 'create') throw new Error('nothing was made');
    expect(action.object.metadata?.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' });
  });
});
