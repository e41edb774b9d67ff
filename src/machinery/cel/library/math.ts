/** math.greatest, math.least and the like. */
import { compare } from '../equality.ts';
import { CelError } from '../error.ts';
import { fn, type Overload } from '../overload.ts';
import { BOOL, DOUBLE, DYN, INT, listOf } from '../types.ts';
import type { ListValue, Value } from '../value.ts';
import { int64 } from './operators.ts';

const pick = (values: readonly Value[], sign: 1 | -1): Value => {
  const [first, ...rest] = values;
  if (first === undefined) throw new CelError('math.greatest() and math.least() need at least one value');
  return rest.reduce((best, next) => (compare(next, best) * sign > 0 ? next : best), first);
};

const MAX_ARGUMENTS = 8;
const extremes = (name: string, sign: 1 | -1): Overload[] => [
  fn(name, [listOf(DYN)], DYN, (list: ListValue) => pick([...list], sign)),
  ...Array.from({ length: MAX_ARGUMENTS }, (_, n) =>
    fn(
      name,
      Array.from({ length: n + 1 }, () => DYN),
      DYN,
      ((...args: unknown[]) => pick(args.slice(0, n + 1) as Value[], sign)) as never,
    ),
  ),
];

const bits = (name: string, run: (a: bigint, b: bigint) => bigint) =>
  fn(name, [INT, INT], INT, (a: bigint, b: bigint) => BigInt.asIntN(64, run(a, b)));
const rounding = (name: string, run: (a: number) => number) => fn(name, [DOUBLE], DOUBLE, (a: number) => run(a));

export const math: readonly Overload[] = [
  ...extremes('math.greatest', 1),
  ...extremes('math.least', -1),
  rounding('math.ceil', Math.ceil),
  rounding('math.floor', Math.floor),
  rounding('math.trunc', Math.trunc),
  rounding('math.round', (a) => Math.sign(a) * Math.round(Math.abs(a))),
  fn('math.sqrt', [DOUBLE], DOUBLE, (a: number) => Math.sqrt(a)),
  fn('math.sqrt', [INT], DOUBLE, (a: bigint) => Math.sqrt(Number(a))),
  fn('math.abs', [INT], INT, (a: bigint) => int64(a < 0n ? -a : a)),
  fn('math.abs', [DOUBLE], DOUBLE, (a: number) => Math.abs(a)),
  fn('math.sign', [INT], INT, (a: bigint) => (a < 0n ? -1n : a > 0n ? 1n : 0n)),
  fn('math.sign', [DOUBLE], DOUBLE, (a: number) => Math.sign(a)),
  fn('math.isNaN', [DOUBLE], BOOL, (a: number) => Number.isNaN(a)),
  fn('math.isInf', [DOUBLE], BOOL, (a: number) => a === Infinity || a === -Infinity),
  fn('math.isFinite', [DOUBLE], BOOL, (a: number) => Number.isFinite(a)),
  bits('math.bitAnd', (a, b) => a & b),
  bits('math.bitOr', (a, b) => a | b),
  bits('math.bitXor', (a, b) => a ^ b),
  fn('math.bitNot', [INT], INT, (a: bigint) => ~a),
];
