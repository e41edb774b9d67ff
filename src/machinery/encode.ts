/**
 * An object's one encoding. Stored bytes begin `{"apiVersion":…,"kind":…,"metadata":{` and carry no
 * resourceVersion; it is spliced in behind that opening, whose length is the same for all objects of a kind.
 */
import { apiVersionOf, type Kind, type KubeObject } from './kind.ts';

/** The opening that all stored objects of a kind share. */
function openingOf(kind: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  return `{"apiVersion":${JSON.stringify(apiVersionOf(kind))},"kind":${JSON.stringify(kind.kind)},"metadata":{`;
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

/** The bytes to store. `object` must have a name. */
export function encodeStored(kind: Pick<Kind, 'group' | 'version' | 'kind'>, object: KubeObject): Buffer {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  const { resourceVersion: _resourceVersion, ...meta } = metadata ?? {};
  const tail = JSON.stringify(rest);
  const middle = JSON.stringify(meta);
  // `{…}` of the metadata without its brace, then the rest of the object without its.
  return Buffer.from(`${openingOf(kind)}${middle.slice(1)}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`);
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
