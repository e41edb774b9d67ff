/** Storing: a put or a delete that holds only while the object is at the revision that was read. */
import { encodeStored, openingLengthOf } from '../../machinery/encode.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { Entry, rememberWritten } from '../registry/entry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';

/** Larger objects are refused: what is stored must fit a transaction of the store. */
const MAX_STORED_BYTES = 1_572_864;

/**
 * Stores an object if its key is still at `revision` (0: absent). Undefined where it is not.
 * @param stored the object's bytes, where the caller has made them already
 * @throws ApiError RequestEntityTooLarge
 */
export async function put(
  parts: ApiServerParts,
  cache: WatchCache,
  key: string,
  object: KubeObject,
  revision: number,
  stored: Buffer = encodeStored(cache.kind, object),
): Promise<Entry | undefined> {
  if (stored.length > MAX_STORED_BYTES) {
    throw apiError(
      'RequestEntityTooLarge',
      `the object is too large to be stored: it has ${stored.length} bytes, the limit is ${MAX_STORED_BYTES}`,
    );
  }
  const coming = cache.kind.conversion?.toStored(stored);
  if (coming === undefined) rememberWritten(stored, object);
  const value = coming === undefined ? stored : await coming;
  const result = await parts.registry.storage.txn({
    compare: [{ key, target: 'modRevision', equals: revision }],
    success: [{ op: 'put', key, value }],
    failure: [],
  });
  if (!result.succeeded) {
    await cache.waitFor(result.revision);
    return undefined;
  }
  await cache.waitFor(result.revision);
  return entryAt(cache, key, result.revision) ?? new Entry(cache.kind, key, result.revision, stored);
}

/** The cache's own entry, unless somebody wrote again in the meantime. */
function entryAt(cache: WatchCache, key: string, revision: number): Entry | undefined {
  const entry = cache.byKey(key);
  return entry?.revision === revision ? entry : undefined;
}

/** Deletes the key if it is still at `revision`. Returns the revision of the deletion, undefined where it is not. */
export async function remove(
  parts: ApiServerParts,
  cache: WatchCache,
  key: string,
  revision: number,
): Promise<number | undefined> {
  const result = await parts.registry.storage.txn({
    compare: [{ key, target: 'modRevision', equals: revision }],
    success: [{ op: 'delete', key }],
    failure: [],
  });
  await cache.waitFor(result.revision);
  return result.succeeded ? result.revision : undefined;
}

/** Changes by others that one write may meet before it gives up. */
export const MAX_ATTEMPTS = 100;

/** Whether storing `object` would change nothing. The order of fields does not count. */
export function isSame(kind: Kind, current: Entry, object: KubeObject, stored: Buffer): boolean {
  const version = `"resourceVersion":"${current.revision}",`.length;
  if (stored.length + version !== current.bytes.length) return false;
  const opening = openingLengthOf(kind);
  if (stored.compare(current.bytes, opening + version, current.bytes.length, opening) === 0) return true;
  const { resourceVersion: _resourceVersion, ...metadata } = current.object.metadata;
  return jsonEqual({ ...current.object, metadata }, object);
}
