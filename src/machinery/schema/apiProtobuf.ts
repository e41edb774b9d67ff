/**
 * Objects of the API as clients send them in protobuf: an envelope that names the kind, and the object with
 * Go's zero values written out, times and quantities as messages, and some types embedded in others.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl
 */
import { setOwn } from '../setOwn.ts';
import { formatTime } from '../time.ts';
import { parseJson } from './parseJson.ts';
import { BYTES, FIXED64, ProtobufError, Reader, VARINT } from './protobuf.ts';
import { PROTOBUF_MAGIC } from './protobufFrames.ts';
import type { ObjectType, ScalarTypes, Type } from './types.ts';
import { isEmbedded, layoutOf, SCHEMA_OR_BOOLEAN, type WireField, type WireLayout } from './wireLayout.ts';

const MAX_DEPTH = 100;

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** the object; read it with `decodeApiProtobuf` */
  readonly raw: Buffer;
}

/** @throws ProtobufError */
export function openEnvelope(bytes: Buffer): Envelope {
  if (bytes.length < PROTOBUF_MAGIC.length || !bytes.subarray(0, PROTOBUF_MAGIC.length).equals(PROTOBUF_MAGIC)) {
    throw new ProtobufError('the body does not begin as an object in protobuf does');
  }
  const reader = new Reader(bytes.subarray(PROTOBUF_MAGIC.length));
  const envelope: { apiVersion: string; kind: string; raw: Buffer } = {
    apiVersion: '',
    kind: '',
    raw: Buffer.alloc(0),
  };
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | BYTES)) {
      const meta = reader.inner();
      while (!meta.done) {
        const field = meta.varint();
        if (field === ((1 << 3) | BYTES)) envelope.apiVersion = meta.block().toString('utf8');
        else if (field === ((2 << 3) | BYTES)) envelope.kind = meta.block().toString('utf8');
        else meta.skip(field & 7);
      }
    } else if (tag === ((2 << 3) | BYTES)) envelope.raw = reader.block();
    else reader.skip(tag & 7);
  }
  return envelope;
}

/**
 * The object as JSON would carry it. Fields that are not known, as newer clients send them, are left out.
 * @param unknown is given their names; absent: they are refused, so that nothing is lost in silence
 * @throws ProtobufError for bytes that are no such object
 */
export function decodeApiProtobuf(type: ObjectType, raw: Buffer, unknown?: string[]): Record<string, unknown> {
  return readMessage(type, new Reader(raw, unknown), {}, layoutOf(type), 0);
}

/** No client needs to hear of more than this many. */
const MAX_REPORTED = 50;

type Out = Record<string, unknown>;

function readMessage(type: ObjectType, reader: Reader, out: Out, layout: WireLayout, depth: number): Out {
  if (depth > MAX_DEPTH) throw new ProtobufError(`nested deeper than ${MAX_DEPTH} messages`);
  while (!reader.done) {
    const tag = reader.varint();
    const wire = Math.floor(tag / 8);
    const field = layout.byWire.get(wire);
    if (field === undefined) {
      const name = `${type.name.slice(type.name.lastIndexOf('.') + 1)} ${wire}`;
      if (reader.unknown === undefined) throw new ProtobufError(`there is no field ${name}`);
      if (reader.unknown.length < MAX_REPORTED && !reader.unknown.includes(name)) reader.unknown.push(name);
      reader.skip(tag & 7);
    } else if (!isEmbedded(field)) readField(field, type, tag & 7, out, reader, depth);
    else if ((tag & 7) === BYTES) readMessage(type, reader.inner(), out, field.layout, depth + 1);
    else throw new ProtobufError(`wire type ${tag & 7} is none for a message`);
  }
  return out;
}

function readField(
  field: WireField,
  around: ObjectType,
  wireType: number,
  out: Out,
  reader: Reader,
  depth: number,
): void {
  const { name, type } = field;
  switch (type.kind) {
    case 'list': {
      out[name] ??= [];
      const list = out[name] as unknown[];
      if (wireType === BYTES && isNumeric(type.of)) {
        const packed = reader.inner();
        while (!packed.done) list.push(readOne(type.of, around, packed, VARINT, depth));
      } else list.push(readOne(type.of, around, reader, wireType, depth));
      return;
    }
    case 'map': {
      out[name] ??= {};
      const entry = reader.inner();
      let key = '';
      let value: unknown;
      while (!entry.done) {
        const tag = entry.varint();
        if (tag >>> 3 === 1) key = entry.block().toString('utf8');
        else if (tag >>> 3 === 2) value = readOne(type.of, around, entry, tag & 7, depth);
        else entry.skip(tag & 7);
      }
      setOwn(out[name] as Out, key, value ?? zeroOf(type.of));
      return;
    }
    default: {
      const value = readOne(type, around, reader, wireType, depth);
      // What is no pointer in Go is written though it may be absent; what JSON leaves out is left out.
      const absent =
        value === undefined || (!field.pointer && !field.required && name !== 'status' && isZero(type, value));
      if (absent) delete out[name];
      else out[name] = value;
    }
  }
}

function isZero(type: Type, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value === '';
    case 'object':
      return type.kind === 'object' && value !== null && Object.keys(value).length === 0;
    default:
      return value === 0 || value === false;
  }
}

/** The value of an entry of a map that does not say it. */
function zeroOf(type: Type): unknown {
  if (type.kind !== 'scalar') return type.kind === 'list' ? [] : {};
  if (type.scalar === 'boolean') return false;
  if (type.scalar === 'time' || type.scalar === 'microTime') return null;
  return type.scalar === 'int32' || type.scalar === 'int64' || type.scalar === 'double' ? 0 : '';
}

const isNumeric = (type: Type) =>
  type.kind === 'scalar' && (type.scalar === 'int32' || type.scalar === 'int64' || type.scalar === 'boolean');

function readOne(type: Type, around: ObjectType, reader: Reader, wireType: number, depth: number): unknown {
  if (type.kind !== 'scalar' && wireType !== BYTES)
    throw new ProtobufError(`wire type ${wireType} is none for a message`);
  switch (type.kind) {
    case 'object':
      return readMessage(type, reader.inner(), {}, layoutOf(type), depth + 1);
    case 'scalar':
      if (type.wireType !== undefined) return readUnion(type.wireType, around, reader.inner(), depth + 1);
      return readScalar(type.scalar, reader, wireType);
    case 'list': {
      // A list as the value of a map is a message that has the list as its only field.
      const out: unknown[] = [];
      const message = reader.inner();
      while (!message.done) {
        const tag = message.varint();
        if (tag >>> 3 === 1) out.push(readOne(type.of, around, message, tag & 7, depth + 1));
        else message.skip(tag & 7);
      }
      return out;
    }
    case 'map':
      throw new ProtobufError('a map cannot stand directly in a list or map');
  }
}

/** A place in a schema of a custom resource where there is a schema or something else. */
function readUnion(name: string, schema: ObjectType, reader: Reader, depth: number): unknown {
  const orBoolean = name === SCHEMA_OR_BOOLEAN;
  const readSchema = () => readMessage(schema, reader.inner(), {}, layoutOf(schema), depth + 1);
  let value: unknown;
  const items: unknown[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    if (orBoolean && tag === ((1 << 3) | VARINT)) value ??= reader.varint() !== 0;
    else if (tag === (((orBoolean ? 2 : 1) << 3) | BYTES)) value = readSchema();
    else if (tag !== ((2 << 3) | BYTES)) reader.skip(tag & 7);
    else items.push(name === 'JSONSchemaPropsOrStringArray' ? reader.block().toString('utf8') : readSchema());
  }
  return value ?? (orBoolean ? false : items);
}

function readScalar(scalar: keyof ScalarTypes, reader: Reader, wireType: number): unknown {
  if (wireType !== WIRE_TYPE[scalar]) throw new ProtobufError(`wire type ${wireType} is none for ${scalar}`);
  switch (scalar) {
    case 'string':
      return reader.block().toString('utf8');
    case 'bytes':
      return reader.block().toString('base64');
    case 'boolean':
      return reader.varint() !== 0;
    case 'int32':
    case 'int64':
      return reader.exactVarint();
    case 'double':
      return reader.double();
    case 'quantity':
      return textAt(inner(reader), 1) ?? '0';
    case 'time':
    case 'microTime':
      return timeOf(inner(reader), scalar);
    case 'intOrString': {
      const parts = inner(reader);
      return numberAt(parts, 1) === 1 ? (textAt(parts, 3) ?? '') : numberAt(parts, 2);
    }
    case 'rawObject':
    case 'any': {
      const raw = textAt(inner(reader), 1);
      return raw === undefined ? undefined : parse(raw);
    }
    case 'duration':
      return `${numberAt(inner(reader), 1) / 1e9}s`;
  }
}

const GO_ZERO_SECONDS = -62_135_596_800;
/** The last second of the year 9999, which is as far as RFC 3339 goes. */
const LAST_SECONDS = 253_402_300_799;

function timeOf(parts: Parts, scalar: 'time' | 'microTime'): string | undefined {
  const seconds = numberAt(parts, 1);
  const nanos = numberAt(parts, 2);
  // No time at all; and Go's zero time, which is in the year 1.
  if (parts.size === 0 || seconds === GO_ZERO_SECONDS) return undefined;
  if (seconds < GO_ZERO_SECONDS || seconds > LAST_SECONDS || nanos < 0 || nanos >= 1e9) {
    throw new ProtobufError('a time is out of range');
  }
  const text = formatTime(seconds * 1000);
  return scalar === 'time' ? text : `${text.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

const WIRE_TYPE: Readonly<Record<keyof ScalarTypes, number>> = {
  string: BYTES,
  boolean: VARINT,
  int32: VARINT,
  int64: VARINT,
  double: FIXED64,
  bytes: BYTES,
  quantity: BYTES,
  intOrString: BYTES,
  time: BYTES,
  microTime: BYTES,
  duration: BYTES,
  rawObject: BYTES,
  any: BYTES,
};

/** The fields of a small message: numbers as they are, texts as bytes. */
type Parts = ReadonlyMap<number, number | Buffer>;

function inner(reader: Reader): Parts {
  const parts = new Map<number, number | Buffer>();
  const message = reader.inner();
  while (!message.done) {
    const tag = message.varint();
    if ((tag & 7) === VARINT) parts.set(tag >>> 3, message.exactVarint());
    else if ((tag & 7) === BYTES) parts.set(tag >>> 3, message.block());
    else message.skip(tag & 7);
  }
  return parts;
}

function numberAt(parts: Parts, wire: number): number {
  const part = parts.get(wire) ?? 0;
  if (typeof part !== 'number') throw new ProtobufError(`the field ${wire} is no number`);
  return part;
}

function textAt(parts: Parts, wire: number): string | undefined {
  const part = parts.get(wire);
  if (typeof part === 'number') throw new ProtobufError(`the field ${wire} is no text`);
  return part?.toString('utf8');
}

function parse(text: string): unknown {
  try {
    return parseJson(text).value;
  } catch (error) {
    throw new ProtobufError(`an embedded object is no JSON: ${(error as Error).message}`);
  }
}
