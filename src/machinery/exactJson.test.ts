import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exactInteger, parseExactJson, stringifyExactJson } from './exactJson.ts';

it.each([
  ['0', 0],
  ['-1', -1],
  ['9007199254740991', 9007199254740991],
  ['9007199254740992', 9007199254740992],
  ['9007199254740993', 9007199254740993n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['9223372036854775808', 2 ** 63],
  ['-9223372036854775809', -(2 ** 63)],
  ['123456789012345678901234567890', 1.2345678901234568e29],
])('%s is %s', (digits, value) => {
  expect(exactInteger(digits)).toBe(value);
});

it.each([
  '{"a":9223372036854775807,"b":[-9007199254740993,1.5,"9007199254740993"],"c":{"d":null}}',
  '[12345678901234567,1e+300,true]',
  '{"__proto__":9007199254740993}',
])('%s is the same when it is written again', (text) => {
  expect(stringifyExactJson(parseExactJson(text))).toBe(text);
});

it('is JSON as it always was, but for large numbers', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(stringifyExactJson(value)).toBe(text);
      expect(parseExactJson(text)).toEqual(JSON.parse(text));
    }),
  );
  expect(stringifyExactJson({ a: 1n }, 2)).toBe('{\n  "a": 1\n}');
  expect(stringifyExactJson(undefined)).toBeUndefined();
});

it('does not hide what cannot be written', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  expect(() => stringifyExactJson(circle)).toThrow(TypeError);
  expect(() => parseExactJson('{')).toThrow(SyntaxError);
});
