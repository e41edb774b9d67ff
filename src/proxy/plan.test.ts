import { describe, expect, it } from 'vitest';
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';
import { staleConnections } from './conntrack.ts';
import { planService } from './plan.ts';

const HERE = { nodeName: 'here', zone: 'a' };
type Endpoints = NonNullable<EndpointSlice['endpoints']>;

const service = (spec: Service['spec'], status: Service['status'] = {}): Service => ({
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    clusterIP: '10.96.0.5',
    clusterIPs: ['10.96.0.5'],
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 }],
    ...spec,
  } as Service['spec'],
  status,
});
const slice = (endpoints: Endpoints, port = 8080): EndpointSlice => ({
  metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', protocol: 'TCP', port }],
});
const at = (ip: string, more: Partial<Endpoints[number]> = {}) => ({ addresses: [ip], ...more });
const LEAVING = { conditions: { ready: false, serving: true, terminating: true } };
const planned = (spec: Service['spec'], ...slices: EndpointSlice[]) =>
  planService(service(spec), slices, HERE).ports[0];
const ips = (treatment: unknown) =>
  (treatment as { backends?: { ip: string }[] } | undefined)?.backends?.map(({ ip }) => ip);

describe.each(['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'])(
  'the label %s',
  (name) => {
    const endpoints = slice([at('10.0.0.1')]);
    const labelled = <T extends Service | EndpointSlice>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata?.labels, [name]: '' } },
    });

    it('leaves a service to others', () => {
      expect(planService(labelled(service({})), [endpoints], HERE).ports).toEqual([]);
    });
    it('and endpoints', () => {
      expect(ips(planned({}, endpoints, labelled(slice([at('10.0.0.2')])))?.internal)).toEqual(['10.0.0.1']);
    });
  },
);

describe('the endpoints of a port', () => {
  it.each<[string, Endpoints, string[] | undefined]>([
    ['ready ones, in order and once', [at('10.0.0.9'), at('10.0.0.3'), at('10.0.0.9')], ['10.0.0.3', '10.0.0.9']],
    ['those that are ready only', [at('10.0.0.9'), at('10.0.0.3', { conditions: { ready: false } })], ['10.0.0.9']],
    ['what is on its way out, where nothing else is left', [at('10.0.0.4', LEAVING)], ['10.0.0.4']],
    ['and not otherwise', [at('10.0.0.4', LEAVING), at('10.0.0.5')], ['10.0.0.5']],
    [
      'those of this zone',
      [
        at('10.0.0.1', { hints: { forZones: [{ name: 'a' }] } }),
        at('10.0.0.2', { hints: { forZones: [{ name: 'b' }] } }),
      ],
      ['10.0.0.1'],
    ],
    [
      'all, where one does not say for whom it is',
      [at('10.0.0.1', { hints: { forZones: [{ name: 'b' }] } }), at('10.0.0.2')],
      ['10.0.0.1', '10.0.0.2'],
    ],
    ['all, where none is for this zone', [at('10.0.0.2', { hints: { forZones: [{ name: 'b' }] } })], ['10.0.0.2']],
    [
      'those for this node, before those of its zone',
      [
        at('10.0.0.1', { hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'there' }] } }),
        at('10.0.0.2', { hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'here' }] } }),
      ],
      ['10.0.0.2'],
    ],
  ])('%s', (_what, endpoints, expected) => {
    expect(ips(planned({}, slice(endpoints))?.internal)).toEqual(expected);
  });
});

describe('a service', () => {
  it.each<[string, Service['spec']]>([
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }],
    ['ExternalName', { type: 'ExternalName', externalName: 'example.com' }],
  ])('that is %s has no rules', (_what, spec) => {
    expect(planService(service(spec), [], HERE).ports).toEqual([]);
  });

  it('has rules for each family of its addresses, with the endpoints and ranges of that one', () => {
    const dual = service({
      type: 'LoadBalancer',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1', 'fd00::1'],
      externalIPs: ['192.0.2.1', '2001:db8::1'],
      loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'],
    });
    const six: EndpointSlice = { ...slice([{ addresses: ['fd00:10::5'] }]), addressType: 'IPv6' };
    const { ports } = planService(dual, [slice([at('10.0.0.1')]), six], HERE);
    const seen = ports.map(({ family, clusterIPs, externalIPs, sourceRanges, internal }) => [
      family,
      ...clusterIPs,
      ...externalIPs,
      ...(sourceRanges ?? []),
      ...(ips(internal) ?? []),
    ]);
    expect(seen).toEqual([
      [4, '10.96.0.1', '192.0.2.1', '10.0.0.0/8', '10.0.0.1'],
      [6, 'fd00::1', '2001:db8::1', 'fd00::/8', 'fd00:10::5'],
    ]);
  });

  it('without endpoints refuses', () => {
    expect(planned({})).toMatchObject({ internal: { to: 'refuse' }, external: { to: 'refuse' } });
  });

  it('that stays on the node drops what it would have to send elsewhere', () => {
    const there = slice([at('10.0.0.1', { nodeName: 'there' })]);
    const policies = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' };
    expect(planned(policies, there)).toMatchObject({ internal: { to: 'drop' }, external: { to: 'drop' } });
    const both = slice([at('10.0.0.1', { nodeName: 'there' }), at('10.0.0.2', { nodeName: 'here' })]);
    const port = planned({ externalTrafficPolicy: 'Local' }, both);
    expect(ips(port?.internal)).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(port?.external).toMatchObject({ backends: [{ ip: '10.0.0.2' }], keepsSource: true });
  });

  it('that is balanced has its addresses, its ranges and its health check', () => {
    const spec = {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 31000,
      loadBalancerSourceRanges: ['10.0.0.0/8'],
    };
    const ingress = [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'a.b' }];
    const endpoints = slice([at('10.0.0.2', { nodeName: 'here' })]);
    const plan = planService(service(spec, { loadBalancer: { ingress } }), [endpoints], HERE);
    expect(plan.ports[0]).toMatchObject({ balancerIPs: ['192.0.2.1'], sourceRanges: ['10.0.0.0/8'] });
    expect(plan.healthCheck).toEqual({ port: 31000, namespace: 'default', name: 'web', localEndpoints: 1 });
  });

  it('with affinity remembers its clients', () => {
    expect(planned({ sessionAffinity: 'ClientIP' })?.affinitySeconds).toBe(10_800);
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 7 } };
    expect(planned({ sessionAffinity: 'ClientIP', sessionAffinityConfig })?.affinitySeconds).toBe(7);
  });
});

describe('datagrams that went to an endpoint', () => {
  const ports = [{ name: 'http', protocol: 'UDP', port: 80, nodePort: 30080 }];
  const udp = (...found: string[]) => {
    const slices = found.map((ip) => ({
      ...slice([at(ip)]),
      ports: [{ name: 'http', protocol: 'UDP', port: 53 }],
    }));
    return [planService(service({ ports }), slices, HERE)];
  };

  it.each([
    ['stay', udp('10.0.0.1'), udp('10.0.0.1'), []],
    [
      'are forgotten with it',
      udp('10.0.0.1', '10.0.0.2'),
      udp('10.0.0.1'),
      ['10.96.0.5:80 10.0.0.2', '*:30080 10.0.0.2'],
    ],
    ['are forgotten when there is one at last', udp(), udp('10.0.0.1'), ['10.96.0.5:80 *', '*:30080 *']],
    ['are forgotten with the service', udp('10.0.0.1'), [], ['10.96.0.5:80 10.0.0.1', '*:30080 10.0.0.1']],
  ])('%s', (_what, before, after, expected) => {
    const shown = staleConnections(before, after).map(
      ({ address = '*', port, backend = '*' }) => `${address}:${port} ${backend}`,
    );
    expect(shown).toEqual(expected);
  });
});
