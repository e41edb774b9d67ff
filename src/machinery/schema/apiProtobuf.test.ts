import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeApiProtobuf, openEnvelope } from './apiProtobuf.ts';
import { ProtobufError } from './protobuf.ts';
import {
  bool,
  bytes,
  duration,
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
  str,
  time,
} from './types.ts';

const Thing: ObjectType = object('Thing', () => ({
  name: opt(1, str),
  on: opt(2, bool),
  count: opt(3, int64),
  at: opt(4, time),
  micro: opt(5, microTime),
  limits: opt(6, map(quantity)),
  either: opt(7, intOrString),
  raw: opt(8, rawObject),
  things: opt(9, list(Thing)),
  counts: opt(10, list(int64)),
  data: opt(11, bytes),
  every: opt(12, duration),
}));

const varint = (value: bigint | number): number[] => {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
};
const number = (field: number, value: bigint | number) => [...varint(field << 3), ...varint(value)];
const block = (field: number, content: string | number[]) => {
  const inside = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint((field << 3) | 2), ...varint(inside.length), ...inside];
};
const read = (message: number[]) => decodeApiProtobuf(Thing, Buffer.from(message));
const second = (text: string) => Date.parse(text) / 1000;

describe('an object in protobuf', () => {
  it.each<[string, number[], unknown]>([
    ['texts, of which the last counts', [...block(1, ''), ...block(1, 'a')], { name: 'a' }],
    ['numbers', [...number(2, 1), ...number(3, -5)], { on: true, count: -5 }],
    [
      'lists of numbers, packed or not',
      [...number(10, 1), ...block(10, [...varint(2), ...varint(3)])],
      { counts: [1, 2, 3] },
    ],
    ['times', block(4, number(1, second('2026-01-02T03:04:05Z'))), { at: '2026-01-02T03:04:05Z' }],
    [
      'microseconds',
      block(5, [...number(1, second('2026-01-02T03:04:05Z')), ...number(2, 1_234_999)]),
      { micro: '2026-01-02T03:04:05.001234Z' },
    ],
    ['no time, and the zero time of Go', [...block(4, []), ...block(5, number(1, -62_135_596_800n))], {}],
    ['quantities in maps', block(6, [...block(1, 'cpu'), ...block(2, block(1, '500m'))]), { limits: { cpu: '500m' } }],
    ['numbers or texts', block(7, [...number(1, 1), ...block(3, '50%')]), { either: '50%' }],
    ['texts or numbers', block(7, [...number(1, 0), ...number(2, 80)]), { either: 80 }],
    ['embedded JSON', block(8, block(1, '{"a":[1]}')), { raw: { a: [1] } }],
    ['messages in messages', block(9, block(9, block(1, 'deep'))), { things: [{ things: [{ name: 'deep' }] }] }],
    ['bytes', block(11, 'hi'), { data: 'aGk=' }],
    ['durations', block(12, number(1, 1_500_000_000)), { every: '1.5s' }],
  ])('has %s', (_what, message, expected) => expect(read(message)).toEqual(expected));

  it.each<[string, number[]]>([
    ['a field that is not known', block(99, 'x')],
    ['a wire type that does not fit', number(1, 1)],
    ['an end too early', [...varint((1 << 3) | 2), 5, 0x61]],
    ['a number without end', [...varint(3 << 3), ...Array<number>(11).fill(0xff)]],
    ['a time after the last', block(4, number(1, 10n ** 17n))],
    ['a time of text', block(4, block(1, 'now'))],
    ['embedded text that is no JSON', block(8, block(1, '{'))],
    ['embedded JSON too deep', block(8, block(1, `${'['.repeat(5000)}${']'.repeat(5000)}`))],
    ['messages too deep', Array.from({ length: 150 }).reduce<number[]>((inside) => block(9, inside), [])],
  ])('with %s is refused', (_what, message) => expect(() => read(message)).toThrow(ProtobufError));

  it('of random bytes is refused as one, or read', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.constantFrom(...block(4, number(1, 5)), ...block(8, block(1, '{}')), ...number(3, 2 ** 40)), {
        maxLength: 30,
      }),
    );
    fc.assert(
      fc.property(hostile, (message) => {
        try {
          read([...message]);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('an envelope names the kind', () => {
  const meta = block(1, [...block(1, 'apps/v1'), ...block(2, 'Deployment')]);
  const { apiVersion, kind, raw } = openEnvelope(
    Buffer.from([0x6b, 0x38, 0x73, 0, ...meta, ...block(2, 'raw'), ...block(3, '')]),
  );
  expect([apiVersion, kind, raw.toString()]).toEqual(['apps/v1', 'Deployment', 'raw']);
  expect(() => openEnvelope(Buffer.from('{}'))).toThrow(ProtobufError);
  expect(() => openEnvelope(Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a]))).toThrow(ProtobufError);
});
