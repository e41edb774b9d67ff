import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonEqual } from './jsonEqual.ts';

it.each([
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: undefined }, { b: undefined }, true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [{ a: undefined, b: 1 }, { a: 1, b: undefined }, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{}, [], false],
  [{}, null, false],
  ['1', 1, false],
  [{ toString: 1 }, {}, false],
])('%j and %j: %j', (a, b, equal) => {
  expect(jsonEqual(a, b)).toBe(equal);
  expect(jsonEqual(b, a)).toBe(equal);
});

/** Object fields in another order, all the way down. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

it('sees no order of fields, and every other difference', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(jsonEqual(a, reversed(a))).toBe(true);
      const canonical = (value: unknown) => JSON.stringify(value, (_key, item: unknown) => sorted(item));
      expect(jsonEqual(a, b)).toBe(canonical(a) === canonical(b));
    }),
  );
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
