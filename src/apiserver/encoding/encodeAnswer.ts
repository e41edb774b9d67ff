/** From an answer to bytes. What is stored goes out as the bytes that were stored. */
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import type { ObjectType } from '../../machinery/schema/types.ts';
import { PartialObjectMetadata, StatusType } from '../../machinery/statusTypes.ts';
import { columnDefinitions, partialMetadata, tableRow } from '../../machinery/table.ts';
import type { EntryAnswer, ListAnswer, ObjectAnswer, RawAnswer } from '../answer.ts';
import type { Entry } from '../registry/entry.ts';
import type { BinaryFormat } from './binaryFormat.ts';
import { cborFormat } from './cborFormat.ts';
import { type ListBody, listBody, listMeta } from './listBody.ts';
import { type Encoding, MEDIA_TYPES, type Wanted } from './negotiate.ts';
import { protobufFormat } from './protobufFormat.ts';

export interface Encoded {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer | ListBody;
}

export const JSON_TYPE = MEDIA_TYPES.json;

/** The format of an encoding that is neither JSON nor YAML, which is made of it. */
export function binaryFormat(encoding: Encoding): BinaryFormat | undefined {
  switch (encoding) {
    case 'protobuf':
      return protobufFormat;
    case 'cbor':
      return cborFormat;
    default:
      return undefined;
  }
}

/** A promise only for YAML, whose library is loaded when it is first asked for. */
export function encodeAnswer(
  answer: EntryAnswer | ObjectAnswer | ListAnswer | RawAnswer,
  wanted: Wanted,
  now: number,
): Encoded | Promise<Encoded> {
  if (answer.type === 'raw') return answer;
  const status = answer.type === 'list' ? 200 : answer.status;
  const format = binaryFormat(wanted.encoding);
  const asItIs = wanted.form === 'object' && (format !== undefined || (wanted.encoding === 'json' && !wanted.pretty));
  if (asItIs && answer.type !== 'object') {
    return { status, contentType: MEDIA_TYPES[wanted.encoding], body: kept(answer, format) };
  }
  switch (answer.type) {
    case 'entry':
      return encodeValue(status, oneForm(answer.kind, answer.entry.as(answer.kind).object, wanted, now), wanted);
    case 'object': {
      const { object, kind } = answer;
      const isStatus = object.kind === 'Status' || kind === undefined;
      const shaped = isStatus ? { value: object } : oneForm(kind, object, wanted, now);
      return encodeValue(status, shaped, wanted);
    }
    case 'list':
      return listForm(answer, wanted, now, format);
  }
}

/** What is stored, in bytes that are kept with it. */
function kept(answer: EntryAnswer | ListAnswer, format: BinaryFormat | undefined): Buffer | ListBody {
  const { kind } = answer;
  if (answer.type === 'entry') {
    const entry = answer.entry.as(kind);
    return format === undefined ? entry.bytes : format.whole(namesOf(kind), itemOf(kind, entry, format));
  }
  if (format === undefined) return listBody(answer);
  const items = answer.entries.map((entry) => itemOf(kind, entry.as(kind), format));
  return format.list({ apiVersion: apiVersionOf(kind), kind: kind.listKind }, listMeta(answer), items);
}

/** @param entry as the version of `kind` has it */
export function itemOf(kind: Kind, entry: Entry, format: BinaryFormat): Buffer {
  return entry.encodedBy(format, () => format.item(entry.object, kind.schema));
}

export function namesOf(kind: Kind): { apiVersion: string; kind: string } {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind };
}

/** A value that is not stored as it is, and its type where it has one. */
export interface Shaped {
  readonly value: KubeObject;
  readonly type?: ObjectType;
}

/** A value that is not stored as it is, in the encoding and the form of letters that the client wants. */
export function encodeValue(
  status: number,
  { value, type }: Shaped,
  wanted: Pick<Wanted, 'pretty' | 'encoding'>,
): Encoded | Promise<Encoded> {
  const contentType = MEDIA_TYPES[wanted.encoding];
  const format = binaryFormat(wanted.encoding);
  if (format !== undefined) return { status, contentType, body: wholeOf(format, { value, ...(type && { type }) }) };
  if (wanted.encoding === 'yaml') {
    return import('./yamlText.ts').then(({ yamlText }) => ({
      status,
      contentType,
      body: Buffer.from(yamlText(value)),
    }));
  }
  const text = wanted.pretty ? `${stringifyExactJson(value, 2)}\n` : stringifyExactJson(value);
  return { status, contentType, body: Buffer.from(text) };
}

/** One value that names its own kind. */
export function wholeOf(format: BinaryFormat, { value, type }: Shaped): Buffer {
  const { apiVersion = '', kind = '' } = value;
  return format.whole({ apiVersion, kind }, format.item(value, kind === 'Status' ? StatusType : type));
}

/** One object as the client wants to see it. */
export function oneForm(kind: Kind, object: KubeObject, wanted: Wanted, now: number, withDefinitions = true): Shaped {
  switch (wanted.form) {
    case 'object':
      return { value: object, type: kind.schema };
    case 'metadata':
      return { value: metadataOf(object, wanted), type: PartialObjectMetadata };
    case 'table': {
      const metadata = { resourceVersion: object.metadata?.resourceVersion ?? '' };
      return { value: tableOf(kind, [object], metadata, wanted, now, withDefinitions) };
    }
  }
}

function metadataOf(object: KubeObject, wanted: Wanted): KubeObject {
  return { ...partialMetadata(object), apiVersion: `meta.k8s.io/${wanted.metaVersion}` };
}

function listForm(
  answer: ListAnswer,
  wanted: Wanted,
  now: number,
  format: BinaryFormat | undefined,
): Encoded | Promise<Encoded> {
  const { kind } = answer;
  const objects = answer.entries.map((e) => e.as(kind).object);
  if (wanted.form === 'table') {
    return encodeValue(200, { value: tableOf(kind, objects, listMeta(answer), wanted, now) }, wanted);
  }
  const isMeta = wanted.form === 'metadata';
  const names = isMeta
    ? { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${wanted.metaVersion}` }
    : { kind: kind.listKind, apiVersion: apiVersionOf(kind) };
  const items = isMeta ? objects.map((object) => metadataOf(object, wanted)) : objects;
  if (format !== undefined) {
    const made = items.map((item) => format.item(item, PartialObjectMetadata));
    const body = format.list(names, listMeta(answer), made);
    return { status: 200, contentType: MEDIA_TYPES[wanted.encoding], body };
  }
  return encodeValue(200, { value: { ...names, metadata: listMeta(answer), items } as KubeObject }, wanted);
}

/** A Table of objects; of watch events only the first carries the definitions of the columns. */
function tableOf(
  kind: Kind,
  objects: readonly KubeObject[],
  metadata: unknown,
  wanted: Wanted,
  now: number,
  withDefinitions = true,
): KubeObject {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
    metadata,
    columnDefinitions: withDefinitions ? columnDefinitions(kind) : null,
    rows: objects.map((object) => tableRow(kind, object, now, wanted.includeObject)),
  } as KubeObject;
}
