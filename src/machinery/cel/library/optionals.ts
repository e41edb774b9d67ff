/** Values that may be absent. The macros optMap and optFlatMap are the parser's. */
import { CelError } from '../error.ts';
import { fn, method, type Overload } from '../overload.ts';
import { BOOL, listOf, optionalOf, param } from '../types.ts';
import { isMap, ListValue, Optional, Uint, type Value } from '../value.ts';

const T = param('T');

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === 0n || value === '') return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof ListValue || isMap(value)) return value.size === 0;
  return value instanceof Uint8Array && value.length === 0;
}

export const optionals: readonly Overload[] = [
  fn('optional.of', [T], optionalOf(T), (value: Value) => new Optional(value)),
  fn('optional.none', [], optionalOf(T), () => new Optional()),
  fn('optional.ofNonZeroValue', [T], optionalOf(T), (value: Value) =>
    isZero(value) ? new Optional() : new Optional(value),
  ),
  method('hasValue', [optionalOf(T)], BOOL, (o: Optional) => o.value !== undefined),
  method('value', [optionalOf(T)], T, (o: Optional) => {
    if (o.value === undefined) throw new CelError('optional.none() dereference');
    return o.value;
  }),
  method('or', [optionalOf(T), optionalOf(T)], optionalOf(T), (o: Optional, other: Optional) =>
    o.value === undefined ? other : o,
  ),
  method(
    'orValue',
    [optionalOf(T), T],
    T,
    (o: Optional, other: Value) => o.value ?? (o.value === undefined ? other : o.value),
  ),
  fn('optional.unwrap', [listOf(optionalOf(T))], listOf(T), unwrap),
  method('unwrapOpt', [listOf(optionalOf(T))], listOf(T), unwrap),
];

function unwrap(list: ListValue): ListValue {
  const out: Value[] = [];
  for (const item of list) {
    if (!(item instanceof Optional)) throw new CelError('no such overload');
    if (item.value !== undefined) out.push(item.value);
  }
  return new ListValue(out);
}
