/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged by key,
 * and takes directives.
 *
 * Source: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 * and https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import type { Field, JsonObject, JsonValue, ListType, ObjectType, Type } from '../schema/types.ts';
import { badRequest } from '../status.ts';
import { isObject, setOwn } from './merge.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** The patched object; neither argument is changed. @throws ApiError BadRequest for a patch that makes no sense */
export function strategicMergePatch(type: ObjectType, target: JsonObject, patch: JsonObject): JsonObject {
  const result = mergeMap(type, target, patch);
  return result ?? {};
}

/** Undefined where the patch says that the map shall go. */
function mergeMap(type: Type | undefined, target: JsonObject, patch: JsonObject): JsonObject | undefined {
  const directive = patch[DIRECTIVE];
  if (directive === 'delete') return undefined;
  if (directive === 'replace') {
    const { [DIRECTIVE]: _directive, ...rest } = patch;
    return clean(rest) as JsonObject;
  }
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown directive $patch: ${JSON.stringify(directive)}`);

  const out: JsonObject = { ...target };
  const retain = patch[RETAIN_KEYS];
  if (retain !== undefined) {
    if (!Array.isArray(retain)) throw badRequest('$retainKeys must be a list of names');
    for (const key of Object.keys(out)) if (!retain.includes(key)) delete out[key];
  }
  for (const key of Object.keys(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_PRIMITIVES)) {
      deletePrimitives(out, key.slice(DELETE_PRIMITIVES.length), patch[key] as JsonValue);
      continue;
    }
    if (key.startsWith(ELEMENT_ORDER)) continue;
    const value = patch[key] as JsonValue;
    if (value === null) {
      delete out[key];
      continue;
    }
    const merged = mergeValue(fieldOf(type, key), Object.hasOwn(out, key) ? out[key] : undefined, value);
    if (merged === undefined) delete out[key];
    else setOwn(out, key, merged);
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue;
    const name = key.slice(ELEMENT_ORDER.length);
    const list = out[name];
    if (Array.isArray(list))
      out[name] = inOrder(fieldOf(type, name)?.type, list, patch[key] as JsonValue, target[name]);
  }
  return out;
}

function fieldOf(type: Type | undefined, key: string): Field | undefined {
  if (type?.kind === 'object') return type.fields[key];
  if (type?.kind === 'map') return { type: type.of, required: false, wire: undefined };
  return undefined;
}

function mergeValue(field: Field | undefined, target: JsonValue | undefined, patch: JsonValue): JsonValue | undefined {
  const type = field?.type;
  if (isObject(patch)) {
    const replace = field?.patch === 'replace';
    return mergeMap(type, isObject(target) && !replace ? target : {}, patch);
  }
  if (Array.isArray(patch)) {
    if (type?.kind === 'list' && type.patch?.includes('merge'))
      return mergeList(type, Array.isArray(target) ? target : [], patch);
    return clean(patch);
  }
  return patch;
}

function mergeList(type: ListType, target: JsonValue[], patch: JsonValue[]): JsonValue[] {
  if (type.mergeKey === undefined) {
    const out = [...target];
    for (const item of patch) if (!out.includes(item)) out.push(item);
    return out;
  }
  const key = type.mergeKey;
  if (patch.some((item) => isObject(item) && item[DIRECTIVE] === 'replace')) {
    return patch.filter((item) => !(isObject(item) && DIRECTIVE in item)).map(clean);
  }
  const out = [...target];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`an element of a list that is merged by ${key} must be an object`);
    const id = item[key];
    if (id === undefined) throw badRequest(`an element of the list does not have the merge key ${key}`);
    const at = out.findIndex((existing) => isObject(existing) && existing[key] === id);
    const merged = mergeMap(type.of, at < 0 ? {} : (out[at] as JsonObject), item);
    if (merged === undefined) {
      if (at >= 0) out.splice(at, 1);
    } else if (at >= 0) out[at] = merged;
    else out.push(merged);
  }
  return out;
}

function deletePrimitives(out: JsonObject, name: string, gone: JsonValue): void {
  const list = out[name];
  if (!Array.isArray(gone)) throw badRequest(`${DELETE_PRIMITIVES}${name} must be a list`);
  if (Array.isArray(list)) out[name] = list.filter((item) => !gone.includes(item));
}

/**
 * The elements that the order names stand in that order; each element that it does not name (the
 * server's own) stays behind its neighbour of before.
 */
function inOrder(
  type: Type | undefined,
  list: JsonValue[],
  order: JsonValue,
  before: JsonValue | undefined,
): JsonValue[] {
  if (!Array.isArray(order)) throw badRequest(`${ELEMENT_ORDER} must be a list`);
  const key = type?.kind === 'list' ? type.mergeKey : undefined;
  const idOf = (item: JsonValue) => (key !== undefined && isObject(item) ? item[key] : item);
  const wanted = order.map(idOf);
  const named = list.filter((item) => wanted.includes(idOf(item) as JsonValue));
  named.sort((a, b) => wanted.indexOf(idOf(a) as JsonValue) - wanted.indexOf(idOf(b) as JsonValue));
  const out = [...named];
  const previous = Array.isArray(before) ? before.map(idOf) : [];
  for (const item of list) {
    const id = idOf(item) as JsonValue;
    if (wanted.includes(id)) continue;
    const was = previous.indexOf(id);
    let at = out.length;
    if (was >= 0) {
      at = 0;
      for (let i = was - 1; i >= 0; i--) {
        const neighbour = out.findIndex((o) => idOf(o) === previous[i]);
        if (neighbour >= 0) {
          at = neighbour + 1;
          break;
        }
      }
    }
    out.splice(at, 0, item);
  }
  return out;
}

/** A part of a patch that becomes a value: without directives and nulls. */
function clean(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && item[DIRECTIVE] === 'delete')).map(clean);
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key] as JsonValue;
    if (item === null || key === DIRECTIVE || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ELEMENT_ORDER)) continue;
    setOwn(out, key, clean(item));
  }
  return out;
}
