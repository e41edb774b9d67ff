import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../apis/core/node.ts';
import { dealToZones, distributionHints, type Placed, zoneShares } from './hints.ts';

const node = (zone: string, cpu: string, ready = 'True', labels: Record<string, string> = {}): Node => ({
  metadata: { labels: { ...labels, ...(zone === '' ? {} : { 'topology.kubernetes.io/zone': zone }) } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
});
const in_ = (zone: string, count: number, from = 0): Placed[] =>
  Array.from({ length: count }, (_, i) => ({ key: `${zone}${from + i}`, zone, before: undefined }));
const counted = (dealt: ReturnType<typeof dealToZones>) => {
  if ('why' in dealt) return dealt.why;
  const counts: Record<string, number> = {};
  for (const zone of dealt.zones.values()) counts[zone] = (counts[zone] ?? 0) + 1;
  return counts;
};

describe('traffic distribution', () => {
  const endpoint = { addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'east', nodeName: 'n1' };
  it.each([
    ['PreferClose', { forZones: [{ name: 'east' }] }],
    ['PreferSameZone', { forZones: [{ name: 'east' }] }],
    ['PreferSameNode', { forZones: [{ name: 'east' }], forNodes: [{ name: 'n1' }] }],
    [undefined, undefined],
  ])('%s', (trafficDistribution, hints) => {
    const service = { spec: trafficDistribution === undefined ? {} : { trafficDistribution } };
    expect(distributionHints(service, endpoint)).toEqual(hints);
    expect(distributionHints(service, { ...endpoint, conditions: { ready: false } })).toBeUndefined();
  });
});

describe('zones', () => {
  it('are as large as the CPUs of their nodes that are ready', () => {
    const control = { 'node-role.kubernetes.io/control-plane': '' };
    const all = [
      node('a', '4'),
      node('b', '500m'),
      node('b', '1500m'),
      node('b', '8', 'False'),
      node('', '8', 'True', control),
    ];
    expect([...(zoneShares(all) ?? [])]).toEqual([
      ['a', 4 / 6],
      ['b', 2 / 6],
    ]);
    expect(zoneShares([node('a', '4'), node('', '4')])).toBeUndefined();
    expect(zoneShares([node('a', '4')])).toBeUndefined();
  });

  const even = new Map([
    ['a', 1 / 3],
    ['b', 1 / 3],
    ['c', 1 / 3],
  ]);
  it.each<[string, Placed[], unknown]>([
    ['as they are', [...in_('a', 2), ...in_('b', 2), ...in_('c', 2)], { a: 2, b: 2, c: 2 }],
    ['from the full to the empty', in_('a', 6), { a: 2, b: 2, c: 2 }],
    ['too few', in_('a', 2), 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
    [
      'too uneven',
      in_('a', 4),
      'Minimum allocation of required endpoints exceeds overload threshold (4 endpoints, 3 zones)',
    ],
    [
      'from nowhere',
      [...in_('a', 5), { key: 'x', zone: undefined, before: undefined }],
      'One or more endpoints do not have a zone specified',
    ],
  ])('get endpoints: %s', (_name, placed, result) => {
    expect(counted(dealToZones(placed, even))).toEqual(result);
  });

  it('get no fewer than is fair, whatever there is, and the same again', () => {
    const zones = ['a', 'b', 'c'];
    const share = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(fc.tuple(share, share, share), fc.array(fc.constantFrom(...zones), { maxLength: 40 }), (cpus, at) => {
        const total = cpus.reduce((a, b) => a + b, 0);
        const shares = new Map(zones.map((zone, i) => [zone, (cpus[i] ?? 0) / total]));
        const placed = at.map((zone, i) => ({ key: String(i), zone, before: undefined as string | undefined }));
        const dealt = dealToZones(placed, shares);
        if ('why' in dealt) return;
        for (const [zone, part] of shares) {
          const count = [...dealt.zones.values()].filter((z) => z === zone).length;
          expect(count).toBeGreaterThan((part * at.length) / 1.2 - 1);
        }
        const again = dealToZones(
          placed.map((p) => ({ ...p, before: dealt.zones.get(p.key) })),
          shares,
        );
        expect(again).toEqual(dealt);
      }),
      { numRuns: 200 },
    );
  });
});
