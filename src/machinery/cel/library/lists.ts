/** Kubernetes' functions on lists. Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library */
import { compare, equal } from '../equality.ts';
import { CelError } from '../error.ts';
import { fn, method, type Overload, type Run } from '../overload.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, INT, listOf, param, STRING, TIMESTAMP, UINT } from '../types.ts';
import { Duration, ListValue, Uint, type Value } from '../value.ts';
import { int64 } from './operators.ts';

const T = param('T');
const COMPARABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];

function isSorted(list: ListValue, run: Run): boolean {
  let before: Value | undefined;
  for (const item of list) {
    run.spend(1);
    if (before !== undefined && compare(before, item) > 0) return false;
    before = item;
  }
  return true;
}

function extreme(list: ListValue, run: Run, sign: 1 | -1): Value {
  let found: Value | undefined;
  for (const item of list) {
    run.spend(1);
    if (found === undefined || compare(item, found) * sign > 0) found = item;
  }
  if (found === undefined) throw new CelError(`${sign > 0 ? 'max' : 'min'} called on empty list`);
  return found;
}

function sum(list: ListValue, run: Run, zero: Value): Value {
  let total: Value = zero;
  for (const item of list) {
    run.spend(1);
    total = plus(list.size > 0 && total === zero ? zeroLike(item) : total, item);
  }
  return total;
}

function zeroLike(value: Value): Value {
  if (typeof value === 'number') return 0;
  if (value instanceof Uint) return new Uint(0n);
  if (value instanceof Duration) return new Duration(0n);
  return 0n;
}

function plus(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a + b);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof Uint && b instanceof Uint) return new Uint(a.value + b.value);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos);
  throw new CelError('no such overload');
}

function find(list: ListValue, wanted: Value, run: Run, backwards: boolean): bigint {
  for (let n = 0; n < list.size; n++) {
    const i = backwards ? list.size - 1 - n : n;
    if (equal(list.at(i), wanted, run)) return BigInt(i);
  }
  return -1n;
}

function flatten(list: ListValue, depth: bigint, run: Run): ListValue {
  if (depth < 0n) throw new CelError('level must be non-negative');
  const out: Value[] = [];
  for (const item of list) {
    run.spend(1);
    if (item instanceof ListValue && depth > 0n) for (const inner of flatten(item, depth - 1n, run)) out.push(inner);
    else out.push(item);
  }
  return new ListValue(out);
}

function distinct(list: ListValue, run: Run): ListValue {
  const out: Value[] = [];
  for (const item of list) if (!out.some((other) => equal(other, item, run))) out.push(item);
  return new ListValue(out);
}

export const lists: readonly Overload[] = [
  ...COMPARABLE.flatMap((type) => [
    method('isSorted', [listOf(type)], BOOL, isSorted),
    method('min', [listOf(type)], type, (list: ListValue, run: Run) => extreme(list, run, -1)),
    method('max', [listOf(type)], type, (list: ListValue, run: Run) => extreme(list, run, 1)),
    method('sort', [listOf(type)], listOf(type), (list: ListValue, run: Run) => {
      run.spend(list.size * Math.ceil(Math.log2(list.size + 2)));
      return new ListValue([...list].sort(compare));
    }),
  ]),
  ...(
    [
      [INT, 0n],
      [UINT, new Uint(0n)],
      [DOUBLE, 0],
      [DURATION, new Duration(0n)],
    ] as const
  ).map(([type, zero]) => method('sum', [listOf(type)], type, (list: ListValue, run: Run) => sum(list, run, zero))),
  method('indexOf', [listOf(T), T], INT, (list: ListValue, item: Value, run: Run) => find(list, item, run, false)),
  method('lastIndexOf', [listOf(T), T], INT, (list: ListValue, item: Value, run: Run) => find(list, item, run, true)),
  method('slice', [listOf(T), INT, INT], listOf(T), (list: ListValue, from: bigint, to: bigint, run: Run) => {
    run.spend(list.size);
    if (from < 0n || to < from || to > BigInt(list.size)) {
      throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.size}`);
    }
    return new ListValue([...list].slice(Number(from), Number(to)));
  }),
  method('reverse', [listOf(T)], listOf(T), (list: ListValue, run: Run) => {
    run.spend(list.size);
    return new ListValue([...list].reverse());
  }),
  method('distinct', [listOf(T)], listOf(T), distinct),
  method('flatten', [listOf(T)], listOf(T), (list: ListValue, run: Run) => flatten(list, 1n, run)),
  method('flatten', [listOf(T), INT], listOf(T), flatten),
  fn('lists.range', [INT], listOf(INT), (n: bigint, run: Run) => {
    if (n < 0n || n > 1_000_000n) throw new CelError('range out of bounds');
    run.spend(Number(n));
    return new ListValue(Array.from({ length: Number(n) }, (_, i) => BigInt(i)));
  }),
];
