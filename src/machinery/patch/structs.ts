/**
 * JSON patches speak of objects as Go writes them: what is no pointer there is always written, as `{}` where nothing is
 * in it, and so a patch may add `/status/conditions` to an object that has no status yet.
 */
import type { JsonObject, JsonValue, ObjectType } from '../schema/types.ts';
import { isPointer } from '../schema/wireLayout.ts';
import { isObject } from './merge.ts';

/** The document with those empty objects that a JSON patch speaks of; itself where there are none. */
export function withStructs(type: ObjectType, document: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) return document;
  let filled = document;
  for (const operation of patch as unknown[]) {
    if (!isObject(operation)) continue;
    for (const pointer of [operation.path, operation.from]) {
      // An escaped name is one of a map, not of a field.
      if (typeof pointer === 'string') filled = along(type, filled, pointer.split('/').slice(1));
    }
  }
  return filled;
}

function along(type: ObjectType, object: JsonObject, [name, ...rest]: readonly string[]): JsonObject {
  if (name === undefined || !Object.hasOwn(type.fields, name)) return object;
  const field = type.fields[name];
  if (field?.type.kind !== 'object') return object;
  const before: JsonValue | undefined = object[name];
  if (before === undefined) {
    return isPointer(name, field) ? object : { ...object, [name]: along(field.type, {}, rest) };
  }
  if (!isObject(before)) return object;
  const after = along(field.type, before, rest);
  return after === before ? object : { ...object, [name]: after };
}
