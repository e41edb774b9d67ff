import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cloneJson } from './clone.ts';
import { deepFreeze } from './freeze.ts';
import { jsonEqual } from './jsonEqual.ts';

it('copies any JSON value, sharing nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = cloneJson(deepFreeze(value));
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      expect(jsonEqual(copy, value)).toBe(true);
      if (typeof copy === 'object' && copy !== null) expect(Object.isFrozen(copy)).toBe(false);
    }),
  );
});

it('keeps __proto__ a field', () => {
  const copy = cloneJson(deepFreeze(JSON.parse('{"__proto__":{"a":1}}') as { __proto__: { a: number } }));
  expect(Object.keys(copy)).toEqual(['__proto__']);
  expect(Object.isFrozen(Object.getOwnPropertyDescriptor(copy, '__proto__')?.value)).toBe(false);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});
