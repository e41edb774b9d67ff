import { expect, test } from 'vitest';
import { parseFieldSet } from './fieldSet.ts';

test('what stands in no order is put in order, however it is written', () => {
  const set = parseFieldSet({
    'f:b': { 'f:x': {} },
    'k:{"name":"c"}': { 'f:y': {} },
    'f:a': {},
    'k:{ "name": "c" }': { '.': {}, 'f:z': {} },
    'f:b ': {},
  });
  expect(JSON.stringify(set)).toBe(
    '{"f:a":{},"f:b":{"f:x":{}},"f:b ":{},"k:{\\"name\\":\\"c\\"}":{".":{},"f:y":{},"f:z":{}}}',
  );
});

test('many fields in no order take no longer than many in order', () => {
  const fields = Array.from({ length: 60_000 }, (_, i) => [`f:k${60_000 - i}`, {}]);
  const began = performance.now();
  expect(Object.keys(parseFieldSet(Object.fromEntries(fields)) ?? {})).toHaveLength(60_000);
  // One by one they would take minutes.
  expect(performance.now() - began).toBeLessThan(15_000);
});
