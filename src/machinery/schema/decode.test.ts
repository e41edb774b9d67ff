import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../freeze.ts';
import { decode } from './decode.ts';
import {
  any,
  bool,
  bytes,
  double,
  duration,
  int32,
  int64,
  intOrString,
  list,
  map,
  microTime,
  type ObjectType,
  object,
  opt,
  quantity,
  rawObject,
  req,
  str,
  time,
} from './types.ts';

const Thing: ObjectType = object('Thing', () => ({
  name: req(1, str),
  on: opt(2, bool),
  i32: opt(3, int32),
  i64: opt(4, int64),
  double: opt(5, double),
  bytes: opt(6, bytes),
  quantity: opt(7, quantity),
  either: opt(8, intOrString),
  time: opt(9, time),
  micro: opt(10, microTime),
  duration: opt(11, duration),
  raw: opt(12, rawObject),
  any: opt(13, any),
  things: opt(14, list(Thing)),
  labels: opt(15, map(str)),
  limits: opt(16, map(quantity)),
  byName: opt(17, map(Thing)),
}));
const Open = object('Open', () => ({ name: opt(1, str) }), { preserveUnknownFields: true });

describe('values', () => {
  it.each<[string, unknown, unknown]>([
    ['name', '', ''],
    ['labels', {}, undefined],
    ['things', [], undefined],
    ['on', false, false],
    ['i32', -2147483648, -2147483648],
    ['i64', 2 ** 40, 2 ** 40],
    ['i64', Number('9223372036854775807'), 2 ** 63 - 1024],
    ['double', 1.5, 1.5],
    ['bytes', '', ''],
    ['bytes', 'aGk=', 'aGk='],
    ['bytes', 'aG\nk=\r\n', 'aGk='],
    ['quantity', '1000m', '1'],
    ['quantity', 2, '2'],
    ['either', 80, 80],
    ['either', '50%', '50%'],
    ['time', '2026-01-31T23:59:59Z', '2026-01-31T23:59:59Z'],
    ['time', '2026-01-31T23:59:59.999Z', '2026-01-31T23:59:59Z'],
    ['time', '2026-02-28T23:30:00-01:30', '2026-03-01T01:00:00Z'],
    ['time', '2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['micro', '2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.123456Z'],
    ['micro', '2026-01-02T03:04:05.1234567+01:00', '2026-01-02T02:04:05.123456Z'],
    ['micro', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000Z'],
    ['duration', '1h2m0.5s', '1h2m0.5s'],
    ['raw', { a: [1, null] }, { a: [1, null] }],
    ['any', null, undefined],
    ['any', [1, 'a', null], [1, 'a', null]],
    ['things', [{ name: 'a' }, null], [{ name: 'a' }, {}]],
    ['labels', { a: 'b', c: null }, { a: 'b', c: '' }],
    ['limits', { cpu: '0.5' }, { cpu: '500m' }],
    ['byName', { a: { name: 'b', on: null } }, { a: { name: 'b' } }],
    ['name', null, undefined],
    ['things', null, undefined],
  ])('%s: %j becomes %j', (field, given, expected) => {
    const { value, unknown, errors } = decode<Record<string, unknown>>(Thing, { [field]: given });
    expect(errors).toEqual([]);
    expect(unknown).toEqual([]);
    expect(value[field]).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['name', 1],
    ['name', ['a']],
    ['on', 'true'],
    ['on', 0],
    ['i32', '1'],
    ['i32', 1.5],
    ['i32', 2147483648],
    ['i64', 1e19],
    ['i64', true],
    ['double', '1'],
    ['double', Number.POSITIVE_INFINITY],
    ['bytes', 'a'],
    ['bytes', '****'],
    ['bytes', 'aGk'],
    ['quantity', ''],
    ['quantity', '1 Gi'],
    ['quantity', true],
    ['either', 1.5],
    ['either', {}],
    ['time', ''],
    ['time', '2026-02-29T00:00:00Z'],
    ['time', '2026-04-31T00:00:00Z'],
    ['time', '2026-13-01T00:00:00Z'],
    ['time', '2026-01-01T24:00:00Z'],
    ['time', '2026-01-01T00:00:60Z'],
    ['time', '2026-01-01 00:00:00Z'],
    ['time', '2026-01-01'],
    ['time', 0],
    ['micro', '0000-01-01T00:00:00+24:00'],
    ['duration', '1'],
    ['duration', '1 s'],
    ['raw', []],
    ['raw', 'x'],
    ['things', {}],
    ['things', ['a']],
    ['labels', []],
    ['labels', { a: 1 }],
    ['limits', { cpu: 'x' }],
    ['byName', { a: 'b' }],
  ])('%s: %j is refused', (field, given) => {
    const { errors } = decode(Thing, { [field]: given });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.path.startsWith(field)).toBe(true);
  });
});

it('says where a fault is', () => {
  const { unknown, errors } = decode(Thing, {
    things: [{}, { labels: { 'a.b/c': 1 }, colour: 'red' }],
    byName: { x: { things: 'none' } },
    flavour: 1,
  });
  expect(errors).toEqual([
    { path: 'things[1].labels.a.b/c', message: 'expected a string, got the number 1' },
    { path: 'byName.x.things', message: 'expected a list, got a string' },
  ]);
  expect(unknown).toEqual(['things[1].colour', 'flavour']);
});

it('bounds what it reports', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`unknown${i}`, 1]));
  expect(decode(Thing, many).unknown).toHaveLength(50);
  expect(decode(Thing, { things: Array.from({ length: 1000 }, () => 1) }).errors).toHaveLength(50);
});

it.each([null, undefined, 1, 'x', [], true])('%j is no object', (value) => {
  expect(decode(Thing, value).errors).toHaveLength(1);
});

it('does not ask for required fields, nor know what others inherit', () => {
  expect(decode(Thing, {})).toEqual({ value: {}, unknown: [], errors: [] });
  expect(decode(Thing, { constructor: 1, toString: 2 }).unknown).toEqual(['constructor', 'toString']);
});

it('leaves the prototype alone', () => {
  const hostile = '{"__proto__":{"on":true},"labels":{"__proto__":"x"},"any":{"__proto__":{"polluted":1}}}';
  const { value, unknown } = decode<Record<string, unknown>>(Thing, JSON.parse(hostile));
  expect(unknown).toEqual(['__proto__']);
  expect(value.on).toBeUndefined();
  expect(Object.getPrototypeOf(value.labels)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(JSON.stringify(value)).toBe('{"labels":{"__proto__":"x"},"any":{"__proto__":{"polluted":1}}}');
});

it('keeps unknown fields where the type says so', () => {
  const given = deepFreeze({ name: 'a', extra: { deep: [1] } });
  const { value, unknown } = decode<typeof given>(Open, given);
  expect(value).toEqual(given);
  expect(unknown).toEqual([]);
  expect(Object.isFrozen(value.extra.deep)).toBe(false);
});

const word = fc.stringMatching(/^[a-z]{0,6}$/);
const { thing } = fc.letrec((tie) => ({
  thing: fc.record(
    {
      name: word,
      on: fc.boolean(),
      i32: fc.integer(),
      i64: fc.maxSafeInteger(),
      bytes: fc.base64String(),
      quantity: fc.constantFrom('1', '500m', '2Gi'),
      either: fc.oneof(word, fc.integer()),
      time: fc
        .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
        .map((d) => `${d.toISOString().slice(0, 19)}Z`),
      raw: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 })),
      things: fc.array(tie('thing'), { maxLength: 2 }),
      labels: fc.dictionary(word, word),
      byName: fc.dictionary(word, tie('thing'), { maxKeys: 2 }),
    },
    { requiredKeys: [] },
  ),
}));

/** Lists, maps and texts of nothing are as good as none, but in values that are kept as they are. */
function withoutEmpty(given: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const isNothing =
      value === '' || (name !== 'raw' && typeof value === 'object' && Object.keys(value ?? {}).length === 0);
    if (isNothing && name !== 'name' && name !== 'either' && name !== 'bytes') continue;
    if (name === 'things') out[name] = (value as Record<string, unknown>[]).map(withoutEmpty);
    else if (name === 'byName') {
      const entries = Object.entries(value as Record<string, Record<string, unknown>>);
      out[name] = Object.fromEntries(entries.map(([key, thing]) => [key, withoutEmpty(thing)]));
    } else out[name] = value;
  }
  return out;
}

it('gives back what is valid as it was, and the same the second time', () => {
  fc.assert(
    fc.property(thing, (given) => {
      const { value, unknown, errors } = decode<Record<string, unknown>>(
        Thing,
        deepFreeze(JSON.parse(JSON.stringify(given))),
      );
      expect([...unknown, ...errors]).toEqual([]);
      expect(value).toEqual(withoutEmpty(JSON.parse(JSON.stringify(given))));
    }),
  );
});

it('shares with what was before what did not change, and says the same as without it', () => {
  type Fields = Record<string, unknown>;
  fc.assert(
    fc.property(thing, thing, fc.subarray(Object.keys(Thing.fields)), (first, second, changed) => {
      const base = deepFreeze(decode<Fields>(Thing, JSON.parse(JSON.stringify(first))).value);
      const given = JSON.parse(JSON.stringify(first)) as Fields;
      for (const name of changed) given[name] = (JSON.parse(JSON.stringify(second)) as Fields)[name];
      const { value } = decode<Fields>(Thing, given, base);
      expect(value).toEqual(decode(Thing, given).value);
      for (const name of Object.keys(value)) if (!changed.includes(name)) expect(value[name]).toBe(base[name]);
      if (changed.length === 0) expect(value).toBe(base);
      expect(decode(Thing, base, base).value).toBe(base);
    }),
  );
  const base = deepFreeze({ labels: { a: '1' }, things: [{ name: 'x' }, { name: 'y' }] });
  const { value } = decode<typeof base>(
    Thing,
    JSON.parse('{"labels":{"__proto__":{}},"things":[{"name":"x"},{"name":"z"}]}'),
    base,
  );
  expect(value.labels).not.toBe(base.labels);
  expect(value.things[0]).toBe(base.things[0]);
  expect(value.things[1]).toEqual({ name: 'z' });
});

it('throws at nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(Thing.fields)), (given, field) => {
      const first = decode<Record<string, unknown>>(Thing, { [field]: given });
      const again = decode(Thing, first.value);
      if (first.errors.length === 0) expect(again).toEqual({ value: first.value, unknown: [], errors: [] });
    }),
  );
});
