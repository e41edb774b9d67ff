import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ZoneState, Zones } from './zones.ts';

/** @param counts of nodes of each zone: ready, not ready */
function zonesOf(counts: Readonly<Record<string, readonly [number, number]>>): Zones {
  const zones = new Zones();
  for (const [zone, [ready, notReady]] of Object.entries(counts)) {
    for (let i = 0; i < ready + notReady; i++) zones.set(`${zone}${i}`, zone, i < ready);
  }
  return zones;
}

describe('a zone', () => {
  it.each<[number, number, ZoneState]>([
    [1, 0, 'Normal'],
    [0, 1, 'FullDisruption'],
    [1, 2, 'Normal'],
    [3, 3, 'Normal'],
    [2, 3, 'PartialDisruption'],
    [45, 55, 'PartialDisruption'],
    [46, 54, 'Normal'],
  ])('of %i nodes that are ready and %i that are not: %s', (ready, notReady, state) => {
    expect(zonesOf({ a: [ready, notReady] }).stateOf('a')).toBe(state);
  });

  it.each<[string, Readonly<Record<string, readonly [number, number]>>, number | undefined]>([
    ['one node every ten seconds', { a: [5, 2] }, 10_000],
    ['none, where it is small and disrupted', { a: [2, 3], b: [1, 0] }, undefined],
    ['one every hundred seconds, where it is large and disrupted', { a: [20, 40], b: [1, 0] }, 100_000],
    ['as ever, where it is down and another is not', { a: [0, 3], b: [1, 0] }, 10_000],
    ['none, where all are down', { a: [0, 3], b: [0, 1] }, undefined],
  ])('loses pods: %s', (_what, counts, everyMs) => {
    const zones = zonesOf(counts);
    expect(zones.evict('a', 0)).toBe(everyMs === undefined ? undefined : 0);
    expect(zones.evict('a', 1)).toBe(everyMs === undefined ? undefined : everyMs - 1);
    if (everyMs !== undefined) expect(zones.evict('a', everyMs)).toBe(0);
  });

  it('tells all nodes when the last falls silent, and when the first is heard again', () => {
    const zones = zonesOf({ a: [1, 0], b: [1, 0] });
    expect(zones.set('a0', 'a', false)).toEqual({ nodes: ['a0'], restored: false });
    const end = zones.set('b0', 'b', false);
    expect([...end.nodes].sort()).toEqual(['a0', 'b0']);
    expect(zones.allDown).toBe(true);
    expect(zones.set('b0', 'b', true)).toMatchObject({ restored: true });
    expect(zones.allDown).toBe(false);
  });

  it('counts right, whatever comes, goes and moves', () => {
    const step = fc.record({
      node: fc.nat(8),
      zone: fc.constantFrom('a', 'b', 'c'),
      ready: fc.boolean(),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const zones = new Zones();
        const truth = new Map<number, { zone: string; ready: boolean }>();
        for (const { node, zone, ready, gone } of steps) {
          if (gone) truth.delete(node);
          else truth.set(node, { zone, ready });
          if (gone) zones.remove(`n${node}`);
          else zones.set(`n${node}`, zone, ready);
          const all = [...truth.values()];
          expect(zones.allDown).toBe(all.length > 0 && all.every((n) => !n.ready));
          for (const name of ['a', 'b', 'c']) {
            const of = all.filter((n) => n.zone === name);
            const down = of.filter((n) => !n.ready).length;
            const partial = down > 2 && down / of.length >= 0.55 ? 'PartialDisruption' : 'Normal';
            expect(zones.stateOf(name)).toBe(down > 0 && down === of.length ? 'FullDisruption' : partial);
          }
        }
      }),
    );
  });
});
