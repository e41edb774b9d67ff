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

/** The most that a quantity with a binary suffix can be: a signed 64-bit integer. */
const MAX_BINARY = (2n ** 63n - 1n) * NANO;

/** What was read before: the same few amounts stand in nearly all objects. */
const known = new Map<string, Amount | undefined>();
const MAX_KNOWN = 1_000;

/** Parses a quantity, rounding away from zero to nano units as Kubernetes does. Undefined where it is malformed. */
export function parseQuantity(text: string | number): Amount | undefined {
  const s = String(text).trim();
  if (s.length > MAX_LENGTH) return undefined;
  let amount = known.get(s);
  if (amount === undefined && !known.has(s)) {
    amount = readQuantity(s);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(s, amount);
  }
  return amount;
}

function readQuantity(s: string): Amount | undefined {
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
  if (format === 'BinarySI') {
    if (nano > MAX_BINARY) nano = MAX_BINARY;
    if (nano < NANO) format = 'DecimalSI';
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
  const quick = plainMilli(a) - plainMilli(b);
  if (!Number.isNaN(quick)) return Math.sign(quick);
  const x = quantityOf(a).nano;
  const y = quantityOf(b).nano;
  return x < y ? -1 : x > y ? 1 : 0;
}

const ZERO = 48;
const NINE = 57;
const MOST_DIGITS = 9;
const PLAIN_SUFFIX: ReadonlyMap<string, number> = new Map([
  ['m', 1],
  ['', 1000],
  ['k', 1e6],
  ['M', 1e9],
  ['G', 1e12],
  ['Ki', 1000 * 2 ** 10],
  ['Mi', 1000 * 2 ** 20],
  ['Gi', 1000 * 2 ** 30],
]);

/**
 * A plain amount (`500m`, `2`, `128Mi`) in thousandths, exactly; NaN for any other, which goes the long way. A hot
 * path: nearly all amounts that are compared are plain, and this takes a twentieth of the time that bigints take.
 */
export function plainMilli(text: string | number): number {
  const s = String(text);
  let digits = 0;
  let value = 0;
  for (; digits < s.length; digits++) {
    const code = s.charCodeAt(digits);
    if (code < ZERO || code > NINE) break;
    value = value * 10 + (code - ZERO);
  }
  if (digits === 0 || digits > MOST_DIGITS) return Number.NaN;
  const scaled = value * (PLAIN_SUFFIX.get(s.slice(digits)) ?? Number.NaN);
  return scaled <= Number.MAX_SAFE_INTEGER ? scaled : Number.NaN;
}

/** The sum, in the format of the first; in that of the second where the first is nothing. */
export function addQuantities(a: string | number, b: string | number): Quantity {
  const x = quantityOf(a);
  const y = quantityOf(b);
  return formatQuantity({ nano: x.nano + y.nano, format: x.nano === 0n ? y.format : x.format });
}

function ceilDivide(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b > 0n ? q + 1n : q;
}

const DECIMAL_SUFFIXES: readonly [number, string][] = [
  [18, 'E'],
  [15, 'P'],
  [12, 'T'],
  [9, 'G'],
  [6, 'M'],
  [3, 'k'],
  [0, ''],
  [-3, 'm'],
  [-6, 'u'],
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
  if (format === 'DecimalExponent') {
    let power = -9;
    let value = nano;
    for (; value % 1000n === 0n; value /= 1000n) power += 3;
    return power === 0 ? `${value}` : `${value}e${power}`;
  }
  for (const [power, suffix] of DECIMAL_SUFFIXES) {
    const unit = 10n ** BigInt(power + 9);
    if (nano % unit === 0n) return `${nano / unit}${suffix}`;
  }
  return `${nano}n`;
}

/** The usual forms that are canonical as they stand: up to three digits and a suffix. Spares the hot path the arithmetic. */
const CANONICAL = /^[1-9][0-9]{0,2}(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;

/** A quantity in its canonical form; the text itself where it is malformed (validation will say so). */
export function canonicalQuantity(text: string | number): Quantity {
  if (typeof text === 'string' && CANONICAL.test(text)) return text;
  const amount = parseQuantity(text);
  return amount === undefined ? String(text) : formatQuantity(amount);
}

/** Bytes as a quantity in binary units. */
export function bytesQuantity(bytes: number): Quantity {
  return formatQuantity({ nano: BigInt(Math.round(bytes)) * NANO, format: 'BinarySI' });
}
