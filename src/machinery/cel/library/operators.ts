/** Arithmetic, order, equality, membership, size. */
import { compare, equal } from '../equality.ts';
import { CelError } from '../error.ts';
import { fn, method, type Overload, type Run } from '../overload.ts';
import { Timestamp } from '../timestamp.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  param,
  STRING,
  TIMESTAMP,
  UINT,
} from '../types.ts';
import { type AnyMap, Duration, ListValue, Uint, type Value } from '../value.ts';

const MIN = -9223372036854775808n;
const MAX = 9223372036854775807n;

/** @throws CelError */
export function int64(value: bigint): bigint {
  if (value < MIN || value > MAX) throw new CelError('integer overflow');
  return value;
}

const A = param('A');
const B = param('B');

const nonZero = (divisor: bigint, what: string): bigint => {
  if (divisor === 0n) throw new CelError(what);
  return divisor;
};

const arithmetic: Overload[] = [
  fn('_+_', [INT, INT], INT, (a: bigint, b: bigint) => int64(a + b)),
  fn('_-_', [INT, INT], INT, (a: bigint, b: bigint) => int64(a - b)),
  fn('_*_', [INT, INT], INT, (a: bigint, b: bigint) => int64(a * b)),
  fn('_/_', [INT, INT], INT, (a: bigint, b: bigint) => int64(a / nonZero(b, 'division by zero'))),
  fn('_%_', [INT, INT], INT, (a: bigint, b: bigint) => a % nonZero(b, 'modulus by zero')),
  fn('-_', [INT], INT, (a: bigint) => int64(-a)),
  fn('_+_', [UINT, UINT], UINT, (a: Uint, b: Uint) => new Uint(a.value + b.value)),
  fn('_-_', [UINT, UINT], UINT, (a: Uint, b: Uint) => new Uint(a.value - b.value)),
  fn('_*_', [UINT, UINT], UINT, (a: Uint, b: Uint) => new Uint(a.value * b.value)),
  fn('_/_', [UINT, UINT], UINT, (a: Uint, b: Uint) => new Uint(a.value / nonZero(b.value, 'division by zero'))),
  fn('_%_', [UINT, UINT], UINT, (a: Uint, b: Uint) => new Uint(a.value % nonZero(b.value, 'modulus by zero'))),
  fn('_+_', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a + b),
  fn('_-_', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a - b),
  fn('_*_', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a * b),
  fn('_/_', [DOUBLE, DOUBLE], DOUBLE, (a: number, b: number) => a / b),
  fn('-_', [DOUBLE], DOUBLE, (a: number) => -a),
  fn('_+_', [STRING, STRING], STRING, (a: string, b: string, run: Run) => {
    run.spend((a.length + b.length) / 10);
    return a + b;
  }),
  fn('_+_', [BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array, run: Run) => {
    run.spend((a.length + b.length) / 10);
    return Buffer.concat([a, b]);
  }),
  fn('_+_', [listOf(A), listOf(A)], listOf(A), (a: ListValue, b: ListValue, run: Run) => {
    run.spend(a.size + b.size);
    return new ListValue([...a, ...b]);
  }),
  fn('_+_', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => new Timestamp(a.nanos + b.nanos)),
  fn('_+_', [DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) => new Timestamp(a.nanos + b.nanos)),
  fn('_+_', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(int64(a.nanos + b.nanos))),
  fn('_-_', [TIMESTAMP, TIMESTAMP], DURATION, (a: Timestamp, b: Timestamp) => new Duration(int64(a.nanos - b.nanos))),
  fn('_-_', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => new Timestamp(a.nanos - b.nanos)),
  fn('_-_', [DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(int64(a.nanos - b.nanos))),
  fn('!_', [BOOL], BOOL, (a: boolean) => !a),
];

const NUMBERS = [INT, UINT, DOUBLE];
const ORDERED: readonly (readonly [CelType, CelType])[] = [
  ...NUMBERS.flatMap((a) => NUMBERS.map((b) => [a, b] as const)),
  ...[BOOL, STRING, BYTES, TIMESTAMP, DURATION].map((t) => [t, t] as const),
];

const order: Overload[] = ORDERED.flatMap(([a, b]) => [
  fn('_<_', [a, b], BOOL, (x: Value, y: Value) => compare(x, y) < 0),
  fn('_<=_', [a, b], BOOL, (x: Value, y: Value) => compare(x, y) <= 0),
  fn('_>_', [a, b], BOOL, (x: Value, y: Value) => compare(x, y) > 0),
  fn('_>=_', [a, b], BOOL, (x: Value, y: Value) => compare(x, y) >= 0),
]);

/** Code points, as CEL counts. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) count--;
  }
  return count;
}

const sizes: readonly (readonly [CelType, (value: never) => bigint])[] = [
  [STRING, (v: string) => BigInt(codePoints(v))],
  [BYTES, (v: Uint8Array) => BigInt(v.length)],
  [listOf(A), (v: ListValue) => BigInt(v.size)],
  [mapOf(A, B), (v: AnyMap) => BigInt(v.size)],
];

export const operators: readonly Overload[] = [
  ...arithmetic,
  ...order,
  fn('_==_', [A, A], BOOL, (a: Value, b: Value, run: Run) => equal(a, b, run)),
  fn('_!=_', [A, A], BOOL, (a: Value, b: Value, run: Run) => !equal(a, b, run)),
  fn('@in', [A, listOf(A)], BOOL, (a: Value, list: ListValue, run: Run) => {
    for (const item of list) if (equal(a, item, run)) return true;
    return false;
  }),
  fn('@in', [A, mapOf(A, B)], BOOL, (a: Value, map: AnyMap) => map.get(a) !== undefined),
  ...sizes.flatMap(([type, size]) => [fn('size', [type], INT, size), method('size', [type], INT, size)]),
  fn('dyn', [A], DYN, (a: Value) => a),
];
