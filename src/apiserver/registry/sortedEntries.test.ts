import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Entry } from './entry.ts';
import { SortedEntries } from './sortedEntries.ts';

const entry = (key: string, revision = 0) => ({ key, revision }) as Entry;
const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);

it('has what was put and not deleted, in order, as a whole and below each prefix', () => {
  const key = fc.tuple(fc.constantFrom('a/', 'ab/', 'b/'), fc.nat(2_000)).map(([space, n]) => `/${space}${n}`);
  fc.assert(
    fc.property(
      fc.array(key, { maxLength: 1_500 }),
      fc.array(key, { maxLength: 3_000 }),
      fc.array(key),
      (first, puts, gone) => {
        const model = new Map([...new Set(first)].map((k) => [k, 0]));
        const sorted = new SortedEntries([...model.keys()].map((k) => entry(k)));
        for (const [i, k] of puts.entries()) {
          sorted.put(entry(k, i));
          model.set(k, i);
        }
        const before = sorted.all();
        const seen = keysOf(before);
        for (const k of [...gone, ...puts.slice(0, puts.length >> 1)]) {
          sorted.delete(k);
          model.delete(k);
        }
        expect(keysOf(before)).toEqual(seen);
        const wanted = [...model.keys()].sort();
        expect(keysOf(sorted.all())).toEqual(wanted);
        for (const { key: k, revision } of sorted.all()) expect(revision).toBe(model.get(k));
        for (const prefix of ['/', '/a/', '/ab/', '/b/', '/c/']) {
          expect(keysOf(sorted.below(prefix))).toEqual(wanted.filter((k) => k.startsWith(prefix)));
        }
      },
    ),
    { numRuns: 30 },
  );
});
