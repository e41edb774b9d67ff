import { describe, expect, it } from 'vitest';
import type { DeviceClass } from '../../apis/resource/deviceClass.ts';
import type { DeviceClaim, DeviceRequest, ResourceClaim } from '../../apis/resource/resourceClaim.ts';
import type { Device } from '../../apis/resource/resourceSlice.ts';
import { allocate, type NodeDevice } from './allocate.ts';
import { DeviceSelectors } from './deviceSelector.ts';

const DRIVER = 'gpu.example.com';
const selectors = new DeviceSelectors();
const gpu = (name: string, memory: string, numa: number, more: Partial<Device> = {}): NodeDevice => ({
  driver: DRIVER,
  pool: 'n1',
  local: true,
  device: {
    name,
    attributes: { model: { string: 'a100' }, numa: { int: numa }, 'example.org/driver': { version: '1.2.3' } },
    capacity: { memory: { value: memory } },
    ...more,
  },
});
const GPUS = [gpu('g0', '40Gi', 0), gpu('g1', '80Gi', 0), gpu('g2', '80Gi', 1), gpu('g3', '80Gi', 1)];
const CLASS: DeviceClass = { spec: { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] } };
const exactly = (name: string, more: object = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', ...more },
});
const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] });

function find(devices: DeviceClaim[], taken: string[] = [], all = GPUS) {
  const claims = devices.map((spec): ResourceClaim => ({ spec: { devices: spec } }));
  const results = allocate({
    nodeName: 'n1',
    claims,
    devices: all,
    taken: new Set(taken.map((name) => `${DRIVER}/n1/${name}`)),
    classNamed: (name) => (name === 'gpu' ? CLASS : undefined),
    matches: (expression, driver, device) => selectors.matches(expression, driver, device),
  });
  return results?.map((r) => r.devices?.results?.map(({ request, device }) => `${request}=${device}`).join(' '));
}

describe('devices', () => {
  const big = cel(`device.capacity["${DRIVER}"].memory.compareTo(quantity("60Gi")) >= 0`);
  it.each<[string, DeviceClaim[], string[], string[] | undefined]>([
    ['any', [{ requests: [exactly('a')] }], [], ['a=g0']],
    ['one that is free', [{ requests: [exactly('a')] }], ['g0'], ['a=g1']],
    ['by capacity', [{ requests: [exactly('a', big)] }], [], ['a=g1']],
    ['by attribute', [{ requests: [exactly('a', cel(`device.attributes["${DRIVER}"].numa == 1`))] }], [], ['a=g2']],
    [
      'by version',
      [{ requests: [exactly('a', cel('device.attributes["example.org"].driver.isGreaterThan(semver("1.0.0"))'))] }],
      [],
      ['a=g0'],
    ],
    ['by what it lacks', [{ requests: [exactly('a', cel('device.attributes["x"].y == 1'))] }], [], undefined],
    ['of no class', [{ requests: [{ name: 'a', exactly: { deviceClassName: 'x' } }] }], [], undefined],
    ['several', [{ requests: [exactly('a', { count: 3 })] }], [], ['a=g0 a=g1 a=g2']],
    ['too many', [{ requests: [exactly('a', { count: 5 })] }], [], undefined],
    ['all', [{ requests: [exactly('a', { allocationMode: 'All', ...big })] }], [], ['a=g1 a=g2 a=g3']],
    ['all, of which one is taken', [{ requests: [exactly('a', { allocationMode: 'All' })] }], ['g3'], undefined],
    ['for an administrator', [{ requests: [exactly('a', { adminAccess: true })] }], ['g0'], ['a=g0']],
    ['two claims', [{ requests: [exactly('a')] }, { requests: [exactly('a')] }], [], ['a=g0', 'a=g1']],
    [
      'the better of two',
      [
        {
          requests: [
            {
              name: 'a',
              firstAvailable: [
                { name: 'x', deviceClassName: 'gpu', count: 2, ...big },
                { name: 'y', deviceClassName: 'gpu' },
              ],
            },
          ],
        },
      ],
      ['g1', 'g2'],
      ['a/y=g0'],
    ],
    [
      'a choice that is taken back',
      [
        {
          requests: [
            exactly('a'),
            exactly('b', cel('device.capacity["gpu.example.com"].memory.compareTo(quantity("60Gi")) < 0')),
          ],
        },
      ],
      [],
      ['a=g1 b=g0'],
    ],
    [
      'of one kind',
      [{ requests: [exactly('a', { count: 2, ...big })], constraints: [{ matchAttribute: `${DRIVER}/numa` }] }],
      [],
      ['a=g2 a=g3'],
    ],
    [
      'of several kinds',
      [{ requests: [exactly('a', { count: 2 })], constraints: [{ distinctAttribute: `${DRIVER}/numa` }] }],
      [],
      ['a=g0 a=g2'],
    ],
  ])('%s', (_what, claims, taken, result) => {
    expect(find(claims, taken)).toEqual(result);
  });

  it('with taints are for those that tolerate them', () => {
    const all = [gpu('g0', '1Gi', 0, { taints: [{ key: 'sick', effect: 'NoSchedule' }] })];
    expect(find([{ requests: [exactly('a')] }], [], all)).toBeUndefined();
    const tolerations = [{ key: 'sick', operator: 'Exists' }];
    expect(find([{ requests: [exactly('a', { tolerations })] }], [], all)).toEqual(['a=g0']);
  });
});
