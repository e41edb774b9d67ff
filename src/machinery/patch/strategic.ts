/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged, and by
 * which key, and that takes directives:
 *
 * - `$patch: replace | delete | merge` in an object, or as an element of a list that is merged
 * - `$retainKeys: [...]`: no other fields stay
 * - `$deleteFromPrimitiveList/x: [...]`: values that leave the list x
 * - `$setElementOrder/x: [...]`: the order of the list x
 *
 * Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import type { Field, JsonObject, JsonValue, ListType, ObjectType, Type } from '../schema/types.ts';
import { setOwn } from '../setOwn.ts';
import { badRequest } from '../status.ts';
import { isObject } from './merge.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** The patched object; neither argument is changed, parts of both are shared by the result. @throws ApiError BadRequest for a patch that makes no sense */
export function strategicMergePatch(type: ObjectType, target: JsonObject, patch: JsonObject): JsonObject {
  return mergeObject(type, target, patch);
}

function mergeObject(type: Type | undefined, target: JsonObject, patch: JsonObject): JsonObject {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === 'delete') return {};
  if (directive === 'replace') return rest;
  if (directive !== undefined && directive !== 'merge') throw badDirective(directive);

  const out: JsonObject = { ...target };
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS) retainKeys(out, patch);
    else if (key.startsWith(DELETE_PRIMITIVES)) deletePrimitives(out, key, listIn(patch, key));
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(ELEMENT_ORDER)) {
      const name = key.slice(ELEMENT_ORDER.length);
      // With a patch of the same list, both are done together, below.
      if (!Object.hasOwn(patch, name)) mergeField(type, out, name, [], listIn(patch, key));
    } else if (key !== DIRECTIVE && key !== RETAIN_KEYS && !key.startsWith(DELETE_PRIMITIVES)) {
      const order = Object.hasOwn(patch, ELEMENT_ORDER + key) ? listIn(patch, ELEMENT_ORDER + key) : undefined;
      mergeField(type, out, key, patch[key] as JsonValue, order);
    }
  }
  return out;
}

/** @param order what `$setElementOrder` says of the field */
function mergeField(
  type: Type | undefined,
  out: JsonObject,
  name: string,
  patch: JsonValue,
  order: JsonValue[] | undefined,
): void {
  const field = fieldOf(type, name);
  const target = Object.hasOwn(out, name) ? out[name] : undefined;
  if (patch === null) delete out[name];
  else if (isObject(patch)) {
    const merged = field?.patch === 'replace' ? patch : mergeObject(field?.type, isObject(target) ? target : {}, patch);
    setOwn(out, name, merged);
  } else if (!Array.isArray(patch)) setOwn(out, name, patch);
  else if (field?.type.kind === 'list' && field.type.patch?.includes('merge') === true) {
    // An order alone makes no list of what is not there.
    if (target === undefined && order !== undefined && patch.length === 0) return;
    setOwn(out, name, mergeList(field.type, Array.isArray(target) ? target : [], patch, order));
  } else if (order === undefined || patch.length > 0) setOwn(out, name, patch);
}

function fieldOf(type: Type | undefined, key: string): Pick<Field, 'type' | 'patch'> | undefined {
  if (type?.kind === 'object') return Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
  return type?.kind === 'map' ? { type: type.of } : undefined;
}

function listIn(patch: JsonObject, key: string): JsonValue[] {
  const list = patch[key];
  if (!Array.isArray(list)) throw badRequest(`${key} must be a list`);
  return list;
}

function badDirective(directive: JsonValue): Error {
  return badRequest(`unknown directive ${DIRECTIVE}: ${JSON.stringify(directive)}`);
}

function retainKeys(out: JsonObject, patch: JsonObject): void {
  const kept = new Set(listIn(patch, RETAIN_KEYS));
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !key.startsWith('$') && !kept.has(key)) {
      throw badRequest(`${RETAIN_KEYS} does not name ${JSON.stringify(key)}, which the patch sets`);
    }
  }
  for (const key of Object.keys(out)) if (!kept.has(key)) delete out[key];
}

function deletePrimitives(out: JsonObject, key: string, values: JsonValue[]): void {
  const name = key.slice(DELETE_PRIMITIVES.length);
  const list = Object.hasOwn(out, name) ? out[name] : undefined;
  if (!Array.isArray(list)) return;
  const gone = new Set(values);
  out[name] = list.filter((item) => !gone.has(item));
}

/** What tells an element of a merged list from the others: its merge key's value, or itself. */
function idOf(type: ListType, item: JsonValue | undefined): JsonValue | undefined {
  if (type.mergeKey === undefined) return item;
  return isObject(item) && Object.hasOwn(item, type.mergeKey) ? item[type.mergeKey] : undefined;
}

function mergeList(
  type: ListType,
  target: JsonValue[],
  patch: JsonValue[],
  order: JsonValue[] | undefined,
): JsonValue[] {
  const { kept, items } = takeDirectives(type, target, patch);
  const merged = type.mergeKey === undefined ? [...new Set(kept)] : [...kept];
  // Of several elements with one key, a patch reaches the first.
  const places = new Map<JsonValue | undefined, number>();
  for (const [i, item] of merged.entries()) if (!places.has(idOf(type, item))) places.set(idOf(type, item), i);
  for (const item of items) {
    const id = idOf(type, item);
    const place = places.get(id) ?? merged.length;
    places.set(id, place);
    const there = merged[place];
    merged[place] =
      type.mergeKey === undefined || !isObject(item) ? item : mergeObject(type.of, isObject(there) ? there : {}, item);
  }
  const wanted = (order ?? items).map((item) => idOf(type, item) ?? item);
  if (order !== undefined) checkOrder(type, items, wanted);
  return interleave(type, merged, wanted, target);
}

/** The elements of the target that stay, and those of the patch that are no directives. */
function takeDirectives(
  type: ListType,
  target: JsonValue[],
  patch: JsonValue[],
): { kept: JsonValue[]; items: JsonValue[] } {
  const key = type.mergeKey;
  if (key === undefined) return { kept: target, items: patch };
  const items: JsonValue[] = [];
  const gone = new Set<JsonValue | undefined>();
  let replace = false;
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`an element of a list that is merged by ${key} must be an object`);
    const directive = item[DIRECTIVE];
    if (directive === 'replace') {
      replace = true;
      continue;
    }
    const id = idOf(type, item);
    if (id === undefined) throw badRequest(`${JSON.stringify(item)} does not contain the merge key ${key}`);
    if (directive === 'delete') gone.add(id);
    else if (directive === undefined || directive === 'merge') items.push(item);
    else throw badDirective(directive);
  }
  // As they are, several with one key, too: a node has addresses of one type.
  if (replace)
    return { kept: items.map((item) => (isObject(item) ? mergeObject(type.of, {}, item) : item)), items: [] };
  return { kept: gone.size === 0 ? target : target.filter((item) => !gone.has(idOf(type, item))), items };
}

/** A patch may not contradict the order that it gives. */
function checkOrder(type: ListType, items: JsonValue[], wanted: JsonValue[]): void {
  let at = 0;
  for (const item of items) {
    at = wanted.indexOf(idOf(type, item) as JsonValue, at);
    if (at < 0) throw badRequest(`the order of the elements in the patch does not match ${ELEMENT_ORDER}`);
  }
}

/**
 * The elements that the patch names, in its order, and all others (the server's own) in theirs. One
 * of the others goes before one that is named only if it was before it in the live list.
 */
function interleave(type: ListType, merged: JsonValue[], wanted: JsonValue[], live: JsonValue[]): JsonValue[] {
  const rank = new Map(wanted.map((id, i) => [id, i]));
  const liveRank = new Map(live.map((item, i) => [idOf(type, item), i]));
  const rankOf = (item: JsonValue) => rank.get(idOf(type, item) as JsonValue);
  const named = merged.filter((item) => rankOf(item) !== undefined);
  named.sort((a, b) => (rankOf(a) as number) - (rankOf(b) as number));
  const others = merged.filter((item) => rankOf(item) === undefined);
  const out: JsonValue[] = [];
  let i = 0;
  for (const item of named) {
    const was = liveRank.get(idOf(type, item));
    if (was !== undefined) {
      while (i < others.length && (liveRank.get(idOf(type, others[i])) ?? Number.POSITIVE_INFINITY) < was) {
        out.push(others[i++] as JsonValue);
      }
    }
    out.push(item);
  }
  return [...out, ...others.slice(i)];
}
