import { describe, expect, it } from 'vitest';
import type { Service } from '../apis/core/service.ts';
import type { Stored } from '../machinery/kind.ts';
import { planBalancer } from './loadBalancer.ts';

const RANGE = '10.196.0.0/30';
const service = (ip?: string, loadBalancerIP?: string): Stored<Service> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: '1', resourceVersion: '1', creationTimestamp: '' },
  spec: { type: 'LoadBalancer', ...(loadBalancerIP === undefined ? {} : { loadBalancerIP }) },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});

describe('a balanced service', () => {
  it.each<[string, Stored<Service>, string[], string | undefined, string | undefined, string[]]>([
    [
      'gets the first free address',
      service(),
      [],
      undefined,
      '10.196.0.1',
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    [
      'and not one that is taken',
      service(),
      ['10.196.0.1'],
      undefined,
      '10.196.0.2',
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    ['keeps its address', service('10.196.0.2'), [], undefined, '10.196.0.2', []],
    [
      'keeps what it was given just now',
      service(),
      [],
      '10.196.0.2',
      '10.196.0.2',
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    [
      'gets what it wishes',
      service('10.196.0.1', '10.196.0.2'),
      [],
      undefined,
      '10.196.0.2',
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    [
      'gets another for one of another range',
      service('192.0.2.1'),
      [],
      undefined,
      '10.196.0.1',
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    ],
    [
      'waits where all are taken',
      service(),
      ['10.196.0.1', '10.196.0.2'],
      undefined,
      undefined,
      ['SyncLoadBalancerFailed'],
    ],
    [
      'waits for a wish that is taken',
      service(undefined, '10.196.0.1'),
      ['10.196.0.1'],
      undefined,
      undefined,
      ['SyncLoadBalancerFailed'],
    ],
    [
      'waits where it wishes for another range',
      service(undefined, '192.0.2.1'),
      [],
      undefined,
      undefined,
      ['SyncLoadBalancerFailed'],
    ],
  ])('%s', (_what, object, taken, preferred, ip, reasons) => {
    const plan = planBalancer(object, RANGE, new Set(taken), preferred);
    expect(plan.ip).toBe(ip);
    expect(plan.actions.flatMap((action) => (action.verb === 'event' ? [action.reason] : []))).toEqual(reasons);
  });
});
