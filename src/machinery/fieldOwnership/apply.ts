/**
 * Server-side apply: a client says all that it wants of an object; what it said before and does not say any
 * more goes, unless somebody else owns it.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
import { jsonEqual } from '../jsonEqual.ts';
import type { ManagedFieldsEntry } from '../meta.ts';
import { compareObjects } from './compare.ts';
import { difference, type FieldSet, intersection, union } from './fieldSet.ts';
import { appliedFields, createdFields } from './fieldsOf.ts';
import { assertApplicable, mergeApplied } from './merge.ts';
import { type Owner, type Owners, ownerId, writeOwners } from './owners.ts';
import {
  type Conflict,
  type Convert,
  comparisons,
  readGiven,
  reconcileAll,
  settle,
  type Versioned,
  type Writer,
} from './ownership.ts';
import { removeFields, withNamedFields } from './removeFields.ts';

/** Others own what was to be changed, and it was not forced. */
export class ApplyConflict extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('conflict');
    this.conflicts = conflicts;
  }
}

export interface Applied {
  /** shares parts of the live object */
  readonly object: unknown;
  readonly managedFields: ManagedFieldsEntry[] | undefined;
}

const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * @param live the object as it is, without managedFields; of a new one only apiVersion and kind
 * @param config what is wanted, of the same version
 * @param before managedFields as they are; undefined for a new object
 * @throws ApplyConflict, ApplyError
 */
export function applyConfig(
  live: Versioned,
  config: unknown,
  before: readonly ManagedFieldsEntry[] | undefined,
  options: { readonly writer: Writer; readonly force: boolean; readonly isNew: boolean; readonly convert: Convert },
): Applied {
  const { writer, force, isNew, convert } = options;
  const { apiVersion, shape } = live;
  assertApplicable(shape, config);
  const owners: Owners = readGiven(before) ?? new Map<string, Owner>();
  if (owners.size === 0 && !isNew) ownAll(owners, live, writer);
  reconcileAll(owners, live, convert);

  const mine = { manager: writer.manager, operation: 'Apply', apiVersion, subresource: writer.subresource } as const;
  const id = ownerId(mine);
  const last = owners.get(id);
  const fields = appliedFields(shape, config);
  if (fields === undefined) owners.delete(id);
  else owners.set(id, { ...mine, time: last?.time, fields });
  const merged = { ...live, object: mergeApplied(shape, live.object, config) };
  const now = last === undefined ? merged : prune(merged, owners, last, convert);

  const changes = compareObjects(shape, live.object, now.object);
  const conflicts = settle(owners, comparisons(live, now, changes, convert), id);
  if (conflicts.length > 0 && !force) throw new ApplyConflict(conflicts);
  if (fields !== undefined) {
    const same = last?.time !== undefined && jsonEqual(live.object, now.object);
    owners.set(id, { ...mine, time: same ? last.time : writer.time, fields });
  }
  return { object: now.object, managedFields: writeOwners(owners) };
}

/** What was there before anybody was told to own it. */
function ownAll(owners: Owners, live: Versioned, writer: Writer): void {
  const fields = createdFields(live.shape, live.object);
  if (fields === undefined) return;
  const owner: Owner = {
    manager: BEFORE_FIRST_APPLY,
    operation: 'Update',
    apiVersion: live.apiVersion,
    subresource: writer.subresource,
    time: writer.time,
    fields,
  };
  owners.set(ownerId(owner), owner);
}

/** Takes away what was applied last and is not any more, where nobody owns it. */
function prune(merged: Versioned, owners: Owners, last: Owner, convert: Convert): Versioned {
  const whole = merged.apiVersion === last.apiVersion ? merged : convert(merged, last.apiVersion);
  if (whole === undefined) return merged;
  const without = {
    ...whole,
    object: removeFields(whole.shape, whole.object, withNamedFields(whole.shape, last.fields)),
  };
  const owned = addBackOwned(whole, without, owners, last.apiVersion, convert);
  const pruned = addBackDangling(whole, owned, last, convert);
  if (pruned.apiVersion === merged.apiVersion) return pruned;
  return convert(pruned, merged.apiVersion) ?? merged;
}

/** What somebody owns stays, and so does what it stands in. */
function addBackOwned(
  merged: Versioned,
  pruned: Versioned,
  owners: Owners,
  first: string,
  convert: Convert,
): Versioned {
  const byVersion = new Map<string, FieldSet | undefined>([[first, undefined]]);
  for (const owner of owners.values()) {
    byVersion.set(owner.apiVersion, union(byVersion.get(owner.apiVersion), owner.fields));
  }
  let out = pruned;
  for (const [version, owned] of byVersion) {
    if (owned === undefined) continue;
    const whole = merged.apiVersion === version ? merged : convert(merged, version);
    const part = out.apiVersion === version ? out : convert(out, version);
    if (whole === undefined || part === undefined) continue;
    const { shape } = whole;
    const all = withNamedFields(shape, appliedFields(shape, whole.object));
    const kept = withNamedFields(shape, appliedFields(shape, part.object));
    const stays = union(kept, withNamedFields(shape, owned));
    out = { ...whole, object: removeFields(shape, whole.object, difference(all, stays)) };
  }
  return out;
}

/** What nobody owns, and was not applied last either, stays. */
function addBackDangling(merged: Versioned, pruned: Versioned, last: Owner, convert: Convert): Versioned {
  const part = pruned.apiVersion === last.apiVersion ? pruned : convert(pruned, last.apiVersion);
  if (part === undefined) return merged;
  const { shape } = merged;
  const kept = withNamedFields(shape, appliedFields(shape, part.object));
  const all = withNamedFields(shape, appliedFields(shape, merged.object));
  const lost = intersection(difference(all, kept), withNamedFields(shape, last.fields));
  return { ...merged, object: removeFields(shape, merged.object, lost) };
}
