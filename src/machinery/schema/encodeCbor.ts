/**
 * CBOR as Kubernetes writes it: texts as byte strings, maps in the order of their encoded keys, numbers as short
 * as they can be, and bytes marked as what JSON has in base64. No common library writes it so.
 * Source: https://www.rfc-editor.org/rfc/rfc8949.html (section 4.2.1) and https://kep.k8s.io/4222
 */
import type { ObjectType, Type } from './types.ts';

const UNSIGNED = 0x00;
const NEGATIVE = 0x20;
const BYTE_STRING = 0x40;
const ARRAY = 0x80;
const MAP = 0xa0;
const TAG = 0xc0;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const FLOAT16 = 0xf9;
const FLOAT32 = 0xfa;
const FLOAT64 = 0xfb;
/** Whoever reads these bytes as text wants base64 of them. */
const EXPECTED_BASE64 = 22;

/** What every answer begins with: the tag that says of itself that this is CBOR. */
export const SELF_DESCRIBED = Buffer.from([0xd9, 0xd9, 0xf7]);

/**
 * A JSON value without the tag that describes it.
 * @param type its type, which tells bytes from other texts; undefined where it has none
 */
export function encodeCbor(value: unknown, type?: Type): Buffer {
  const writer = new CborWriter();
  write(writer, value, type);
  return writer.bytes();
}

/** The beginning of a list of `length` items, or of a map of so many entries. */
export function openingOf(what: 'list' | 'map', length: number): Buffer {
  const writer = new CborWriter();
  writer.head(what === 'list' ? ARRAY : MAP, length);
  return writer.bytes();
}

class CborWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(bigger, 0, 0, this.#length);
    this.#buffer = bigger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A kind of item with its number, in the shortest form. */
  head(major: number, value: number | bigint): void {
    this.#reserve(9);
    if (typeof value === 'bigint') {
      this.byte(major | 27);
      this.#length = this.#buffer.writeBigUInt64BE(value, this.#length);
    } else if (value < 24) this.byte(major | value);
    else if (value <= 0xff) {
      this.byte(major | 24);
      this.byte(value);
    } else if (value <= 0xffff) {
      this.byte(major | 25);
      this.#length = this.#buffer.writeUInt16BE(value, this.#length);
    } else if (value <= 0xffffffff) {
      this.byte(major | 26);
      this.#length = this.#buffer.writeUInt32BE(value, this.#length);
    } else {
      this.byte(major | 27);
      this.#length = this.#buffer.writeBigUInt64BE(BigInt(value), this.#length);
    }
  }

  text(text: string): void {
    const size = Buffer.byteLength(text);
    this.head(BYTE_STRING, size);
    this.#reserve(size);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  raw(bytes: Uint8Array): void {
    this.head(BYTE_STRING, bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** In the shortest form that keeps it. */
  float(value: number): void {
    this.#reserve(9);
    const half = halfOf(value);
    if (half !== undefined) {
      this.byte(FLOAT16);
      this.#length = this.#buffer.writeUInt16BE(half, this.#length);
    } else if (Object.is(Math.fround(value), value)) {
      this.byte(FLOAT32);
      this.#length = this.#buffer.writeFloatBE(value, this.#length);
    } else {
      this.byte(FLOAT64);
      this.#length = this.#buffer.writeDoubleBE(value, this.#length);
    }
  }
}

/** The bits of a number as a float of 16 bits; undefined where that would change it. */
function halfOf(value: number): number | undefined {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  if (size >= 2 ** -14 && size < 65520) {
    const exponent = Math.floor(Math.log2(size));
    const fraction = (size / 2 ** exponent - 1) * 1024;
    return Number.isInteger(fraction) && fraction >= 0 && fraction < 1024
      ? sign | ((exponent + 15) << 10) | fraction
      : undefined;
  }
  const small = size * 2 ** 24;
  return Number.isInteger(small) && small < 1024 ? sign | small : undefined;
}

function write(writer: CborWriter, value: unknown, type: Type | undefined): void {
  switch (typeof value) {
    case 'string':
      if (type?.kind === 'scalar' && type.scalar === 'bytes') {
        writer.head(TAG, EXPECTED_BASE64);
        writer.raw(Buffer.from(value, 'base64'));
      } else writer.text(value);
      return;
    case 'number':
      writeNumber(writer, value, type);
      return;
    case 'bigint':
      // Larger than a number, so that there is no shorter form.
      if (value >= 0n) writer.head(UNSIGNED, value);
      else writer.head(NEGATIVE, -1n - value);
      return;
    case 'boolean':
      writer.byte(value ? TRUE : FALSE);
      return;
    case 'object':
      if (value === null) writer.byte(NULL);
      else if (Array.isArray(value)) {
        const of = type?.kind === 'list' ? type.of : undefined;
        writer.head(ARRAY, value.length);
        for (const item of value) write(writer, item, of);
      } else writeMap(writer, value as Record<string, unknown>, type);
      return;
    default:
      throw new Error(`a ${typeof value} has no form in CBOR`);
  }
}

function writeNumber(writer: CborWriter, value: number, type: Type | undefined): void {
  const isDouble = type?.kind === 'scalar' && type.scalar === 'double';
  if (!Number.isSafeInteger(value) || isDouble || Object.is(value, -0)) writer.float(value);
  else if (value >= 0) writer.head(UNSIGNED, value);
  else writer.head(NEGATIVE, -1 - value);
}

function writeMap(writer: CborWriter, value: Readonly<Record<string, unknown>>, type: Type | undefined): void {
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  sortByEncoding(keys);
  writer.head(MAP, keys.length);
  for (const key of keys) {
    writer.text(key);
    write(writer, value[key], typeOf(type, key));
  }
}

function typeOf(type: Type | undefined, key: string): Type | undefined {
  if (type?.kind === 'map') return type.of;
  if (type?.kind !== 'object') return undefined;
  const { fields } = type as ObjectType;
  return Object.hasOwn(fields, key) ? fields[key]?.type : undefined;
}

/** The encoding of a key begins with its length, so that shorter ones come first. */
function sortByEncoding(keys: string[]): void {
  const sizes = new Map(keys.map((key) => [key, Buffer.byteLength(key)]));
  keys.sort((a, b) => {
    // Every key is in there.
    const longer = (sizes.get(a) as number) - (sizes.get(b) as number);
    if (longer !== 0) return longer;
    // Of equal lengths in bytes, so that only letters beyond ASCII need their bytes compared.
    return sizes.get(a) === a.length && sizes.get(b) === b.length
      ? a < b
        ? -1
        : 1
      : Buffer.compare(Buffer.from(a), Buffer.from(b));
  });
}
