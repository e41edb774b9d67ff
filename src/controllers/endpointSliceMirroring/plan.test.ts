import { describe, expect, it } from 'vitest';
import { type Endpoints, endpoints } from '../../apis/core/endpoints.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import { TinyWorld } from '../testing/objects.ts';
import { planMirror } from './plan.ts';

const PORTS = [{ name: 'http', port: 80, protocol: 'TCP' }];

function setUp(service: Service['spec'] | undefined, metadata: Endpoints['metadata'] = {}) {
  const world = new TinyWorld();
  if (service !== undefined) world.put<Service>(services, { metadata: { name: 'db' }, spec: service });
  const put = (subsets: NonNullable<Endpoints['subsets']>) =>
    world.put<Endpoints>(endpoints, { metadata: { ...metadata, name: 'db', uid: 'source' }, subsets });
  const step = () => {
    const actions = planMirror({
      endpoints: world.get(endpoints, 'db'),
      service: world.get(services, 'db'),
      slices: world.list(endpointSlices),
    });
    world.carryOut({ actions });
    return actions.map((a) => a.verb);
  };
  return { world, put, step, slices: () => world.list(endpointSlices) };
}

describe('mirrored endpoint slices', () => {
  it('say what the endpoints say, by family and ports', () => {
    const annotations = { note: 'mine', 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const { put, step, slices } = setUp({ ports: [{ port: 80 }] }, { labels: { team: 'a' }, annotations });
    put([
      {
        addresses: [{ ip: '192.0.2.1', hostname: 'one' }, { ip: 'fd00::1' }],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: PORTS,
      },
    ]);
    expect(step()).toEqual(['create', 'create']);
    expect(slices()).toMatchObject([
      {
        addressType: 'IPv4',
        endpoints: [
          { addresses: ['192.0.2.1'], hostname: 'one', conditions: { ready: true } },
          { addresses: ['192.0.2.2'], conditions: { ready: false } },
        ],
        ports: PORTS,
        metadata: {
          ownerReferences: [{ kind: 'Endpoints', uid: 'source', controller: true }],
          labels: {
            team: 'a',
            'kubernetes.io/service-name': 'db',
            'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
          },
        },
      },
      { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] },
    ]);
    expect(slices()[0]?.metadata.annotations).toEqual({ note: 'mine' });
    expect(step()).toEqual([]);
    put([{ addresses: [{ ip: '192.0.2.9' }], ports: PORTS }]);
    expect(step()).toEqual(['update', 'delete']);
    expect(step()).toEqual([]);
  });

  it.each<[string, Service['spec'] | undefined, Endpoints['metadata']]>([
    ['a service with a selector', { selector: { app: 'db' } }, {}],
    ['no service', undefined, {}],
    ['endpoints that ask not to', {}, { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }],
    ['a lock', {}, { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }],
  ])('are not there for %s', (_what, service, metadata) => {
    const { world, put, step } = setUp(service, metadata);
    put([{ addresses: [{ ip: '192.0.2.1' }] }]);
    expect(step()).toEqual([]);
    expect(world.list(endpointSlices)).toEqual([]);
  });

  it('go when the service gets a selector, or the endpoints go', () => {
    for (const end of ['selector', 'gone'] as const) {
      const { world, put, step, slices } = setUp({});
      put([{ addresses: [{ ip: '192.0.2.1' }] }]);
      step();
      if (end === 'selector')
        world.put<Service>(services, { metadata: { name: 'db' }, spec: { selector: { a: 'b' } } });
      else world.remove(endpoints, 'db');
      expect(step()).toEqual(['delete']);
      expect(slices()).toEqual([]);
    }
  });

  it('hold a thousand addresses of a subset, and say how many were left out', () => {
    const { world, put, step, slices } = setUp({});
    const ip = (i: number) => `10.0.${i >> 8}.${i & 255}`;
    put([{ addresses: Array.from({ length: 1003 }, (_, i) => ({ ip: ip(i) })) }]);
    step();
    expect(slices()[0]?.endpoints).toHaveLength(1000);
    expect(world.events).toEqual([expect.stringMatching(/^TooManyAddressesToMirror: .* 3 addresses were skipped$/)]);
  });
});
