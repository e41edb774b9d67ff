/**
 * The protobuf form of a schema type: fields by their wire numbers, proto3 rules (zero values are left
 * out and come back as absent).
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
import type { ObjectType, Type } from './types.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** Messages nested deeper than this are refused. */
const MAX_DEPTH = 100;

export function encodeProtobuf(type: ObjectType, value: object): Buffer {
  const writer = new Writer();
  writeMessage(type, value as Record<string, unknown>, writer);
  return writer.bytes();
}

/** @throws ProtobufError for bytes that are no such message */
export function decodeProtobuf<T>(type: ObjectType, bytes: Buffer): T {
  return readMessage(type, new Reader(bytes), 0) as T;
}

/** Writes fields one after the other; a message within one is written apart, then as a block. */
export class Writer {
  #buffer = Buffer.allocUnsafe(256);
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

  /** Whole numbers of up to 64 bits, negative ones as ten bytes. */
  varint(value: number): void {
    this.#reserve(10);
    if (value >= 0 && value <= 0x7f) {
      this.#buffer[this.#length++] = value;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

function writeMessage(type: ObjectType, value: Record<string, unknown>, writer: Writer): void {
  for (const [name, field] of Object.entries(type.fields)) {
    const item = value[name];
    if (item === undefined || item === null || field.wire === undefined) continue;
    writeField(field.type, field.wire, item, writer);
  }
}

function writeField(type: Type, wire: number, value: unknown, writer: Writer): void {
  switch (type.kind) {
    case 'list':
      if (type.of.kind === 'scalar' && isPacked(type.of.scalar)) {
        const packed = new Writer();
        for (const item of value as number[]) packed.varint(Number(item));
        if ((value as unknown[]).length > 0) {
          writer.tag(wire, BYTES);
          writer.block(packed.bytes());
        }
        return;
      }
      for (const item of value as unknown[]) writeOne(type.of, wire, item, writer);
      return;
    case 'map':
      for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
        const entry = new Writer();
        writeOne({ kind: 'scalar', scalar: 'string' }, 1, key, entry);
        writeOne(type.of, 2, item, entry);
        writer.tag(wire, BYTES);
        writer.block(entry.bytes());
      }
      return;
    case 'scalar':
      // Zero values are not written on their own.
      if (value === '' || value === 0 || value === false) return;
      writeOne(type, wire, value, writer);
      return;
    case 'object':
      writeOne(type, wire, value, writer);
  }
}

const isPacked = (scalar: string) => scalar === 'int32' || scalar === 'int64' || scalar === 'boolean';

function writeOne(type: Type, wire: number, value: unknown, writer: Writer): void {
  if (type.kind === 'object') {
    const inner = new Writer();
    writeMessage(type, value as Record<string, unknown>, inner);
    writer.tag(wire, BYTES);
    writer.block(inner.bytes());
    return;
  }
  if (type.kind !== 'scalar') throw new ProtobufError('a list or map cannot stand directly in a list or map');
  switch (type.scalar) {
    case 'string':
    case 'duration':
      writer.tag(wire, BYTES);
      writer.block(Buffer.from(value as string));
      return;
    case 'bytes':
      writer.tag(wire, BYTES);
      writer.block(Buffer.from(value as string, 'base64'));
      return;
    case 'boolean':
      writer.tag(wire, VARINT);
      writer.varint(value === true ? 1 : 0);
      return;
    case 'int32':
    case 'int64':
      writer.tag(wire, VARINT);
      writer.varint(value as number);
      return;
    case 'double':
      writer.tag(wire, FIXED64);
      writer.double(value as number);
      return;
    default:
      throw new ProtobufError(`${type.scalar} has no protobuf form`);
  }
}

/** Reads the parts of a message in order. Every method throws ProtobufError where the bytes end too early. */
export class Reader {
  /** where the names of fields go that are not known; absent: they are refused */
  readonly unknown: string[] | undefined;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, unknown?: string[]) {
    this.#bytes = bytes;
    this.unknown = unknown;
  }

  /** Reads the message that comes next. */
  inner(): Reader {
    return new Reader(this.block(), this.unknown);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Beyond 2^53 the nearest: container runtimes tell times in nanoseconds. */
  varint(): number {
    return Number(this.#varint());
  }

  /** @throws ProtobufError for what a number here cannot hold: nothing of a client's is changed in silence */
  exactVarint(): number {
    const value = this.#varint();
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new ProtobufError(`the number ${value} cannot be kept exactly: whole numbers beyond 2^53 are not supported`);
  }

  #varint(): number | bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new ProtobufError('a number is longer than ten bytes');
  }

  #skipVarint(): void {
    for (let i = 0; i < 10; i++) if (this.#byte() < 0x80) return;
    throw new ProtobufError('a number is longer than ten bytes');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new ProtobufError('the message is cut short');
    return byte;
  }

  block(): Buffer {
    const length = this.varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new ProtobufError('the message is cut short');
    const block = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return block;
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) throw new ProtobufError('the message is cut short');
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  skip(wireType: number): void {
    switch (wireType) {
      case VARINT:
        this.#skipVarint();
        return;
      case FIXED64:
        this.#at += 8;
        return;
      case BYTES:
        this.block();
        return;
      case FIXED32:
        this.#at += 4;
        return;
      default:
        throw new ProtobufError(`wire type ${wireType} is not known`);
    }
  }
}

const byWire = new WeakMap<ObjectType, Map<number, { name: string; type: Type }>>();

function fieldsByWire(type: ObjectType): Map<number, { name: string; type: Type }> {
  let map = byWire.get(type);
  if (map === undefined) {
    map = new Map();
    for (const [name, field] of Object.entries(type.fields)) {
      if (field.wire !== undefined) map.set(field.wire, { name, type: field.type });
    }
    byWire.set(type, map);
  }
  return map;
}

function readMessage(type: ObjectType, reader: Reader, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new ProtobufError(`nested deeper than ${MAX_DEPTH} messages`);
  const out: Record<string, unknown> = {};
  const fields = fieldsByWire(type);
  while (!reader.done) {
    const tag = reader.varint();
    const wireType = tag & 7;
    const field = fields.get(tag >>> 3);
    if (field === undefined) reader.skip(wireType);
    else readField(field.type, field.name, wireType, out, reader, depth);
  }
  return out;
}

function readField(
  type: Type,
  name: string,
  wireType: number,
  out: Record<string, unknown>,
  reader: Reader,
  depth: number,
): void {
  switch (type.kind) {
    case 'list': {
      out[name] ??= [];
      const list = out[name] as unknown[];
      if (wireType === BYTES && type.of.kind === 'scalar' && isPacked(type.of.scalar)) {
        const packed = new Reader(reader.block());
        while (!packed.done) list.push(type.of.scalar === 'boolean' ? packed.varint() !== 0 : packed.varint());
      } else list.push(readOne(type.of, reader, depth));
      return;
    }
    case 'map': {
      out[name] ??= {};
      const entry = new Reader(reader.block());
      let key = '';
      let value: unknown;
      while (!entry.done) {
        const tag = entry.varint();
        if (tag >>> 3 === 1) key = entry.block().toString('utf8');
        else if (tag >>> 3 === 2) value = readOne(type.of, entry, depth);
        else entry.skip(tag & 7);
      }
      (out[name] as Record<string, unknown>)[key] = value ?? '';
      return;
    }
    default:
      out[name] = readOne(type, reader, depth);
  }
}

function readOne(type: Type, reader: Reader, depth: number): unknown {
  if (type.kind === 'object') return readMessage(type, new Reader(reader.block()), depth + 1);
  if (type.kind !== 'scalar') throw new ProtobufError('a list or map cannot stand directly in a list or map');
  switch (type.scalar) {
    case 'string':
    case 'duration':
      return reader.block().toString('utf8');
    case 'bytes':
      return reader.block().toString('base64');
    case 'boolean':
      return reader.varint() !== 0;
    case 'int32':
    case 'int64':
      return reader.varint();
    case 'double':
      return reader.double();
    default:
      throw new ProtobufError(`${type.scalar} has no protobuf form`);
  }
}
