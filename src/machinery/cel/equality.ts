/** Which values are the same, and which comes first. */
import { CelError } from './error.ts';
import type { Run } from './overload.ts';
import { Timestamp } from './timestamp.ts';
import { DYN } from './types.ts';
import {
  Duration,
  fromJson,
  isMap,
  ListValue,
  ObjectValue,
  OpaqueValue,
  Optional,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

/** CEL's `==`: values of different types are different, but numbers are compared as numbers. */
export function equal(a: Value, b: Value, run: Run): boolean {
  run.spend(1);
  if (a === b) return true;
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined || y !== undefined) {
    // The loose comparison of a bigint and a number is exact.
    // biome-ignore lint/suspicious/noDoubleEquals: compares numbers of both types
    return x !== undefined && y !== undefined && x == y;
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  // With declared fields or without, an object is what its JSON is.
  if (a instanceof ObjectValue) return equal(fromJson(DYN, a.json), b, run);
  if (b instanceof ObjectValue) return equal(a, fromJson(DYN, b.json), run);
  if (a instanceof ListValue) {
    if (!(b instanceof ListValue) || a.size !== b.size) return false;
    for (let i = 0; i < a.size; i++) if (!equal(a.at(i), b.at(i), run)) return false;
    return true;
  }
  if (isMap(a)) {
    if (!isMap(b) || a.size !== b.size) return false;
    for (const key of a.keys()) {
      const other = b.get(key);
      if (other === undefined || !equal(a.get(key) as Value, other, run)) return false;
    }
    return true;
  }
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof OpaqueValue) return b instanceof OpaqueValue && a.type === b.type && a.equals(b);
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value, run);
  }
  return false;
}

function numeric(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Negative where `a` comes first; NaN where neither does. @throws CelError for what has no order */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numeric(a), numeric(b)];
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x >= y ? 0 : Number.NaN;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return sign(a.nanos - b.nanos);
  if (a instanceof Duration && b instanceof Duration) return sign(a.nanos - b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  throw new CelError('no such overload');
}

const sign = (n: bigint) => (n < 0n ? -1 : n > 0n ? 1 : 0);

/** By code points, as UTF-8 orders. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (/^[\x00-\x7f]*$/.test(a) && /^[\x00-\x7f]*$/.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
