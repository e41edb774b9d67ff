/**
 * From client-side to server-side apply: `kubectl` may change what its annotation says it applied before.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply
 */
import { compareObjects } from './compare.ts';
import { difference, type FieldSet, has } from './fieldSet.ts';
import { appliedFields } from './fieldsOf.ts';
import type { Conflict, Versioned } from './ownership.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The conflicts that stay when what was applied on the client's side, and is there still, may be changed. */
export function conflictsBesideLastApplied(
  conflicts: readonly Conflict[],
  live: Versioned,
  lastApplied: unknown,
): readonly Conflict[] {
  if ((lastApplied as { apiVersion?: unknown } | null)?.apiVersion !== live.apiVersion) return conflicts;
  const changes = compareObjects(live.shape, lastApplied, live.object);
  let allowed: FieldSet | undefined = appliedFields(live.shape, lastApplied);
  for (const set of [changes?.modified, changes?.added, changes?.removed]) allowed = difference(allowed, set);
  return conflicts.filter((conflict) => !has(allowed, conflict.path));
}
