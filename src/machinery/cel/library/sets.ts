/** sets.contains and the like. */
import { equal } from '../equality.ts';
import { fn, type Overload, type Run } from '../overload.ts';
import { BOOL, listOf, param } from '../types.ts';
import type { ListValue } from '../value.ts';

const T = param('T');

function contains(a: ListValue, b: ListValue, run: Run): boolean {
  const all = [...a];
  for (const item of b) if (!all.some((other) => equal(other, item, run))) return false;
  return true;
}

export const sets: readonly Overload[] = [
  fn('sets.contains', [listOf(T), listOf(T)], BOOL, contains),
  fn(
    'sets.equivalent',
    [listOf(T), listOf(T)],
    BOOL,
    (a: ListValue, b: ListValue, run: Run) => contains(a, b, run) && contains(b, a, run),
  ),
  fn('sets.intersects', [listOf(T), listOf(T)], BOOL, (a: ListValue, b: ListValue, run: Run) => {
    const all = [...a];
    for (const item of b) if (all.some((other) => equal(other, item, run))) return true;
    return false;
  }),
];
