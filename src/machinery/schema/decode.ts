/**
 * Decoding: from JSON of unknown shape to a value of a schema type. Unknown fields are left out and
 * reported; wrong types are errors. Absent required fields are not: validation names those.
 *
 * This is a hot path (every write passes it). Each type is compiled once into a closure; paths are
 * kept as a stack of segments and become text only for what is reported.
 */
import { cloneJson } from '../clone.ts';
import { jsonEqual } from '../jsonEqual.ts';
import { canonicalQuantity, parseQuantity } from '../quantity.ts';
import { setOwn } from '../setOwn.ts';
import { readTime } from '../time.ts';
import type { Field, ListType, MapType, ObjectType, ScalarTypes, Type } from './types.ts';

export interface DecodeError {
  /** `spec.replicas` */
  readonly path: string;
  readonly message: string;
}

export interface Decoded<T> {
  readonly value: T;
  /** paths of fields that the type does not have */
  readonly unknown: readonly string[];
  readonly errors: readonly DecodeError[];
}

type Segment = string | number;

/** No client needs to hear of more than this many. */
const MAX_REPORTED = 50;

class Report {
  readonly path: Segment[] = [];
  readonly unknown: string[] = [];
  readonly errors: DecodeError[] = [];

  here(last?: Segment): string {
    let text = '';
    for (const segment of last === undefined ? this.path : [...this.path, last]) {
      if (typeof segment === 'number') text += `[${segment}]`;
      else text += text === '' ? segment : `.${segment}`;
    }
    return text;
  }

  error(message: string): undefined {
    if (this.errors.length < MAX_REPORTED) this.errors.push({ path: this.here(), message });
    return undefined;
  }

  unknownField(name: string): void {
    if (this.unknown.length < MAX_REPORTED) this.unknown.push(this.here(name));
  }
}

/** @param base what stood in this place before, decoded and frozen: where it says the same, it is the result */
type Decoder = (value: unknown, report: Report, base: unknown) => unknown;

const compiled = new WeakMap<Type, Decoder>();

/**
 * Decodes `value`. The result shares nothing with it, so that it may be changed even where `value` is frozen.
 * @param base an earlier value of the type, decoded and frozen: the result shares what did not change with it, so that
 * nothing of that is copied, compared or frozen again; it must be known not to be changed, then
 */
export function decode<T>(type: ObjectType, value: unknown, base?: T): Decoded<T> {
  const report = new Report();
  const decoded = decoderFor(type)(value, report, base);
  return { value: decoded as T, unknown: report.unknown, errors: report.errors };
}

function decoderFor(type: Type): Decoder {
  let decoder = compiled.get(type);
  if (decoder === undefined) {
    decoder = compile(type);
    compiled.set(type, decoder);
  }
  return decoder;
}

function compile(type: Type): Decoder {
  switch (type.kind) {
    case 'scalar':
      return SCALARS[type.scalar];
    case 'list':
      return compileList(type);
    case 'map':
      return compileMap(type);
    case 'object':
      return compileObject(type);
  }
}

function compileList(type: ListType): Decoder {
  const of = lazy(type.of);
  const zero = zeroOf(type.of);
  return (value, report, base) => {
    if (!Array.isArray(value)) return report.error(`expected a list, got ${nameOf(value)}`);
    if (value === base) return value;
    const was: readonly unknown[] = Array.isArray(base) ? base : NOTHING;
    const out: unknown[] = new Array(value.length);
    let same = value.length === was.length && base !== undefined;
    for (let i = 0; i < value.length; i++) {
      report.path.push(i);
      out[i] = value[i] === null ? zero() : of(value[i], report, was[i]);
      if (same && out[i] !== was[i]) same = false;
      report.path.pop();
    }
    return same ? was : out;
  };
}

function compileMap(type: MapType): Decoder {
  const of = lazy(type.of);
  const zero = zeroOf(type.of);
  return (value, report, base) => {
    if (!isRecord(value)) return report.error(`expected an object, got ${nameOf(value)}`);
    if (value === base) return value;
    const was = isRecord(base) ? base : undefined;
    const out: Record<string, unknown> = {};
    let shared = 0;
    const keys = Object.keys(value);
    for (const key of keys) {
      report.path.push(key);
      const item = value[key];
      const before = was !== undefined && Object.hasOwn(was, key) ? was[key] : undefined;
      const decoded = item === null ? zero() : of(item, report, before);
      setOwn(out, key, decoded);
      if (decoded !== undefined && decoded === before) shared++;
      report.path.pop();
    }
    return was !== undefined && shared === keys.length && fieldsOf(was) === shared ? was : out;
  };
}

function compileObject(type: ObjectType): Decoder {
  let slots: Map<string, Slot> | undefined;
  return (value, report, base) => {
    if (!isRecord(value)) return report.error(`expected an object, got ${nameOf(value)}`);
    if (value === base) return value;
    const was = isRecord(base) ? base : undefined;
    let fields = 0;
    let shared = 0;
    slots ??= new Map(Object.entries(type.fields).map(([name, field]) => [name, slotOf(field)]));
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const item = value[key];
      const slot = slots.get(key);
      if (slot === undefined) {
        if (type.preserveUnknownFields) {
          setOwn(out, key, cloneJson(item));
          fields++;
        } else report.unknownField(key);
        continue;
      }
      if (item === null || item === undefined) continue;
      if (slot.nothing !== undefined && isNothing(slot.nothing, item)) continue;
      report.path.push(key);
      const before = was?.[key];
      const decoded = slot.decode(item, report, before);
      report.path.pop();
      if (decoded === undefined) continue;
      out[key] = decoded;
      fields++;
      if (decoded !== undefined && decoded === before) shared++;
    }
    return was !== undefined && shared === fields && fieldsOf(was) === shared ? was : out;
  };
}

const NOTHING: readonly unknown[] = [];

function fieldsOf(record: Record<string, unknown>): number {
  let fields = 0;
  for (const _ in record) fields++;
  return fields;
}

/** How a field is read. */
interface Slot {
  readonly decode: Decoder;
  /** the value that is as good as none, where there is one */
  readonly nothing: 'list' | 'map' | 'text' | undefined;
}

function slotOf(field: Field): Slot {
  return { decode: lazy(field.type), nothing: nothingOf(field) };
}

/** Of what may be absent, a list or a map of nothing is as good as none; and no text, where absent is no other thing. */
function nothingOf({ type, required, keepEmpty, pointer }: Field): Slot['nothing'] {
  if (required || keepEmpty) return undefined;
  if (type.kind === 'list' || type.kind === 'map') return type.kind;
  return type.kind === 'scalar' && type.scalar === 'string' && !pointer ? 'text' : undefined;
}

function isNothing(nothing: NonNullable<Slot['nothing']>, value: unknown): boolean {
  if (nothing === 'text') return value === '';
  if (nothing === 'list') return Array.isArray(value) && value.length === 0;
  if (!isRecord(value)) return false;
  for (const _ in value) return false;
  return true;
}

/** Types refer to each other in circles, so a part is compiled when it is first met. */
function lazy(type: Type): Decoder {
  if (type.kind === 'scalar') return SCALARS[type.scalar];
  let decoder: Decoder | undefined;
  return (value, report, base) => {
    decoder ??= decoderFor(type);
    return decoder(value, report, base);
  };
}

/** What null stands for as an element of a list or a map. */
function zeroOf(type: Type): () => unknown {
  switch (type.kind) {
    case 'object':
    case 'map':
      return () => ({});
    case 'list':
      return () => [];
    case 'scalar':
      switch (type.scalar) {
        case 'boolean':
          return () => false;
        case 'int32':
        case 'int64':
        case 'double':
        case 'intOrString':
          return () => 0;
        case 'any':
        case 'time':
        case 'microTime':
          return () => null;
        case 'rawObject':
          return () => ({});
        case 'quantity':
          return () => '0';
        default:
          return () => '';
      }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'boolean':
      return 'a boolean';
    case 'number':
    case 'bigint':
      return `the number ${value}`;
    default:
      return `a ${typeof value}`;
  }
}

const INT32_MAX = 2 ** 31 - 1;
/** 2^63, which a signed 64-bit integer just does not reach, and the double before it. */
const INT64_LIMIT = 2 ** 63;
const INT64_NEAREST = INT64_LIMIT - 1024;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DURATION = /^[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*)$/;

const string: Decoder = (value, report) =>
  typeof value === 'string' ? value : report.error(`expected a string, got ${nameOf(value)}`);

/** Exact to 2^53. The largest numbers of 64 bits become the nearest that every client can read back. */
const int64: Decoder = (value, report) => {
  if (typeof value === 'bigint') {
    const nearest = Number(value);
    if (Math.abs(nearest) === INT64_LIMIT) return Math.sign(nearest) * INT64_NEAREST;
    return report.error(`the number ${value} cannot be kept exactly: whole numbers beyond 2^53 are not supported here`);
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return report.error(`expected a whole number, got ${nameOf(value)}`);
  }
  if (value > -INT64_LIMIT && value < INT64_LIMIT) return value;
  return Math.abs(value) === INT64_LIMIT
    ? Math.sign(value) * INT64_NEAREST
    : report.error(`${value} does not fit in 64 bits`);
};

/** What times look like nearly always, with days that every month has. */
const USUAL_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

function timeDecoder(micro: boolean): Decoder {
  return (value, report) => {
    if (typeof value !== 'string') return report.error(`expected a time, got ${nameOf(value)}`);
    if (!micro && USUAL_TIME.test(value)) return value;
    const moment = readTime(value);
    if (moment === undefined) return report.error(`expected a time in RFC 3339, got ${JSON.stringify(value)}`);
    return micro ? `${moment.seconds.slice(0, -1)}.${moment.micros}Z` : moment.seconds;
  };
}

/** A copy of JSON, or what stood there before where that says the same. */
function copyOf(value: unknown, base: unknown): unknown {
  return typeof base === 'object' && base !== null && jsonEqual(value, base) ? base : cloneJson(value);
}

const SCALARS: Readonly<Record<keyof ScalarTypes, Decoder>> = {
  string,
  boolean: (value, report) =>
    typeof value === 'boolean' ? value : report.error(`expected a boolean, got ${nameOf(value)}`),
  int32: (value, report) => {
    if (typeof value !== 'number' || !Number.isInteger(value))
      return report.error(`expected a whole number, got ${nameOf(value)}`);
    return value >= -INT32_MAX - 1 && value <= INT32_MAX ? value : report.error(`${value} does not fit in 32 bits`);
  },
  int64,
  double: (value, report) => {
    if (typeof value === 'bigint') return Number(value);
    return typeof value === 'number' && Number.isFinite(value)
      ? value
      : report.error(`expected a number, got ${nameOf(value)}`);
  },
  bytes: (value, report) => {
    if (typeof value !== 'string') return report.error(`expected base64, got ${nameOf(value)}`);
    if (BASE64.test(value)) return value;
    // Lines may be broken, as in what `base64` prints.
    const joined = value.replace(/[\r\n]/g, '');
    return BASE64.test(joined) ? joined : report.error('illegal base64 data');
  },
  quantity: (value, report) => {
    if (typeof value !== 'string' && typeof value !== 'number')
      return report.error(`expected a quantity, got ${nameOf(value)}`);
    if (parseQuantity(value) === undefined) {
      return report.error(
        `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
      );
    }
    return canonicalQuantity(value);
  },
  intOrString: (value, report) => {
    if (typeof value === 'string') return value;
    return SCALARS.int32(value, report, undefined);
  },
  time: timeDecoder(false),
  microTime: timeDecoder(true),
  duration: (value, report) => {
    if (typeof value !== 'string') return report.error(`expected a duration, got ${nameOf(value)}`);
    return DURATION.test(value) ? value : report.error(`invalid duration ${JSON.stringify(value)}`);
  },
  rawObject: (value, report, base) =>
    isRecord(value) ? copyOf(value, base) : report.error(`expected an object, got ${nameOf(value)}`),
  any: (value, _report, base) => copyOf(value, base),
};
