/** Storing: a put or a delete that holds only while the object is at the revision that was read. */
import { encodeStored } from '../../machinery/encode.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { Entry, rememberWritten } from '../registry/entry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';

/** Larger objects are refused: what is stored must fit a transaction of the store. */
export const MAX_STORED_BYTES = 1_572_864;

/** Stores `object` if the key is still at `revision` (0: absent). Undefined where it is not. */
export async function put(
  parts: ApiServerParts,
  cache: WatchCache,
  key: string,
  object: KubeObject,
  revision: number,
): Promise<Entry | undefined> {
  const stored = encodeStored(cache.kind, object);
  rememberWritten(stored, object);
  const result = await parts.registry.storage.txn({
    compare: [{ key, target: 'modRevision', equals: revision }],
    success: [{ op: 'put', key, value: stored }],
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
export async function remove(parts: ApiServerParts, cache: WatchCache, key: string, revision: number): Promise<number | undefined> {
  const result = await parts.registry.storage.txn({
    compare: [{ key, target: 'modRevision', equals: revision }],
    success: [{ op: 'delete', key }],
    failure: [],
  });
  await cache.waitFor(result.revision);
  return result.succeeded ? result.revision : undefined;
}

/** Changes by others that one write may meet before it gives up. */
export const MAX_ATTEMPTS = 30;

/** Whether two objects would be stored as the same bytes. */
export function sameStored(kind: Kind, a: KubeObject, b: KubeObject): boolean {
  return encodeStored(kind, a).equals(encodeStored(kind, b));
}
