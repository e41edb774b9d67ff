/**
 * Objects of the API in protobuf, as clients get them: what `apiProtobuf.ts` reads. Fields that an object does not have
 * are not written; Go reads them as their zero values.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl
 */
import { readTime } from '../time.ts';
import { fieldsOf, MAGIC, type WireFields } from './apiProtobuf.ts';
import { BYTES, FIXED64, ProtobufError, VARINT, Writer } from './protobuf.ts';
import type { ObjectType, ScalarTypes, Type } from './types.ts';

/** The object itself, without the envelope that names its kind. */
export function encodeApiProtobuf(type: ObjectType, object: object): Buffer {
  return messageOf(fieldsOf(type), object as Record<string, unknown>);
}

/** Puts the envelope around an object. */
export function sealEnvelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const meta = new Writer();
  writeText(meta, 1, apiVersion);
  writeText(meta, 2, kind);
  const writer = new Writer();
  writeBlock(writer, 1, meta.bytes());
  writeBlock(writer, 2, raw);
  // The content's own encoding and type, which are the usual ones.
  writeText(writer, 3, '');
  writeText(writer, 4, '');
  return Buffer.concat([MAGIC, writer.bytes()]);
}

/** A list of objects that are encoded already, without its envelope. */
export function encodeProtobufList(metadata: Buffer, items: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  const head = new Writer();
  writeBlock(head, 1, metadata);
  parts.push(head.bytes());
  for (const item of items) {
    const tag = new Writer();
    tag.tag(2, BYTES);
    tag.varint(item.length);
    parts.push(tag.bytes(), item);
  }
  return Buffer.concat(parts);
}

/** A watch event, with its length before it. @param object in its envelope */
export function frameWatchEvent(type: string, object: Buffer): Buffer {
  const raw = new Writer();
  writeBlock(raw, 1, object);
  const event = new Writer();
  writeText(event, 1, type);
  writeBlock(event, 2, raw.bytes());
  const body = event.bytes();
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function messageOf(fields: WireFields, object: Record<string, unknown>): Buffer {
  const writer = new Writer();
  for (const step of orderOf(fields)) {
    if (step.field === undefined) {
      const inner = messageOf(step.within, object);
      if (inner.length > 0) writeBlock(writer, step.wire, inner);
      continue;
    }
    const value = Object.hasOwn(object, step.field.name) ? object[step.field.name] : undefined;
    if (value !== undefined && value !== null) writeField(writer, step.wire, step.field.type, value);
  }
  return writer.bytes();
}

type Step =
  | { readonly wire: number; readonly field: { readonly name: string; readonly type: Type } }
  | { readonly wire: number; readonly field: undefined; readonly within: WireFields };

const orders = new WeakMap<WireFields, readonly Step[]>();

/** By their numbers, as Go writes them. */
function orderOf(fields: WireFields): readonly Step[] {
  let order = orders.get(fields);
  if (order === undefined) {
    const steps: Step[] = [...fields.byWire].map(([wire, field]) => ({ wire, field }));
    if (fields.embedded !== undefined) {
      steps.push({ wire: fields.embedded.wire, field: undefined, within: fields.embedded.fields });
    }
    order = steps.sort((a, b) => a.wire - b.wire);
    orders.set(fields, order);
  }
  return order;
}

function writeField(writer: Writer, wire: number, type: Type, value: unknown): void {
  switch (type.kind) {
    case 'list':
      for (const item of value as unknown[]) writeOne(writer, wire, type.of, item);
      return;
    case 'map': {
      const map = value as Record<string, unknown>;
      for (const key of Object.keys(map).sort()) {
        const entry = new Writer();
        writeText(entry, 1, key);
        if (type.of.kind === 'list') {
          // A list as the value of a map is a message that has the list as its only field.
          const list = new Writer();
          writeField(list, 1, type.of, map[key] ?? []);
          writeBlock(entry, 2, list.bytes());
        } else writeOne(entry, 2, type.of, map[key]);
        writeBlock(writer, wire, entry.bytes());
      }
      return;
    }
    default:
      writeOne(writer, wire, type, value);
  }
}

function writeOne(writer: Writer, wire: number, type: Type, value: unknown): void {
  if (type.kind === 'object')
    writeBlock(writer, wire, messageOf(fieldsOf(type), (value ?? {}) as Record<string, unknown>));
  else if (type.kind === 'scalar') writeScalar(writer, wire, type.scalar, value);
  else throw new ProtobufError('a list or map cannot stand directly in a list or map');
}

function writeScalar(writer: Writer, wire: number, scalar: keyof ScalarTypes, value: unknown): void {
  switch (scalar) {
    case 'string':
      writeText(writer, wire, String(value ?? ''));
      return;
    case 'bytes':
      writeBlock(writer, wire, Buffer.from(String(value ?? ''), 'base64'));
      return;
    case 'boolean':
      writeNumber(writer, wire, value === true ? 1 : 0);
      return;
    case 'int32':
    case 'int64':
      writeNumber(writer, wire, value as number);
      return;
    case 'double':
      writer.tag(wire, FIXED64);
      writer.double(value as number);
      return;
    default:
      writeBlock(writer, wire, smallMessage(scalar, value));
  }
}

/** Scalars that are small messages. */
function smallMessage(scalar: keyof ScalarTypes, value: unknown): Buffer {
  const writer = new Writer();
  switch (scalar) {
    case 'quantity':
      writeText(writer, 1, String(value));
      break;
    case 'intOrString':
      writeNumber(writer, 1, typeof value === 'number' ? 0 : 1);
      writeNumber(writer, 2, typeof value === 'number' ? value : 0);
      writeText(writer, 3, typeof value === 'number' ? '' : String(value));
      break;
    case 'time':
    case 'microTime': {
      const moment = readTime(String(value));
      if (moment === undefined) break;
      writeNumber(writer, 1, Date.parse(moment.seconds) / 1000);
      writeNumber(writer, 2, scalar === 'time' ? 0 : Number(moment.micros) * 1000);
      break;
    }
    case 'duration':
      writeNumber(writer, 1, Math.round(secondsOf(String(value)) * 1e9));
      break;
    default:
      writeBlock(writer, 1, Buffer.from(JSON.stringify(value)));
  }
  return writer.bytes();
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

function secondsOf(text: string): number {
  let sum = 0;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/([\d.]+)(h|ms|us|µs|ns|m|s)/g)) {
    sum += Number(amount) * (UNIT_SECONDS[unit] ?? 0);
  }
  return text.startsWith('-') ? -sum : sum;
}

function writeText(writer: Writer, wire: number, text: string): void {
  writeBlock(writer, wire, Buffer.from(text));
}

function writeBlock(writer: Writer, wire: number, bytes: Uint8Array): void {
  writer.tag(wire, BYTES);
  writer.block(bytes);
}

function writeNumber(writer: Writer, wire: number, value: number): void {
  writer.tag(wire, VARINT);
  writer.varint(value);
}
