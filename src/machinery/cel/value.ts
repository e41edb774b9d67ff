/**
 * Values of CEL at run time. Integers are bigint, doubles number; JSON is adopted lazily, by its declared type, so
 * that an expression costs only what it looks at.
 */
import { exactInteger } from '../exactJson.ts';
import { parseGoDuration } from './duration.ts';
import { CelError } from './error.ts';
import { parseTimestamp, Timestamp } from './timestamp.ts';
import {
  BOOL,
  BYTES,
  type CelObjectType,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from './types.ts';

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    if (value < 0n || value > 18446744073709551615n) throw new CelError('unsigned integer overflow');
    this.value = value;
  }
}

export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Optional {
  readonly value: Value | undefined;
  constructor(value?: Value) {
    this.value = value;
  }
}

/** A type as a value: what `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a library. `type` is its opaque type's name. */
export abstract class OpaqueValue {
  abstract readonly type: string;
  abstract equals(other: OpaqueValue): boolean;
  abstract toJson(): unknown;
}

export class ListValue {
  readonly #items: readonly unknown[];
  /** the type by which items are adopted; undefined: they are values already */
  readonly #of: CelType | undefined;
  constructor(items: readonly unknown[], of?: CelType) {
    this.#items = items;
    this.#of = of;
  }
  get size(): number {
    return this.#items.length;
  }
  at(i: number): Value {
    const item = this.#items[i];
    return this.#of === undefined ? (item as Value) : fromJson(this.#of, item);
  }
  *[Symbol.iterator](): Generator<Value> {
    for (let i = 0; i < this.#items.length; i++) yield this.at(i);
  }
  get elementType(): CelType {
    return this.#of ?? DYN;
  }
}

/** A map with any keys, made by an expression. */
export class MapValue {
  readonly #entries = new Map<unknown, [key: Value, value: Value]>();
  get size(): number {
    return this.#entries.size;
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }
  set(key: Value, value: Value): void {
    this.#entries.set(keyOf(key), [key, value]);
  }
  *keys(): Generator<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }
}

/** The key under which equal keys meet: numbers of any type that are the same number are the same key. */
function keyOf(key: Value): unknown {
  if (key instanceof Uint) return key.value;
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key);
  return key;
}

/** A JSON object as a map from strings, its values of one type. */
export class JsonMap {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #of: CelType;
  constructor(object: Readonly<Record<string, unknown>>, of: CelType) {
    this.#object = object;
    this.#of = of;
  }
  get size(): number {
    return Object.keys(this.#object).length;
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#object, key)) return undefined;
    return fromJson(this.#of, this.#object[key]);
  }
  *keys(): Generator<Value> {
    yield* Object.keys(this.#object);
  }
}

/** A JSON object with declared fields. */
export class ObjectValue {
  readonly type: CelObjectType;
  readonly #object: Readonly<Record<string, unknown>>;
  constructor(type: CelObjectType, object: Readonly<Record<string, unknown>>) {
    this.type = type;
    this.#object = object;
  }
  get(name: Value): Value | undefined {
    const field = typeof name === 'string' ? this.type.field(name) : undefined;
    if (field === undefined || !Object.hasOwn(this.#object, field.json)) return undefined;
    const value = this.#object[field.json];
    return value === undefined ? undefined : fromJson(field.type, value);
  }
  get json(): Readonly<Record<string, unknown>> {
    return this.#object;
  }
}

/** An object whose fields are computed when they are first read: the `variables` of an admission policy. */
export class LazyObject {
  readonly #read: (name: string) => Value | undefined;
  readonly #known = new Map<string, Value | undefined>();
  constructor(read: (name: string) => Value | undefined) {
    this.#read = read;
  }
  get(name: Value): Value | undefined {
    if (typeof name !== 'string') return undefined;
    if (!this.#known.has(name)) this.#known.set(name, this.#read(name));
    return this.#known.get(name);
  }
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | OpaqueValue
  | ListValue
  | MapValue
  | JsonMap
  | ObjectValue
  | LazyObject;

export type AnyMap = MapValue | JsonMap;
export const isMap = (value: Value): value is AnyMap => value instanceof MapValue || value instanceof JsonMap;
/** What has fields to select. */
export const hasFields = (value: Value): value is AnyMap | ObjectValue | LazyObject =>
  isMap(value) || value instanceof ObjectValue || value instanceof LazyObject;

/** JSON as a value of a type. What is a value already stays as it is. */
export function fromJson(type: CelType, json: unknown): Value {
  if (json === null || json === undefined) return null;
  switch (typeof json) {
    case 'boolean':
      return json;
    case 'bigint':
      return type === DOUBLE ? Number(json) : json;
    case 'number':
      if (type === DOUBLE || !Number.isInteger(json)) return json;
      return BigInt(json);
    case 'string':
      return fromText(type, json);
    default:
      return fromStructure(type, json as object);
  }
}

function fromText(type: CelType, text: string): Value {
  if (type === TIMESTAMP) return parseTimestamp(text) ?? text;
  if (type === DURATION) {
    const nanos = parseGoDuration(text);
    return nanos === undefined ? text : new Duration(nanos);
  }
  if (type === BYTES) return Buffer.from(text, 'base64');
  return text;
}

function fromStructure(type: CelType, json: object): Value {
  if (Array.isArray(json)) return new ListValue(json, type.kind === 'list' ? type.of : DYN);
  const prototype = Object.getPrototypeOf(json) as unknown;
  if (prototype !== Object.prototype && prototype !== null) return json as Value;
  const object = json as Readonly<Record<string, unknown>>;
  if (type.kind === 'object') return new ObjectValue(type, object);
  return new JsonMap(object, type.kind === 'map' ? type.of : DYN);
}

/** The type of a value, as far as it shows; elements are dyn. */
export function typeOf(value: Value): CelType {
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
  }
  if (value === null) return NULL;
  if (value instanceof ListValue) return listOf(DYN);
  if (isMap(value)) return mapOf(DYN, DYN);
  if (value instanceof Optional) return optionalOf(DYN);
  if (value instanceof Uint) return UINT;
  if (value instanceof Timestamp) return TIMESTAMP;
  if (value instanceof Duration) return DURATION;
  if (value instanceof TypeValue) return TYPE;
  if (value instanceof Uint8Array) return BYTES;
  if (value instanceof OpaqueValue) return { kind: 'opaque', name: value.type };
  if (value instanceof ObjectValue) return value.type;
  return DYN;
}

/** A value as JSON: what a message expression or a mutation gives. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return exactInteger(String(value));
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof ListValue) return [...value].map(toJson);
  if (isMap(value)) {
    const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of value.keys()) out[String(key instanceof Uint ? key.value : key)] = toJson(value.get(key) ?? null);
    return { ...out };
  }
  if (value instanceof ObjectValue) {
    const entries = Object.entries(value.json).map(([k, v]) => [k, toJson(fromJson(DYN, v))] as const);
    return Object.fromEntries(entries);
  }
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof OpaqueValue) return value.toJson();
  if (value instanceof Timestamp) return showTimestamp(value);
  if (value instanceof Duration) return showDuration(value);
  if (value instanceof TypeValue) return value.name;
  return null;
}

const NANOS_PER_SECOND = 1_000_000_000n;

/** RFC 3339 with as many digits of the fraction as there are. */
export function showTimestamp(value: Timestamp): string {
  const fraction = ((value.nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  const seconds = (value.nanos - fraction) / NANOS_PER_SECOND;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fractionText(fraction)}Z`;
}

/** In seconds: `90s`, `1.5s`. */
export function showDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${size / NANOS_PER_SECOND}${fractionText(size % NANOS_PER_SECOND)}s`;
}

const fractionText = (nanos: bigint) =>
  nanos === 0n ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`;
