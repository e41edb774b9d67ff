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
