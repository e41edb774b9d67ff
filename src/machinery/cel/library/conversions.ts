/** int(), string() and the like, and type(). */
import { parseGoDuration } from '../duration.ts';
import { CelError } from '../error.ts';
import { fn, type Overload } from '../overload.ts';
import { parseTimestamp, Timestamp } from '../timestamp.ts';
import { BOOL, BYTES, DOUBLE, DURATION, INT, param, STRING, showType, TIMESTAMP, TYPE, UINT } from '../types.ts';
import {
  Duration,
  isMap,
  ListValue,
  showDuration,
  showTimestamp,
  TypeValue,
  typeOf,
  Uint,
  type Value,
} from '../value.ts';
import { int64 } from './operators.ts';

const BILLION = 1_000_000_000n;

function whole(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelError('integer overflow');
  return BigInt(Math.trunc(value));
}

function parseInteger(text: string, what: string): bigint {
  if (!/^[+-]?\d{1,40}$/.test(text)) throw new CelError(`type conversion error from 'string' to '${what}'`);
  return BigInt(text.startsWith('+') ? text.slice(1) : text);
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  TRUE: true,
  t: true,
  T: true,
  '1': true,
  false: false,
  False: false,
  FALSE: false,
  f: false,
  F: false,
  '0': false,
};

/** As Go prints floating-point numbers. */
export function showDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = String(value);
  // Two digits of the exponent at least.
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function parseDouble(text: string): number {
  if (/^[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,5})?$/.test(text)) return Number(text);
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  throw new CelError("type conversion error from 'string' to 'double'");
}

function typeName(value: Value): string {
  if (value instanceof ListValue) return 'list';
  if (isMap(value)) return 'map';
  if (value === null) return 'null_type';
  const type = typeOf(value);
  return type.kind === 'optional' ? 'optional_type' : showType(type);
}

const A = param('A');

export const conversions: readonly Overload[] = [
  fn('type', [A], TYPE, (v: Value) => new TypeValue(typeName(v))),
  fn('int', [INT], INT, (v: bigint) => v),
  fn('int', [UINT], INT, (v: Uint) => int64(v.value)),
  fn('int', [DOUBLE], INT, (v: number) => int64(whole(v))),
  fn('int', [STRING], INT, (v: string) => int64(parseInteger(v, 'int'))),
  fn('int', [TIMESTAMP], INT, (v: Timestamp) => v.nanos / BILLION),
  fn('uint', [UINT], UINT, (v: Uint) => v),
  fn('uint', [INT], UINT, (v: bigint) => new Uint(v)),
  fn('uint', [DOUBLE], UINT, (v: number) => new Uint(whole(v))),
  fn('uint', [STRING], UINT, (v: string) => new Uint(parseInteger(v, 'uint'))),
  fn('double', [DOUBLE], DOUBLE, (v: number) => v),
  fn('double', [INT], DOUBLE, (v: bigint) => Number(v)),
  fn('double', [UINT], DOUBLE, (v: Uint) => Number(v.value)),
  fn('double', [STRING], DOUBLE, parseDouble),
  fn('bool', [BOOL], BOOL, (v: boolean) => v),
  fn('bool', [STRING], BOOL, (v: string) => {
    const found = Object.hasOwn(BOOLEANS, v) ? BOOLEANS[v] : undefined;
    if (found === undefined) throw new CelError("type conversion error from 'string' to 'bool'");
    return found;
  }),
  fn('string', [STRING], STRING, (v: string) => v),
  fn('string', [BOOL], STRING, (v: boolean) => String(v)),
  fn('string', [INT], STRING, (v: bigint) => String(v)),
  fn('string', [UINT], STRING, (v: Uint) => String(v.value)),
  fn('string', [DOUBLE], STRING, showDouble),
  fn('string', [TIMESTAMP], STRING, showTimestamp),
  fn('string', [DURATION], STRING, showDuration),
  fn('string', [BYTES], STRING, (v: Uint8Array) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(v);
    } catch {
      throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
    }
  }),
  fn('bytes', [BYTES], BYTES, (v: Uint8Array) => v),
  fn('bytes', [STRING], BYTES, (v: string) => Buffer.from(v, 'utf8')),
  fn('timestamp', [TIMESTAMP], TIMESTAMP, (v: Timestamp) => v),
  fn('timestamp', [INT], TIMESTAMP, (v: bigint) => new Timestamp(v * BILLION)),
  fn('timestamp', [STRING], TIMESTAMP, (v: string) => {
    const time = v.length < 20 ? undefined : parseTimestamp(v);
    if (time === undefined) throw new CelError(`cannot parse ${JSON.stringify(v)} as a timestamp`);
    return time;
  }),
  fn('duration', [DURATION], DURATION, (v: Duration) => v),
  fn('duration', [INT], DURATION, (v: bigint) => new Duration(int64(v))),
  fn('duration', [STRING], DURATION, (v: string) => {
    const nanos = parseGoDuration(v);
    if (nanos === undefined) throw new CelError(`time: invalid duration ${JSON.stringify(v)}`);
    return new Duration(nanos);
  }),
];
