import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSyntaxError, parseJson } from './parseJson.ts';

describe('duplicate fields', () => {
  it.each<[string, string[]]>([
    ['{"a":1,"b":1}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"a":{"b":1},"c":{"b":1}}', []],
    ['{"a":{"b":1 , "b" : 2}}', ['a.b']],
    ['{"a":[{"b":1},{"b":1,"b":2}]}', ['a[1].b']],
    ['[[],[{"a":1,"a":2}]]', ['[1][0].a']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"a\\"":1,"a\\"":2}', ['a"']],
    ['{"a\\\\":1,"b":"\\\\","a\\\\":2}', ['a\\']],
    ['{"a":"a","b":["a","a"]}', []],
    ['{"a":{"x":1,"x":2},"a":{"x":1,"x":2}}', ['a.x', 'a']],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ])('of %s are %j', (text, duplicates) => expect(parseJson(text)).toEqual({ value: JSON.parse(text), duplicates }));

  it('are found among many', () => {
    const fields = Array.from({ length: 1000 }, (_, i) => `"k${i}":${i}`).join(',');
    expect(parseJson(`{${fields},"k500":0}`).duplicates).toEqual(['k500']);
    expect(parseJson(`{${fields}}`).duplicates).toEqual([]);
  });

  it('are reported up to a bound', () => {
    const fields = Array.from({ length: 1000 }, (_, i) => `"k${i}":0,"k${i}":0`).join(',');
    expect(parseJson(`{${fields}}`).duplicates).toHaveLength(50);
  });
});

it.each(['', ' ', '{', '}', '[}', '{"a"}', '{"a":1,}', '"', '"\\', "{'a':1}", 'nul', '{"a":1}{}', '\u0000'])(
  'refuses %j',
  (text) => expect(() => parseJson(text)).toThrow(JsonSyntaxError),
);

it('refuses what is nested too deep, before it costs anything', () => {
  expect(parseJson('['.repeat(1000) + ']'.repeat(1000)).duplicates).toEqual([]);
  expect(() => parseJson('['.repeat(1001) + ']'.repeat(1001))).toThrow('1000 levels');
  expect(() => parseJson('{"a":'.repeat(1_000_000))).toThrow(JsonSyntaxError);
  expect(parseJson('"[[[["').value).toBe('[[[[');
});

it('gives what JSON.parse gives, and no duplicates for what has none', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.nat(4), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      expect(parseJson(spaced)).toEqual({ value: JSON.parse(spaced), duplicates: [] });
    }),
  );
});

it('throws nothing but a JsonSyntaxError', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[{}[\]",:\\a1 ]{0,30}$/), (text) => {
      try {
        expect(parseJson(text).value).toEqual(JSON.parse(text));
      } catch (error) {
        expect(error).toBeInstanceOf(JsonSyntaxError);
      }
    }),
  );
});
