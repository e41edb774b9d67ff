/**
 * Objects of the API as clients send them in protobuf: an envelope that names the kind, and the object with
 * Go's zero values written out, times and quantities as messages, and some types embedded in others.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl
 */
import { formatTime } from '../time.ts';
import { parseJson } from './parseJson.ts';
import { BYTES, FIXED64, ProtobufError, Reader, VARINT } from './protobuf.ts';
import type { ObjectType, ScalarTypes, Type } from './types.ts';

/** What an object in protobuf begins with: `k8s` and a zero. */
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const MAX_DEPTH = 100;

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** the object; read it with `decodeApiProtobuf` */
  readonly raw: Buffer;
}

/** @throws ProtobufError */
export function openEnvelope(bytes: Buffer): Envelope {
  if (bytes.length < MAGIC.length || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new ProtobufError('the body does not begin as an object in protobuf does');
  }
  const reader = new Reader(bytes.subarray(MAGIC.length));
  const envelope: { apiVersion: string; kind: string; raw: Buffer } = {
    apiVersion: '',
    kind: '',
    raw: Buffer.alloc(0),
  };
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | BYTES)) {
      const meta = new Reader(reader.block());
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
 * The object as JSON would carry it.
 * @throws ProtobufError for bytes that are no such object, or hold a field that is not known: nothing is lost in silence
 */
export function decodeApiProtobuf(type: ObjectType, raw: Buffer): Record<string, unknown> {
  return readMessage(type, new Reader(raw), {}, fieldsOf(type), 0);
}

interface WireField {
  readonly name: string;
  readonly type: Type;
}

/** The fields of a message, by their numbers. */
export interface WireFields {
  readonly byWire: ReadonlyMap<number, WireField>;
  /** the number under which a message stands whose fields are this object's own */
  readonly embedded?: { readonly wire: number; readonly fields: WireFields };
}

const SOURCES =
  'hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim ' +
  'rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk ' +
  'photonPersistentDisk portworxVolume scaleIO projected storageos csi ephemeral image';
const CONTAINER =
  'name image command args workingDir ports env resources volumeMounts livenessProbe readinessProbe lifecycle ' +
  'terminationMessagePath imagePullPolicy securityContext stdin stdinOnce tty envFrom terminationMessagePolicy ' +
  'volumeDevices startupProbe resizePolicy restartPolicy restartPolicyRules';

const VOLUME_SOURCES =
  'gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd iscsi cinder cephfs fc flocker flexVolume azureFile ' +
  'vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO local storageos csi';
const RULE = 'apiGroups apiVersions resources scope';

/** The number under which a message stands, its fields from number 1 on, and the message that it embeds itself. */
type Embedding = readonly [wire: number, fields: string, within?: Embedding];

/** Types that embed another, below `io.k8s.api.`. */
const EMBEDDED: Readonly<Record<string, Embedding>> = {
  'core.v1.Volume': [2, SOURCES],
  'core.v1.PersistentVolumeSpec': [2, VOLUME_SOURCES],
  'core.v1.Probe': [1, 'exec httpGet tcpSocket grpc'],
  'core.v1.EphemeralContainer': [1, CONTAINER],
  'core.v1.ConfigMapVolumeSource': [1, 'name'],
  'core.v1.ConfigMapProjection': [1, 'name'],
  'core.v1.SecretProjection': [1, 'name'],
  'core.v1.ConfigMapKeySelector': [1, 'name'],
  'core.v1.SecretKeySelector': [1, 'name'],
  'core.v1.ConfigMapEnvSource': [1, 'name'],
  'core.v1.SecretEnvSource': [1, 'name'],
  'networking.v1.IngressRule': [2, 'http'],
  'admissionregistration.v1.RuleWithOperations': [2, RULE],
  'admissionregistration.v1.NamedRuleWithOperations': [2, 'operations', [2, RULE]],
  'resource.v1.DeviceClassConfiguration': [1, 'opaque'],
  'resource.v1.DeviceClaimConfiguration': [2, 'opaque'],
  'resource.v1.DeviceAllocationConfiguration': [3, 'opaque'],
};
const API = 'io.k8s.api.';

const known = new WeakMap<ObjectType, WireFields>();

/** How the fields of a type are numbered; computed once. */
export function fieldsOf(type: ObjectType): WireFields {
  let fields = known.get(type);
  if (fields === undefined) {
    const byWire = new Map<number, WireField>();
    for (const [name, field] of Object.entries(type.fields)) {
      if (field.wire !== undefined) byWire.set(field.wire, { name, type: field.type });
    }
    const row = type.name.startsWith(API) ? EMBEDDED[type.name.slice(API.length)] : undefined;
    fields = row === undefined ? { byWire } : { byWire, embedded: embeddingOf(type, row) };
    known.set(type, fields);
  }
  return fields;
}

function embeddingOf(type: ObjectType, [wire, names, within]: Embedding): NonNullable<WireFields['embedded']> {
  const byWire = new Map<number, WireField>();
  for (const [i, name] of names.split(' ').entries()) {
    const field = type.fields[name];
    if (field !== undefined) byWire.set(i + 1, { name, type: field.type });
  }
  return { wire, fields: within === undefined ? { byWire } : { byWire, embedded: embeddingOf(type, within) } };
}

type Out = Record<string, unknown>;

function readMessage(type: ObjectType, reader: Reader, out: Out, fields: WireFields, depth: number): Out {
  if (depth > MAX_DEPTH) throw new ProtobufError(`nested deeper than ${MAX_DEPTH} messages`);
  while (!reader.done) {
    const tag = reader.varint();
    const wire = tag >>> 3;
    const field = fields.byWire.get(wire);
    if (field !== undefined) readField(field, tag & 7, out, reader, depth);
    else if (fields.embedded?.wire === wire) {
      readMessage(type, new Reader(reader.block()), out, fields.embedded.fields, depth + 1);
    } else throw new ProtobufError(`${type.name} has no field with the number ${wire}`);
  }
  return out;
}

function readField({ name, type }: WireField, wireType: number, out: Out, reader: Reader, depth: number): void {
  switch (type.kind) {
    case 'list': {
      out[name] ??= [];
      const list = out[name] as unknown[];
      if (wireType === BYTES && isNumeric(type.of)) {
        const packed = new Reader(reader.block());
        while (!packed.done) list.push(readOne(type.of, packed, VARINT, depth));
      } else list.push(readOne(type.of, reader, wireType, depth));
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
        else if (tag >>> 3 === 2) value = readValue(type.of, entry, tag & 7, depth);
        else entry.skip(tag & 7);
      }
      Object.defineProperty(out[name], key, {
        value: value ?? '',
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return;
    }
    default: {
      const value = readOne(type, reader, wireType, depth);
      // Go writes an empty text for one that is absent.
      if (value !== undefined && value !== '') out[name] = value;
    }
  }
}

/** A list as the value of a map is a message that has the list as its only field. */
function readValue(type: Type, reader: Reader, wireType: number, depth: number): unknown {
  if (type.kind !== 'list') return readOne(type, reader, wireType, depth);
  const message = new Reader(reader.block());
  const list: unknown[] = [];
  while (!message.done) {
    const tag = message.varint();
    if (tag >>> 3 === 1) list.push(readOne(type.of, message, tag & 7, depth + 1));
    else message.skip(tag & 7);
  }
  return list;
}

const isNumeric = (type: Type) =>
  type.kind === 'scalar' && (type.scalar === 'int32' || type.scalar === 'int64' || type.scalar === 'boolean');

function readOne(type: Type, reader: Reader, wireType: number, depth: number): unknown {
  if (type.kind === 'object') return readMessage(type, new Reader(reader.block()), {}, fieldsOf(type), depth + 1);
  if (type.kind === 'scalar') return readScalar(type.scalar, reader, wireType);
  throw new ProtobufError('a list or map cannot stand directly in a list or map');
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
      return reader.varint();
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
  const message = new Reader(reader.block());
  while (!message.done) {
    const tag = message.varint();
    if ((tag & 7) === VARINT) parts.set(tag >>> 3, message.varint());
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
