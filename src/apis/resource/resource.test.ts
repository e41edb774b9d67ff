import { describe, expect, test } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { createFaults, received, updated } from '../testing/create.ts';
import { deviceClasses } from './deviceClass.ts';
import { resourceClaims } from './resourceClaim.ts';
import { resourceClaimTemplates } from './resourceClaimTemplate.ts';
import { resourceSlices } from './resourceSlice.ts';

const metadata = { name: 'x', namespace: 'default' };
const exactly = { deviceClassName: 'gpu' };
const request = { name: 'r', exactly };
const claim = (devices: object) => ({ metadata, spec: { devices } });

describe('claims', () => {
  test.each<[string, object, string[]]>([
    ['nothing wrong', { requests: [request] }, []],
    ['neither nor', { requests: [{ name: 'r' }] }, ['spec.devices.requests[0]: Required']],
    [
      'both',
      { requests: [{ ...request, firstAvailable: [{ name: 'a', ...exactly }] }] },
      ['spec.devices.requests[0]: Invalid'],
    ],
    ['a name twice', { requests: [request, request] }, ['spec.devices.requests[1]: Duplicate']],
    [
      'no class',
      { requests: [{ name: 'r', exactly: {} }] },
      ['spec.devices.requests[0].exactly.deviceClassName: Required'],
    ],
    [
      'a number of all',
      { requests: [{ name: 'r', exactly: { ...exactly, allocationMode: 'All', count: 2 } }] },
      ['spec.devices.requests[0].exactly.count: Invalid'],
    ],
    [
      'a mode',
      { requests: [{ name: 'r', exactly: { ...exactly, allocationMode: 'Some' } }] },
      ['spec.devices.requests[0].exactly.allocationMode: NotSupported'],
    ],
    [
      'too many',
      { requests: Array.from({ length: 33 }, (_, i) => ({ name: `r${i}`, exactly })) },
      ['spec.devices.requests: TooMany'],
    ],
    ['a constraint on nothing', { requests: [request], constraints: [{}] }, ['spec.devices.constraints[0]: Required']],
    [
      'a constraint on others',
      { requests: [request], constraints: [{ requests: ['q'], matchAttribute: 'a.com/b' }] },
      ['spec.devices.constraints[0].requests[0]: Invalid'],
    ],
    [
      'an attribute of no domain',
      { requests: [request], constraints: [{ matchAttribute: 'b' }] },
      ['spec.devices.constraints[0].matchAttribute: Invalid'],
    ],
    ['an empty configuration', { requests: [request], config: [{}] }, ['spec.devices.config[0].opaque: Required']],
    [
      'a toleration',
      { requests: [{ name: 'r', exactly: { ...exactly, tolerations: [{ operator: 'Like', effect: 'NoWay' }] } }] },
      [
        'spec.devices.requests[0].exactly.tolerations[0].operator: NotSupported',
        'spec.devices.requests[0].exactly.tolerations[0].effect: NotSupported',
      ],
    ],
  ])('%s', (_what, devices, faults) => {
    expect(createFaults(resourceClaims, claim(devices))).toEqual(faults);
    const template = { metadata, spec: { spec: { devices } } };
    expect(createFaults(resourceClaimTemplates, template)).toEqual(faults.map((f) => f.replace('spec.', 'spec.spec.')));
  });

  test('have defaults, and do not change', () => {
    const whole = claim({ requests: [request] });
    expect(received(resourceClaims, whole).spec.devices?.requests?.[0]?.exactly).toEqual({
      ...exactly,
      allocationMode: 'ExactCount',
      count: 1,
    });
    expect(updated(resourceClaims, resourceClaims.update, whole, claim({ requests: [] })).faults).toEqual([
      'spec: Invalid',
    ]);
    expect(updated(resourceClaims, resourceClaims.update, whole, whole).faults).toEqual([]);
  });

  const result = { request: 'r', driver: 'd.com', pool: 'p', device: 'g0' };
  const allocation = { devices: { results: [result] } };
  const user = { resource: 'pods', name: 'p', uid: 'u' };
  test.each<[string, object, string[]]>([
    ['allocated and reserved', { allocation, reservedFor: [user] }, []],
    ['reserved without devices', { reservedFor: [user] }, ['status.reservedFor: Forbidden']],
    [
      'for a request that is not there',
      { allocation: { devices: { results: [{ ...result, request: 'q' }] } } },
      ['status.allocation.devices.results[0].request: Invalid'],
    ],
    [
      'reserved for nobody',
      { allocation, reservedFor: [{}] },
      ['resource', 'name', 'uid'].map((f) => `status.reservedFor[0].${f}: Required`),
    ],
    [
      'of a device that is not',
      { allocation, devices: [{ driver: 'd.com', pool: 'p', device: 'g1' }] },
      ['status.devices[0]: Invalid'],
    ],
    [
      'with an address',
      { allocation, devices: [{ ...result, networkData: { ips: ['10.0.0.1/24', 'x'] } }] },
      ['status.devices[0].networkData.ips[1]: Invalid'],
    ],
  ])('status: %s', (_what, status, faults) => {
    const old = claim({ requests: [request] });
    expect(updated(resourceClaims, resourceClaims.status, old, { ...old, status }).faults).toEqual(faults);
  });

  test('tell their state', () => {
    const state = (more: object) =>
      (tableRow(resourceClaims, { ...claim({}), ...more } as never, 0, 'None') as { cells: unknown[] }).cells[1];
    expect(state({})).toBe('pending');
    expect(state({ status: { allocation, reservedFor: [user] } })).toBe('allocated,reserved');
    expect(state({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })).toBe('deleted');
  });
});

describe('slices', () => {
  const pool = { name: 'p', generation: 1, resourceSliceCount: 1 };
  const spec = { driver: 'd.com', pool, nodeName: 'n' };
  const device = (more: object) => ({ devices: [{ name: 'g', ...more }] });
  const at = 'spec.devices[0]';
  const shared = (requestPolicy: object) =>
    device({ allowMultipleAllocations: true, capacity: { memory: { value: '10Gi', requestPolicy } } });
  test.each<[string, object, string[]]>([
    ['nothing wrong', device({ attributes: { 'd.com/model': { string: 'a' }, v: { version: '1.2.3-rc.1+b' } } }), []],
    ['nowhere', { nodeName: undefined }, ['spec: Required']],
    ['in two places', { allNodes: true }, ['spec: Invalid']],
    ['not everywhere', { allNodes: false }, ['spec.allNodes: Invalid']],
    ['no driver', { driver: '' }, ['spec.driver: Required']],
    [
      'no pool',
      { pool: { ...pool, name: '', resourceSliceCount: 0 } },
      ['spec.pool.name: Required', 'spec.pool.resourceSliceCount: Invalid'],
    ],
    ['a name twice', { devices: [{ name: 'g' }, { name: 'g' }] }, ['spec.devices[1]: Duplicate']],
    [
      'an attribute of two values',
      device({ attributes: { a: { int: 1, bool: true } } }),
      [`${at}.attributes[a]: Invalid`],
    ],
    ['a version', device({ attributes: { a: { version: '1.2' } } }), [`${at}.attributes[a].version: Invalid`]],
    ['a bad name', device({ attributes: { 'a-b': { int: 1 } } }), [`${at}.attributes: Invalid`]],
    ['a place of its own', device({ nodeName: 'm' }), [`${at}: Invalid`]],
    ['a taint', device({ taints: [{ key: 'k', effect: 'Never' }] }), [`${at}.taints[0].effect: NotSupported`]],
    [
      'a policy for one',
      device({ capacity: { m: { value: '1', requestPolicy: {} } } }),
      [`${at}.capacity[m].requestPolicy: Forbidden`],
    ],
    ['a policy', shared({ default: '1Gi', validRange: { min: '1Gi', step: '1Gi' } }), []],
    [
      'steps that miss',
      shared({ default: '1500Mi', validRange: { min: '1Gi', step: '1Gi' } }),
      [`${at}.capacity[memory].requestPolicy.validRange.step: Invalid`],
    ],
    ['no default', shared({ validValues: ['1Gi'] }), [`${at}.capacity[memory].requestPolicy.default: Required`]],
    [
      'not in order',
      shared({ default: '1Gi', validValues: ['2Gi', '1Gi'] }),
      [`${at}.capacity[memory].requestPolicy.validValues[1]: Invalid`],
    ],
    [
      'counters',
      device({ consumesCounters: [{ counterSet: '', counters: {} }] }),
      [`${at}.consumesCounters[0].counterSet: Required`, `${at}.consumesCounters[0].counters: Required`],
    ],
  ])('%s', (_what, more, faults) => {
    expect(createFaults(resourceSlices, { metadata: { name: 'x' }, spec: { ...spec, ...more } })).toEqual(faults);
  });

  test('stay with their driver, pool and node', () => {
    const old = { metadata: { name: 'x' }, spec };
    const next = { metadata: { name: 'x' }, spec: { driver: 'e.com', pool: { ...pool, name: 'q' }, nodeName: 'm' } };
    expect(updated(resourceSlices, resourceSlices.update, old, next).faults).toEqual([
      'spec.pool.name: Invalid',
      'spec.driver: Invalid',
      'spec.nodeName: Invalid',
    ]);
    const { cells } = tableRow(resourceSlices, received(resourceSlices, old), 0, 'None') as { cells: unknown[] };
    expect(cells.slice(0, 4)).toEqual(['x', 'n', 'd.com', 'p']);
  });
});

test.each<[object, string[]]>([
  [{ extendedResourceName: 'example.com/gpu' }, []],
  [{ extendedResourceName: 'cpu' }, ['spec.extendedResourceName: Invalid']],
  [{ extendedResourceName: 'kubernetes.io/x' }, ['spec.extendedResourceName: Invalid']],
  [{ selectors: [{}] }, ['spec.selectors[0].cel: Required']],
  [{ config: [{ opaque: { driver: 'D', parameters: {} } }] }, []],
  [
    { config: [{ opaque: { driver: '' } }] },
    ['spec.config[0].opaque.driver: Required', 'spec.config[0].opaque.parameters: Required'],
  ],
])('a class of devices: %j', (spec, faults) => {
  expect(createFaults(deviceClasses, { metadata: { name: 'x' }, spec })).toEqual(faults);
});
