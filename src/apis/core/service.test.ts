import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { services } from './service.ts';

const port = (more: object = {}) => ({ port: 80, ...more });
const service = (more: object = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [port()], ...more },
});

describe('a service', () => {
  it('is defaulted', () => {
    expect(created(services, service())).toEqual({
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        selector: { app: 'web' },
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
      status: { loadBalancer: {} },
    });
  });

  it('for the outside is defaulted by its type', () => {
    const spec = created(services, service({ type: 'LoadBalancer', sessionAffinity: 'ClientIP' })).spec;
    expect(spec).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no ports', { ports: [] }, ['spec.ports: Required']],
    ['no ports, and no address', { ports: [], clusterIP: 'None' }, []],
    ['another type', { type: 'Magic' }, ['spec.type: NotSupported']],
    [
      'nameless ports',
      { ports: [port(), port({ port: 81 })] },
      ['spec.ports[0].name: Required', 'spec.ports[1].name: Required'],
    ],
    [
      'one port twice',
      { ports: [port({ name: 'a' }), port({ name: 'a' })] },
      ['spec.ports[1].name: Duplicate', 'spec.ports[1]: Duplicate'],
    ],
    ['one port for two protocols', { ports: [port({ name: 'a' }), port({ name: 'b', protocol: 'UDP' })] }, []],
    ['a node port that is not for it', { ports: [port({ nodePort: 30000 })] }, ['spec.ports[0].nodePort: Forbidden']],
    [
      'ports that are none',
      { ports: [port({ port: 0, targetPort: 'a_b' })] },
      ['spec.ports[0].port: Invalid', 'spec.ports[0].targetPort: Invalid'],
    ],
    ['a name that is none', { type: 'ExternalName', ports: [] }, ['spec.externalName: Required']],
    ['a name elsewhere', { type: 'ExternalName', externalName: 'example.com.', ports: [] }, []],
    ['an address that is none', { clusterIP: 'x' }, ['spec.clusterIPs[0]: Invalid']],
    ['node ports without an address', { type: 'NodePort', clusterIP: 'None' }, ['spec.clusterIPs[0]: Invalid']],
    [
      'a name, and families',
      { type: 'ExternalName', externalName: 'a.b', ports: [], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      ['spec.ipFamilies: Forbidden', 'spec.ipFamilyPolicy: Forbidden'],
    ],
    [
      'one family twice, and an odd one',
      { ipFamilies: ['IPv4', 'IPv4', 'x'] },
      ['spec.ipFamilies[1]: Duplicate', 'spec.ipFamilies[2]: NotSupported', 'spec.ipFamilies: Invalid'],
    ],
    [
      'two families for one stack',
      { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'SingleStack' },
      ['spec.ipFamilyPolicy: Invalid'],
    ],
    [
      'addresses of another family',
      { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] },
      ['spec.clusterIPs[0]: Invalid'],
    ],
    [
      'two addresses of one family',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
      ['spec.clusterIPs: Invalid'],
    ],
    [
      'a range that is written loosely',
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.1/8'] },
      ['spec.loadBalancerSourceRanges[0]: Invalid'],
    ],
    ['traffic that stays near', { trafficDistribution: 'PreferSameNode' }, []],
    ['traffic that goes anywhere', { trafficDistribution: 'x' }, ['spec.trafficDistribution: NotSupported']],
    ['loopback from outside', { externalIPs: ['127.0.0.1'] }, ['spec.externalIPs[0]: Invalid']],
    [
      'affinity for ever',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90000 } } },
      ['spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid'],
    ],
    [
      'a policy for the outside that is not for it',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid'],
    ],
    ['the port of the kubelet', { type: 'LoadBalancer', ports: [port({ port: 10250 })] }, ['spec.ports[0]: Invalid']],
    [
      'a range for no balancer',
      { loadBalancerSourceRanges: ['10.0.0.0/33'] },
      ['spec.loadBalancerSourceRanges[0]: Invalid', 'spec.loadBalancerSourceRanges: Forbidden'],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(services, service(more))).toEqual(expected);
  });
});

describe('an update of a service', () => {
  const allocated = { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] };
  const change = (before: object, after: object) => updated(services, services.update, service(before), service(after));

  it('that does not speak of the address keeps it', () => {
    const { object, faults } = change(allocated, {});
    expect(faults).toEqual([]);
    expect(object.spec).toMatchObject(allocated);
  });

  it('cannot change the address', () => {
    expect(change(allocated, { clusterIP: '10.96.0.8' }).faults).toEqual(['spec.clusterIPs[0]: Invalid']);
  });

  it('keeps the ports on the nodes, port by port', () => {
    const before = { ...allocated, type: 'NodePort', ports: [port({ nodePort: 30001 })] };
    const after = { type: 'NodePort', ports: [port({ name: 'a' }), port({ name: 'b', port: 81 })] };
    expect(change(before, after).object.spec?.ports?.map((p) => p.nodePort)).toEqual([30001, undefined]);
  });

  it('gives back what the new type has no use for', () => {
    const before = {
      ...allocated,
      type: 'NodePort',
      ports: [port({ nodePort: 30001 })],
      externalTrafficPolicy: 'Cluster',
    };
    const { object, faults } = change(before, { ...before, type: 'ClusterIP' });
    expect(faults).toEqual([]);
    expect(object.spec).toMatchObject(allocated);
    expect(object.spec?.ports?.[0]).not.toHaveProperty('nodePort');
    expect(object.spec).not.toHaveProperty('externalTrafficPolicy');
  });

  it('to a name gives back the address', () => {
    const { object, faults } = change(allocated, { ...allocated, type: 'ExternalName', externalName: 'a.b' });
    expect(faults).toEqual([]);
    expect(object.spec).not.toHaveProperty('clusterIP');
    expect(object.spec).not.toHaveProperty('clusterIPs');
  });

  it('to a name gives back the families also where the address is taken out by the client', () => {
    const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
    const { clusterIPs: _gone, ...kept } = { ...allocated, clusterIP: '' };
    const name = { type: 'ExternalName', externalName: 'a.b' };
    const { object, faults } = change({ ...allocated, ...families }, { ...kept, ...families, ...name });
    expect(faults).toEqual([]);
    for (const field of Object.keys(families)) expect(object.spec).not.toHaveProperty(field);
  });
});

describe('a balanced service', () => {
  const balanced = (more: object = {}) => service({ type: 'LoadBalancer', ...more });
  const status = (...ingress: object[]) => ({ loadBalancer: { ingress } });

  it.each<[string, object, object, string[]]>([
    ['an address', balanced(), status({ ip: '1.2.3.4' }), []],
    [
      'an odd mode',
      balanced(),
      status({ ip: '1.2.3.4', ipMode: 'x' }),
      ['status.loadBalancer.ingress[0].ipMode: NotSupported'],
    ],
    [
      'a mode of no address',
      balanced(),
      status({ ipMode: 'VIP' }),
      ['status.loadBalancer.ingress[0].ipMode: Forbidden'],
    ],
    [
      'an address for a name',
      balanced(),
      status({ hostname: '1.2.3.4' }),
      ['status.loadBalancer.ingress[0].hostname: Invalid'],
    ],
    ['an odd address', balanced(), status({ ip: '01.2.3.4' }), ['status.loadBalancer.ingress[0].ip: Invalid']],
    ['no balancer', service(), status({ hostname: 'a.b' }), ['status.loadBalancer.ingress: Forbidden']],
  ])('that says it has %s', (_what, json, after, faults) => {
    expect(updated(services, services.status, json, { ...json, status: after }).faults).toEqual(faults);
  });

  it('forgets its balancer with its type', () => {
    const old = { ...created(services, balanced()), status: status({ hostname: 'a.b' }) };
    const object = created(services, service());
    services.update?.prepare?.(object, old, 0);
    expect(object.status?.loadBalancer).toEqual({});
  });

  it('keeps the port at which it is asked for its health', () => {
    const local = (healthCheckNodePort: number) => balanced({ externalTrafficPolicy: 'Local', healthCheckNodePort });
    expect(updated(services, services.update, local(30001), local(30002)).faults).toEqual([
      'spec.healthCheckNodePort: Invalid',
    ]);
  });
});

describe('warnings of a service', () => {
  it.each<[string, object, string[]]>([
    ['nothing odd', {}, []],
    ['addresses outside', { externalIPs: ['1.2.3.4'] }, ['spec.externalIPs is deprecated in v1.36+']],
    [
      'no address, but what only one with an address has',
      { clusterIP: 'None', clusterIPs: ['None'], sessionAffinity: 'ClientIP', loadBalancerIP: '1.2.3.4' },
      ['spec.loadBalancerIP is ignored for headless services', 'spec.SessionAffinity is ignored for headless services'],
    ],
    ['an address written at length', { clusterIPs: ['fd00:0::1'] }, [expect.stringContaining('"fd00::1"')]],
  ])('with %s', (_what, spec, expected) => {
    expect(services.warnings?.(created(services, service(spec)))).toEqual(expected);
  });
});

describe('kubectl get services', () => {
  const row = (spec: object, status?: object) => {
    const object = created(services, service(spec));
    if (status !== undefined) object.status = status;
    return (tableRow(services, object, 0, 'None') as { cells: unknown[] }).cells;
  };

  it.each<[string, object, object | undefined, unknown[]]>([
    [
      'inside',
      { clusterIP: '10.96.0.7' },
      undefined,
      ['web', 'ClusterIP', '10.96.0.7', '<none>', '80/TCP', '<unknown>', 'app=web'],
    ],
    [
      'headless',
      { clusterIP: 'None', selector: {} },
      undefined,
      ['web', 'ClusterIP', 'None', '<none>', '80/TCP', '<unknown>', '<none>'],
    ],
    [
      'on the nodes',
      { type: 'NodePort', clusterIP: '10.96.0.7', ports: [port({ nodePort: 30001 })] },
      undefined,
      ['web', 'NodePort', '10.96.0.7', '<none>', '80:30001/TCP', '<unknown>', 'app=web'],
    ],
    [
      'balanced, not yet',
      { type: 'LoadBalancer', clusterIP: '10.96.0.7' },
      undefined,
      ['web', 'LoadBalancer', '10.96.0.7', '<pending>', '80/TCP', '<unknown>', 'app=web'],
    ],
    [
      'balanced',
      { type: 'LoadBalancer', clusterIP: '10.96.0.7' },
      { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
      ['web', 'LoadBalancer', '10.96.0.7', '1.2.3.4', '80/TCP', '<unknown>', 'app=web'],
    ],
    [
      'elsewhere',
      { type: 'ExternalName', externalName: 'a.b', ports: [], selector: {} },
      undefined,
      ['web', 'ExternalName', '<none>', 'a.b', '<none>', '<unknown>', '<none>'],
    ],
  ])('%s', (_what, spec, status, expected) => {
    expect(row(spec, status)).toEqual(expected);
  });
});
