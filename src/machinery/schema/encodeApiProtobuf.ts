/**
 * Objects of the API as Kubernetes writes them in protobuf, to the byte: fields in the order of their numbers,
 * zero values of what is no pointer in Go, maps sorted, numbers never packed.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl
 *
 * A hot path: an object is encoded once for all who ask for protobuf. Each type is compiled into closures.
 */
import { stringifyExactJson } from '../exactJson.ts';
import { readTime } from '../time.ts';
import { FIXED64, ProtobufError, VARINT } from './protobuf.ts';
import { BackwardWriter } from './protobufWriter.ts';
import type { MapType, ObjectType, ScalarType, Type } from './types.ts';
import {
  type Embedded,
  isEmbedded,
  layoutOf,
  SCHEMA_OR_BOOLEAN,
  type WireField,
  type WireLayout,
} from './wireLayout.ts';

type Value = Readonly<Record<string, unknown>>;
type MessageWriter = (writer: BackwardWriter, value: Value) => void;
/** Writes one value with the tag of its field; undefined is the zero value. */
type ItemWriter = (writer: BackwardWriter, item: unknown) => void;

const NOTHING: Value = {};

/** The object as a message, without the envelope that names its kind. */
export function encodeApiProtobuf(type: ObjectType, value: object, sizeHint?: number): Buffer {
  const writer = new BackwardWriter(sizeHint);
  messageWriter(type)(writer, value as Value);
  return writer.bytes();
}

const compiled = new WeakMap<ObjectType, MessageWriter>();

function messageWriter(type: ObjectType): MessageWriter {
  let writer = compiled.get(type);
  if (writer === undefined) {
    writer = compile(layoutOf(type), type);
    compiled.set(type, writer);
  }
  return writer;
}

function compile(layout: WireLayout, type: ObjectType): MessageWriter {
  const parts = layout.fields.map((field) =>
    isEmbedded(field) ? embeddedWriter(field, type) : fieldWriter(field, type),
  );
  parts.reverse();
  return (writer, value) => {
    for (const part of parts) part(writer, value);
  };
}

function embeddedWriter({ wire, layout }: Embedded, type: ObjectType): MessageWriter {
  const inner = compile(layout, type);
  return (writer, value) => {
    const before = writer.length;
    inner(writer, value);
    writer.close(wire, before);
  };
}

function fieldWriter({ wire, name, type, pointer }: WireField, around: ObjectType): MessageWriter {
  switch (type.kind) {
    case 'list': {
      const write = itemWriter(wire, type.of, around);
      return (writer, value) => {
        const items = value[name] as readonly unknown[] | undefined | null;
        if (items === undefined || items === null) return;
        for (let i = items.length - 1; i >= 0; i--) write(writer, items[i]);
      };
    }
    case 'map':
      return mapWriter(wire, name, type, around);
    default: {
      const write = itemWriter(wire, type, around);
      const always = !pointer && !(type.kind === 'scalar' && type.scalar === 'bytes');
      return (writer, value) => {
        const item = value[name];
        if (item !== undefined && item !== null) write(writer, item);
        else if (always) write(writer, undefined);
      };
    }
  }
}

function mapWriter(wire: number, name: string, type: MapType, around: ObjectType): MessageWriter {
  const write = itemWriter(2, type.of, around);
  return (writer, value) => {
    const items = value[name] as Value | undefined | null;
    if (items === undefined || items === null) return;
    const keys = sortedKeys(items);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] as string;
      const before = writer.length;
      write(writer, items[key]);
      writer.text(1, key);
      writer.close(wire, before);
    }
  };
}

/** Letters whose order in UTF-16 is not that of their bytes in UTF-8. */
const HIGH = /[\ud800-\uffff]/;

/** The keys of a map in the order of their bytes. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  if (keys.length < 2) return keys;
  if (!keys.some((key) => HIGH.test(key))) return keys.sort();
  return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function itemWriter(wire: number, type: Type, around: ObjectType): ItemWriter {
  switch (type.kind) {
    case 'object': {
      let write: MessageWriter | undefined;
      return (writer, item) => {
        write ??= messageWriter(type);
        const before = writer.length;
        write(writer, (item as Value | undefined) ?? NOTHING);
        writer.close(wire, before);
      };
    }
    case 'list': {
      // A list in a map is a message that has nothing else.
      const write = itemWriter(1, type.of, around);
      return (writer, item) => {
        const items = (item as readonly unknown[] | undefined) ?? [];
        const before = writer.length;
        for (let i = items.length - 1; i >= 0; i--) write(writer, items[i]);
        writer.close(wire, before);
      };
    }
    case 'map':
      throw new ProtobufError('a map cannot stand directly in a list or map');
    case 'scalar':
      return scalarWriter(wire, type, around);
  }
}

function scalarWriter(wire: number, type: ScalarType, around: ObjectType): ItemWriter {
  switch (type.scalar) {
    case 'string':
      return (writer, item) => writer.text(wire, (item as string | undefined) ?? '');
    case 'bytes':
      return (writer, item) => writer.block(wire, Buffer.from((item as string | undefined) ?? '', 'base64'));
    case 'boolean':
      return (writer, item) => {
        writer.varint(item === true ? 1 : 0);
        writer.tag(wire, VARINT);
      };
    case 'int32':
    case 'int64':
      return (writer, item) => {
        writer.varint((item as number | undefined) ?? 0);
        writer.tag(wire, VARINT);
      };
    case 'double':
      return (writer, item) => {
        writer.double((item as number | undefined) ?? 0);
        writer.tag(wire, FIXED64);
      };
    case 'quantity':
      return nested(wire, (writer, item) => writer.text(1, String(item ?? '0')));
    case 'time':
    case 'microTime':
      return nested(wire, (writer, item) => {
        if (item !== undefined && item !== null) writeTime(writer, item as string, type.scalar === 'microTime');
      });
    case 'intOrString':
      return nested(wire, writeIntOrString);
    case 'duration':
      return nested(wire, (writer, item) => {
        writer.varint(nanosecondsOf((item as string | undefined) ?? '0'));
        writer.tag(1, VARINT);
      });
    case 'rawObject':
    case 'any':
      if (type.wireType !== undefined) return nested(wire, unionWriter(type.wireType, around));
      return nested(wire, (writer, item) => {
        if (item !== undefined) writer.block(1, Buffer.from(stringifyExactJson(item)));
      });
  }
}

function nested(wire: number, write: ItemWriter): ItemWriter {
  return (writer, item) => {
    const before = writer.length;
    write(writer, item);
    writer.close(wire, before);
  };
}

function writeIntOrString(writer: BackwardWriter, item: unknown): void {
  const isText = typeof item === 'string';
  writer.text(3, isText ? item : '');
  writer.varint(isText ? 0 : ((item as number | undefined) ?? 0));
  writer.tag(2, VARINT);
  writer.varint(isText ? 1 : 0);
  writer.tag(1, VARINT);
}

function writeTime(writer: BackwardWriter, text: string, micro: boolean): void {
  const moment = readTime(text);
  if (moment === undefined) throw new ProtobufError(`${JSON.stringify(text)} is no time`);
  writer.varint(micro ? Number(moment.micros) * 1000 : 0);
  writer.tag(2, VARINT);
  writer.varint(Date.parse(moment.seconds) / 1000);
  writer.tag(1, VARINT);
}

const UNIT_NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Of a Go duration, which decoding has found to be one. */
function nanosecondsOf(text: string): number {
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(number) * (UNIT_NANOSECONDS[unit as string] as number);
  }
  return Math.round(text.startsWith('-') ? -sum : sum);
}

/** A place in a schema of a custom resource where there is a schema or something else. */
function unionWriter(name: string, schema: ObjectType): ItemWriter {
  const orBoolean = name === SCHEMA_OR_BOOLEAN;
  return (writer, item) => {
    if (Array.isArray(item)) {
      for (let i = item.length - 1; i >= 0; i--) {
        if (typeof item[i] === 'string') writer.text(2, item[i] as string);
        else writeSchema(writer, 2, schema, item[i] as Value);
      }
    } else if (typeof item === 'object' && item !== null) {
      writeSchema(writer, orBoolean ? 2 : 1, schema, item as Value);
    }
    if (orBoolean) {
      // A schema allows what fits it.
      writer.varint(item === false || item === undefined ? 0 : 1);
      writer.tag(1, VARINT);
    }
  };
}

function writeSchema(writer: BackwardWriter, wire: number, schema: ObjectType, item: Value): void {
  const before = writer.length;
  messageWriter(schema)(writer, item);
  writer.close(wire, before);
}
