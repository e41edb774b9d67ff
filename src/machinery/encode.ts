/**
 * An object's one encoding. Stored bytes begin `{"apiVersion":…,"kind":…,"metadata":{` and carry no
 * resourceVersion; it is spliced in behind that opening, whose length is the same for all objects of a kind.
 */
import { stringifyExactJson } from './exactJson.ts';
import { textOf } from './fieldOwnership/interned.ts';
import { apiVersionOf, type Kind, type KubeObject } from './kind.ts';
import type { ManagedFieldsEntry, ObjectMeta } from './meta.ts';

const openings = new WeakMap<object, string>();

/** The opening that all stored objects of a kind share. */
function openingOf(kind: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  let opening = openings.get(kind);
  if (opening === undefined) {
    opening = `{"apiVersion":${JSON.stringify(apiVersionOf(kind))},"kind":${JSON.stringify(kind.kind)},"metadata":{`;
    openings.set(kind, opening);
  }
  return opening;
}

const openingLengths = new WeakMap<object, number>();

/** Where the resourceVersion goes in the stored bytes of a kind. */
export function openingLengthOf(kind: Pick<Kind, 'group' | 'version' | 'kind'>): number {
  let length = openingLengths.get(kind);
  if (length === undefined) {
    length = Buffer.byteLength(openingOf(kind));
    openingLengths.set(kind, length);
  }
  return length;
}

/** The bytes to store. `object` must have a name. A hot path: once for every write. */
export function encodeStored(kind: Pick<Kind, 'group' | 'version' | 'kind'>, object: KubeObject): Buffer {
  // `{…}` of the metadata without its opening brace, then the rest of the object, field by field.
  let text = openingOf(kind) + metadataText(object.metadata ?? {}).slice(1);
  for (const name of Object.keys(object)) {
    if (name === 'apiVersion' || name === 'kind' || name === 'metadata') continue;
    const value: string | undefined = stringifyExactJson((object as Record<string, unknown>)[name]);
    if (value !== undefined) text += `,${JSON.stringify(name)}:${value}`;
  }
  return Buffer.from(`${text}}`);
}

/** managedFields stand last, and who owns what is text already. */
function metadataText(metadata: ObjectMeta): string {
  const { resourceVersion, managedFields, ...rest } = metadata;
  if (managedFields === undefined) return JSON.stringify(resourceVersion === undefined ? metadata : rest);
  const text = JSON.stringify(rest);
  const entries = managedFields.map(entryText).join();
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}"managedFields":[${entries}]}`;
}

function entryText(entry: ManagedFieldsEntry): string {
  const { fieldsV1 } = entry;
  const fields = fieldsV1 === undefined ? undefined : textOf(fieldsV1);
  if (fields === undefined) return JSON.stringify(entry);
  let text = '';
  for (const [name, value] of Object.entries(entry)) {
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}"${name}":${name === 'fieldsV1' ? fields : JSON.stringify(value)}`;
  }
  return `{${text}}`;
}

/** Stored bytes with the resourceVersion in them: what clients get. */
export function spliceResourceVersion(openingLength: number, stored: Buffer, revision: number): Buffer {
  const text = `"resourceVersion":"${revision}",`;
  const out = Buffer.allocUnsafe(stored.length + text.length);
  stored.copy(out, 0, 0, openingLength);
  out.write(text, openingLength, 'latin1');
  stored.copy(out, openingLength + text.length, openingLength);
  return out;
}
