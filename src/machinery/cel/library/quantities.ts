/** Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library */
import { type Amount, addQuantities, compareQuantities, formatQuantity, parseQuantity } from '../../quantity.ts';
import { CelError } from '../error.ts';
import { fn, method, type Overload } from '../overload.ts';
import { BOOL, DOUBLE, INT, opaque, STRING } from '../types.ts';
import { OpaqueValue } from '../value.ts';
import { int64 } from './operators.ts';

const QUANTITY = opaque('kubernetes.Quantity');

class QuantityValue extends OpaqueValue {
  override readonly type = 'kubernetes.Quantity';
  readonly text: string;
  readonly amount: Amount;
  constructor(text: string) {
    super();
    const amount = parseQuantity(text);
    if (amount === undefined)
      throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    this.text = text;
    this.amount = amount;
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.text, other.text) === 0;
  }
  override toJson(): string {
    return formatQuantity(this.amount);
  }
}

const add = (a: QuantityValue, b: string) => new QuantityValue(addQuantities(a.text, b));
const sub = (a: QuantityValue, b: string) => add(a, b.startsWith('-') ? b.slice(1) : `-${b.replace(/^\+/, '')}`);

const NANO = 1_000_000_000n;

function isInteger({ amount }: QuantityValue): boolean {
  if (amount.nano % NANO !== 0n) return false;
  const value = amount.nano / NANO;
  return value <= 9223372036854775807n && value >= -9223372036854775808n;
}

export const quantities: readonly Overload[] = [
  fn('isQuantity', [STRING], BOOL, (text: string) => parseQuantity(text) !== undefined),
  fn('quantity', [STRING], QUANTITY, (text: string) => new QuantityValue(text)),
  method('isInteger', [QUANTITY], BOOL, isInteger),
  method('asInteger', [QUANTITY], INT, (q: QuantityValue) => {
    if (!isInteger(q)) throw new CelError('cannot convert value to integer');
    return int64(q.amount.nano / NANO);
  }),
  method('asApproximateFloat', [QUANTITY], DOUBLE, (q: QuantityValue) => Number(q.amount.nano) / 1e9),
  method('sign', [QUANTITY], INT, (q: QuantityValue) => BigInt(compareQuantities(q.text, '0'))),
  method('add', [QUANTITY, QUANTITY], QUANTITY, (a: QuantityValue, b: QuantityValue) => add(a, b.text)),
  method('add', [QUANTITY, INT], QUANTITY, (a: QuantityValue, b: bigint) => add(a, String(b))),
  method('sub', [QUANTITY, QUANTITY], QUANTITY, (a: QuantityValue, b: QuantityValue) => sub(a, b.text)),
  method('sub', [QUANTITY, INT], QUANTITY, (a: QuantityValue, b: bigint) => sub(a, String(b))),
  method(
    'isLessThan',
    [QUANTITY, QUANTITY],
    BOOL,
    (a: QuantityValue, b: QuantityValue) => compareQuantities(a.text, b.text) < 0,
  ),
  method(
    'isGreaterThan',
    [QUANTITY, QUANTITY],
    BOOL,
    (a: QuantityValue, b: QuantityValue) => compareQuantities(a.text, b.text) > 0,
  ),
  method('compareTo', [QUANTITY, QUANTITY], INT, (a: QuantityValue, b: QuantityValue) =>
    BigInt(compareQuantities(a.text, b.text)),
  ),
];
