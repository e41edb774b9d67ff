import { describe, expect, it } from 'vitest';
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';
import { renderRules } from './nftables.ts';
import { planServices } from './plan.ts';

const service = (name: string, spec: Service['spec']): Service => ({
  metadata: { namespace: 'default', name },
  ...(spec ? { spec } : {}),
});
const slice = (serviceName: string, endpoints: EndpointSlice['endpoints'], port = 8080): EndpointSlice => ({
  metadata: { namespace: 'default', name: `${serviceName}-1`, labels: { 'kubernetes.io/service-name': serviceName } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', protocol: 'TCP', port }],
});
const web = service('web', {
  clusterIP: '10.96.0.5',
  clusterIPs: ['10.96.0.5'],
  ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 }],
});

describe('planServices', () => {
  it('gives each port its ready endpoints, in order and once', () => {
    const slices = [
      slice('web', [{ addresses: ['10.244.0.9'] }, { addresses: ['10.244.0.3'], conditions: { ready: true } }]),
      slice('web', [{ addresses: ['10.244.0.3'] }, { addresses: ['10.244.0.4'], conditions: { ready: false } }]),
      slice('other', [{ addresses: ['10.244.0.7'] }]),
    ];
    expect(planServices([web], slices)).toEqual([
      {
        name: 'default/web:http',
        protocol: 'tcp',
        clusterIPs: ['10.96.0.5'],
        port: 80,
        nodePort: 30080,
        backends: [
          { ip: '10.244.0.3', port: 8080 },
          { ip: '10.244.0.9', port: 8080 },
        ],
      },
    ]);
  });

  it('sends to what is on its way out only where nothing else is left', () => {
    const leaving = { addresses: ['10.244.0.4'], conditions: { ready: false, serving: true, terminating: true } };
    expect(planServices([web], [slice('web', [leaving])])[0]?.backends).toEqual([{ ip: '10.244.0.4', port: 8080 }]);
    const staying = { addresses: ['10.244.0.5'], conditions: { ready: true } };
    expect(planServices([web], [slice('web', [leaving, staying])])[0]?.backends).toEqual([
      { ip: '10.244.0.5', port: 8080 },
    ]);
  });

  it.each<[string, Service['spec']]>([
    ['headless', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ port: 80 }] }],
    ['ExternalName', { type: 'ExternalName', externalName: 'example.com', ports: [{ port: 80 }] }],
    ['IPv6 only', { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ports: [{ port: 80 }] }],
  ])('leaves out a service that is %s', (_what, spec) => {
    expect(planServices([service('x', spec)], [])).toEqual([]);
  });
});

describe('renderRules', () => {
  const set = { table: 'kubets0', podCIDR: '10.244.0.0/24', serviceCIDR: '10.96.0.0/16', bridge: 'kubets0' };

  it('replaces the table as a whole, so that no stale rule is left', () => {
    const text = renderRules(set, []);
    expect(text.split('\n').slice(0, 3)).toEqual([
      'add table ip kubets0',
      'delete table ip kubets0',
      'table ip kubets0 {',
    ]);
  });

  it('picks among the endpoints, and refuses where there are none', () => {
    const rules = planServices(
      [web, service('empty', { clusterIP: '10.96.0.6', ports: [{ port: 81, protocol: 'UDP' }] })],
      [slice('web', [{ addresses: ['10.244.0.3'] }, { addresses: ['10.244.0.9'] }])],
    );
    const text = renderRules(set, rules);
    expect(text).toContain('10.96.0.5 . tcp . 80 : goto pick-2');
    expect(text).toContain('meta mark set numgen random mod 2 goto go');
    expect(text).toContain('10.96.0.5 . tcp . 80 . 0 : 10.244.0.3 . 8080');
    expect(text).toContain('10.96.0.5 . tcp . 80 . 1 : 10.244.0.9 . 8080');
    expect(text).toContain('tcp . 30080 : goto node-pick-2');
    expect(text).toContain('10.244.0.3 . 10.244.0.3');
    expect(text).toMatch(/set refused \{[^}]*10\.96\.0\.6 \. udp \. 81/);
  });
});
