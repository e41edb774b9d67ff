/**
 * JSON patch (RFC 6902), over JSON pointers (RFC 6901).
 *
 * The document is not changed and not copied as a whole: a container is copied when something in it
 * first changes, and changed in place from then on.
 */
import { cloneJson } from '../clone.ts';
import { stringifyExactJson } from '../exactJson.ts';
import { jsonEqual } from '../jsonEqual.ts';
import type { JsonObject, JsonValue } from '../schema/types.ts';
import { setOwn } from '../setOwn.ts';
import { type ApiError, apiError, badRequest } from '../status.ts';
import { isObject } from './merge.ts';

/** More operations than this in one patch are refused, as Kubernetes does. */
const MAX_OPERATIONS = 10_000;
/** Bytes that all `copy` operations of a patch may add: a few of them can double a document again and again. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;
/** Levels that a pointer may descend: no object of the API is deeper. */
const MAX_DEPTH = 1000;

type Container = JsonObject | JsonValue[];

/** The patched document. @throws ApiError: BadRequest for what is no patch, Invalid where it does not apply */
export function applyJsonPatch(document: JsonValue, patch: unknown): JsonValue {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw apiError(
      'RequestEntityTooLarge',
      `the allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  for (const operation of patch as unknown[]) {
    if (!isObject(operation)) throw badRequest('each operation of a JSON patch must be an object');
  }
  const draft = new Draft(document);
  for (const operation of patch as JsonObject[]) draft.apply(operation);
  return draft.root;
}

class Draft {
  root: JsonValue;
  /** containers that were made here, and are in one place only */
  readonly #own = new WeakSet<Container>();
  #copiedBytes = 0;

  constructor(document: JsonValue) {
    this.root = document;
  }

  apply(operation: JsonObject): void {
    const path = pointer(operation, 'path');
    switch (operation.op) {
      case 'add':
        this.#add(path, valueIn(operation));
        break;
      case 'remove':
        this.#remove(path);
        break;
      case 'replace':
        this.#replace(path, valueIn(operation));
        break;
      case 'move':
        this.#move(pointer(operation, 'from'), path);
        break;
      case 'copy':
        this.#add(path, this.#copyOf(this.#get(pointer(operation, 'from'))));
        break;
      case 'test':
        if (!jsonEqual(this.#get(path), valueIn(operation))) {
          throw unprocessable(`testing value ${show(path)} failed`);
        }
        break;
      default:
        throw unprocessable(`unexpected kind of operation: ${JSON.stringify(operation.op) ?? 'none'}`);
    }
  }

  #add(path: readonly string[], value: JsonValue): void {
    if (path.length === 0) {
      this.root = value;
      return;
    }
    const [parent, token] = this.#parentOf(path);
    if (Array.isArray(parent))
      parent.splice(token === '-' ? parent.length : indexIn(token, parent.length, path), 0, value);
    else setOwn(parent, token, value);
  }

  #move(from: readonly string[], path: readonly string[]): void {
    if (from.length < path.length && from.every((token, i) => token === path[i])) {
      throw unprocessable(`${show(from)} cannot be moved into itself`);
    }
    this.#add(path, this.#remove(from));
  }

  #remove(path: readonly string[]): JsonValue {
    const value = this.#get(path);
    if (path.length === 0) {
      this.root = null;
      return value;
    }
    const [parent, token] = this.#parentOf(path);
    if (Array.isArray(parent)) parent.splice(Number(token), 1);
    else delete parent[token];
    return value;
  }

  #replace(path: readonly string[], value: JsonValue): void {
    this.#get(path);
    if (path.length === 0) {
      this.root = value;
      return;
    }
    const [parent, token] = this.#parentOf(path);
    if (Array.isArray(parent)) parent[Number(token)] = value;
    else setOwn(parent, token, value);
  }

  #get(path: readonly string[]): JsonValue {
    let value = this.root;
    for (const token of path) value = child(value, token, path);
    return value;
  }

  /** The container that the last token is in, and that may be changed; and that token. */
  #parentOf(path: readonly string[]): [Container, string] {
    let parent = this.#owned(this.root, path);
    this.root = parent;
    for (const token of path.slice(0, -1)) {
      const next = this.#owned(child(parent, token, path), path);
      if (Array.isArray(parent)) parent[Number(token)] = next;
      else setOwn(parent, token, next);
      parent = next;
    }
    return [parent, path.at(-1) ?? ''];
  }

  #owned(value: JsonValue, path: readonly string[]): Container {
    if (typeof value !== 'object' || value === null) throw missing(path);
    if (this.#own.has(value)) return value;
    const copy = Array.isArray(value) ? [...value] : { ...value };
    this.#own.add(copy);
    return copy;
  }

  #copyOf(value: JsonValue): JsonValue {
    this.#copiedBytes += Buffer.byteLength(stringifyExactJson(value));
    if (this.#copiedBytes > MAX_COPIED_BYTES) {
      throw apiError(
        'RequestEntityTooLarge',
        `the copies of a JSON patch may not be more than ${MAX_COPIED_BYTES} bytes`,
      );
    }
    return cloneJson(value);
  }
}

function child(value: JsonValue, token: string, path: readonly string[]): JsonValue {
  if (Array.isArray(value)) return value[indexIn(token, value.length - 1, path)] as JsonValue;
  if (!isObject(value) || !Object.hasOwn(value, token)) throw missing(path);
  return value[token] as JsonValue;
}

const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/** @throws ApiError Invalid for what is no index from 0 to `last` */
function indexIn(token: string, last: number, path: readonly string[]): number {
  if (!INDEX.test(token) || Number(token) > last) throw unprocessable(`${show(path)}: invalid index ${token}`);
  return Number(token);
}

function pointer(operation: JsonObject, field: 'path' | 'from'): string[] {
  const text = operation[field];
  if (typeof text !== 'string') throw unprocessable(`an operation without a ${field}`);
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text))
    throw unprocessable(`${field} ${JSON.stringify(text)} is no pointer`);
  const tokens = text.slice(1).split('/');
  if (tokens.length > MAX_DEPTH) throw unprocessable(`a ${field} of more than ${MAX_DEPTH} levels`);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueIn(operation: JsonObject): JsonValue {
  if (operation.value === undefined) throw unprocessable(`a ${JSON.stringify(operation.op)} without a value`);
  return operation.value;
}

const show = (path: readonly string[]) =>
  JSON.stringify(path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));

const missing = (path: readonly string[]) => unprocessable(`there is nothing at ${show(path)}`);

function unprocessable(message: string): ApiError {
  // Without causes: kubectl shows them in place of the message, with the field that they do not have.
  return apiError('Invalid', `the server rejected our request due to an error in our request: ${message}`, {});
}
