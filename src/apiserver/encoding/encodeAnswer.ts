/** From an answer to bytes. What is stored goes out as the bytes that were stored. */
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { columnDefinitions, partialMetadata, tableRow } from '../../machinery/table.ts';
import type { EntryAnswer, ListAnswer, ObjectAnswer, RawAnswer } from '../answer.ts';
import { type ListBody, listBody, listMeta } from './listBody.ts';
import type { Wanted } from './negotiate.ts';
import { PROTOBUF_TYPE, protobufEntry, protobufList, protobufObject } from './protobufAnswer.ts';

export interface Encoded {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer | ListBody;
}

export const JSON_TYPE = 'application/json';

/** @throws ApiError NotAcceptable where there is no table of what is answered */
export function encodeAnswer(
  answer: EntryAnswer | ObjectAnswer | ListAnswer | RawAnswer,
  wanted: Wanted,
  now: number,
): Encoded {
  if (wanted?.protobuf === true) {
    const body = protobufOf(answer);
    if (body !== undefined)
      return { status: answer.type === 'list' ? 200 : answer.status, contentType: PROTOBUF_TYPE, body };
  }
  switch (answer.type) {
    case 'raw':
      return answer;
    case 'entry':
      if (wanted.form === 'object' && !wanted.pretty && !wanted.yaml) {
        return { status: answer.status, contentType: JSON_TYPE, body: answer.entry.as(answer.kind).bytes };
      }
      return encodeValue(answer.status, oneForm(answer.kind, answer.entry.as(answer.kind).object, wanted, now), wanted);
    case 'object':
      if (wanted.form === 'object' || answer.object.kind === 'Status')
        return encodeValue(answer.status, answer.object, wanted);
      if (answer.kind === undefined) throw apiError('NotAcceptable', 'there is no table of this');
      return encodeValue(answer.status, oneForm(answer.kind, answer.object, wanted, now), wanted);
    case 'list':
      if (wanted.form === 'object' && !wanted.pretty && !wanted.yaml) {
        return { status: 200, contentType: JSON_TYPE, body: listBody(answer) };
      }
      return encodeValue(200, listForm(answer, wanted, now), wanted);
  }
}

/** Undefined for what has no such form: a Status is told in JSON. */
function protobufOf(answer: EntryAnswer | ObjectAnswer | ListAnswer | RawAnswer): Buffer | undefined {
  switch (answer.type) {
    case 'raw':
      return undefined;
    case 'entry':
      return protobufEntry(answer.kind, answer.entry);
    case 'list':
      return protobufList(answer);
    case 'object': {
      const { kind, object } = answer;
      return kind === undefined || object.kind !== kind.kind ? undefined : protobufObject(kind, object);
    }
  }
}

/** The JSON of a value, in the form of letters that the client wants. */
export function encodeValue(status: number, value: unknown, wanted: Pick<Wanted, 'pretty' | 'yaml'>): Encoded {
  // YAML is a superset of JSON; what asks for YAML gets it in that style.
  const text = wanted.pretty || wanted.yaml ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
  return { status, contentType: wanted.yaml ? 'application/yaml' : JSON_TYPE, body: Buffer.from(text) };
}

function oneForm(kind: Kind, object: KubeObject, wanted: Wanted, now: number): unknown {
  switch (wanted.form) {
    case 'object':
      return object;
    case 'metadata':
      return { ...partialMetadata(object), apiVersion: `meta.k8s.io/${wanted.metaVersion}` };
    case 'table':
      return tableOf(kind, [object], { resourceVersion: object.metadata?.resourceVersion ?? '' }, wanted, now);
  }
}

function listForm(answer: ListAnswer, wanted: Wanted, now: number): unknown {
  const objects = answer.entries.map((e) => e.as(answer.kind).object);
  switch (wanted.form) {
    case 'object':
      return {
        kind: answer.kind.listKind,
        apiVersion: apiVersionOf(answer.kind),
        metadata: listMeta(answer),
        items: objects,
      };
    case 'metadata':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
        metadata: listMeta(answer),
        items: objects.map((object) => ({
          ...partialMetadata(object),
          apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
        })),
      };
    case 'table':
      return tableOf(answer.kind, objects, listMeta(answer), wanted, now);
  }
}

/** A Table of objects; of watch events only the first carries the definitions of the columns. */
export function tableOf(
  kind: Kind,
  objects: readonly KubeObject[],
  metadata: unknown,
  wanted: Wanted,
  now: number,
  withDefinitions = true,
): unknown {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
    metadata,
    columnDefinitions: withDefinitions ? columnDefinitions(kind) : null,
    rows: objects.map((object) => tableRow(kind, object, now, wanted.includeObject)),
  };
}
