/**
 * Resource quantities: exact values with a suffix, e.g. `500m`, `128Mi`, `1e3`.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
import type { Quantity } from './schema/types.ts';

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A quantity as a whole number of nano units, so that arithmetic is exact. */
export interface Amount {
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;

const DECIMAL_EXPONENT: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_EXPONENT: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

const QUANTITY = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:([eE][+-]?[0-9]+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;
/** Longer than any real quantity; keeps hostile input from costing much. */
const MAX_LENGTH = 64;

/** Parses a quantity, rounding up to nano units as Kubernetes does. Undefined where it is malformed. */
export function parseQuantity(text: string | number): Amount | undefined {
  const s = String(text);
  if (s.length > MAX_LENGTH) return undefined;
  const m = QUANTITY.exec(s);
  if (m === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent, suffix] = m;
  if (whole === '' && fraction === '') return undefined;
  let format: QuantityFormat = 'DecimalSI';
  let shift = 9 - fraction.length;
  let value = BigInt(whole + fraction);
  if (exponent !== undefined) {
    format = 'DecimalExponent';
    const e = Number(exponent.slice(1));
    if (Math.abs(e) > 60) return undefined;
    shift += e;
  } else if (suffix !== undefined && suffix in BINARY_EXPONENT) {
    format = 'BinarySI';
    value <<= BigInt(BINARY_EXPONENT[suffix] ?? 0);
  } else {
    shift += DECIMAL_EXPONENT[suffix ?? ''] ?? 0;
  }
  let nano: bigint;
  if (shift >= 0) nano = value * 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    nano = (value + divisor - 1n) / divisor;
  }
  return { nano: sign === '-' ? -nano : nano, format };
}

/** As `parseQuantity`. @throws TypeError for what validation should have refused */
export function quantityOf(text: string | number): Amount {
  const amount = parseQuantity(text);
  if (amount === undefined) throw new TypeError(`${JSON.stringify(text)} is not a quantity`);
  return amount;
}

/** In whole units, rounded up: bytes of memory, a number of pods. */
export function wholeValue(text: string | number): number {
  return Number(ceilDivide(quantityOf(text).nano, NANO));
}

/** In thousandths, rounded up: millicores. */
export function milliValue(text: string | number): number {
  return Number(ceilDivide(quantityOf(text).nano, NANO / 1000n));
}

export function compareQuantities(a: string | number, b: string | number): number {
  const x = quantityOf(a).nano;
  const y = quantityOf(b).nano;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The sum, in the format of the first. */
export function addQuantities(a: string | number, b: string | number): Quantity {
  const x = quantityOf(a);
  return formatQuantity({ nano: x.nano + quantityOf(b).nano, format: x.format });
}

function ceilDivide(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b > 0n ? q + 1n : q;
}

const DECIMAL_SUFFIXES: readonly [number, string, string][] = [
  [18, 'E', 'e18'],
  [15, 'P', 'e15'],
  [12, 'T', 'e12'],
  [9, 'G', 'e9'],
  [6, 'M', 'e6'],
  [3, 'k', 'e3'],
  [0, '', ''],
  [-3, 'm', 'e-3'],
  [-6, 'u', 'e-6'],
  [-9, 'n', 'e-9'],
];

/** The canonical form: no fraction, the largest suffix that keeps the value exact. */
export function formatQuantity(amount: Amount): Quantity {
  const { nano, format } = amount;
  if (nano === 0n) return '0';
  if (format === 'BinarySI' && nano % NANO === 0n && (nano >= 1024n * NANO || nano <= -1024n * NANO)) {
    let value = nano / NANO;
    let suffix = '';
    for (const s of ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']) {
      if (value % 1024n !== 0n) break;
      value /= 1024n;
      suffix = s;
    }
    return `${value}${suffix}`;
  }
  for (const [power, si, exponent] of DECIMAL_SUFFIXES) {
    const unit = 10n ** BigInt(power + 9);
    if (nano % unit === 0n) return `${nano / unit}${format === 'DecimalExponent' ? exponent : si}`;
  }
  return `${nano}n`;
}

/** A quantity in its canonical form; the text itself where it is malformed (validation will say so). */
export function canonicalQuantity(text: string | number): Quantity {
  const amount = parseQuantity(text);
  return amount === undefined ? String(text) : formatQuantity(amount);
}

/** Bytes as a quantity in binary units. */
export function bytesQuantity(bytes: number): Quantity {
  return formatQuantity({ nano: BigInt(Math.round(bytes)) * NANO, format: 'BinarySI' });
}
