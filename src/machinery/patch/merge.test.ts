import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deepFreeze } from '../freeze.ts';
import { jsonEqual } from '../jsonEqual.ts';
import type { JsonObject, JsonValue } from '../schema/types.ts';
import { isObject, mergePatch } from './merge.ts';

// The examples of RFC 7386, appendix A.
it.each<[JsonValue, JsonValue, JsonValue]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j with %j is %j', (target, patch, expected) => {
  expect(mergePatch(deepFreeze(target), deepFreeze(patch))).toEqual(expected);
});

/** The patch that makes `b` of `a`, for values without null. */
function difference(a: JsonValue | undefined, b: JsonValue): JsonValue {
  if (!isObject(a) || !isObject(b)) return b;
  const patch: JsonObject = {};
  for (const key of Object.keys(a)) if (!Object.hasOwn(b, key)) patch[key] = null;
  for (const key of Object.keys(b)) {
    const value = b[key] as JsonValue;
    if (!Object.hasOwn(a, key) || !jsonEqual(a[key], value)) patch[key] = difference(a[key], value);
  }
  return patch;
}

const { tree: value } = fc.letrec<{ tree: JsonValue }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue>('x', 1, true),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree')),
  ),
}));

it('makes any value of any other', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(mergePatch(a, difference(a, b))).toEqual(b);
    }),
  );
});

it('changes nothing the second time', () => {
  fc.assert(
    fc.property(value, value, (target, patch) => {
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
    }),
  );
});

it('leaves the prototype alone', () => {
  mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}') as JsonValue);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
