/**
 * Who owns what after an update: the fields that it changed belong to who made it, and to nobody else.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
 */
import type { ManagedFieldsEntry } from '../meta.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { difference, type FieldSet, intersection, paths, union } from './fieldSet.ts';
import { createdFields } from './fieldsOf.ts';
import { capUpdaters, isReset, type Owner, type Owners, ownerId, readOwners, writeOwners } from './owners.ts';
import { reconciled } from './removeFields.ts';
import type { Struct } from './shape.ts';

/** An object in one version of its kind. */
export interface Versioned {
  readonly apiVersion: string;
  readonly shape: Struct;
  readonly object: unknown;
}

/** The same object in another version; undefined where that is not served any more. */
export type Convert = (from: Versioned, apiVersion: string) => Versioned | undefined;

/** Who writes. */
export interface Writer {
  readonly manager: string;
  readonly subresource: string;
  /** RFC 3339 */
  readonly time: string;
}

/** managedFields of a new object. @param given what it came with */
export function ownersOfCreated(
  created: Versioned,
  given: readonly ManagedFieldsEntry[] | undefined,
  writer: Writer,
): ManagedFieldsEntry[] | undefined {
  const added = createdFields(created.shape, created.object);
  const owners = readGiven(given) ?? new Map<string, Owner>();
  if (owners.size > 0) settle(owners, () => (added === undefined ? undefined : { added }), undefined);
  own(owners, created.apiVersion, writer, added);
  capUpdaters(owners);
  return writeOwners(owners);
}

/**
 * managedFields after an update; the very entries of `old` where it changes nothing.
 * @param given what the update says that they are
 * @param before what they were
 */
export function ownersOfUpdated(
  old: Versioned,
  now: Versioned,
  given: readonly ManagedFieldsEntry[] | undefined,
  before: readonly ManagedFieldsEntry[] | undefined,
  writer: Writer,
  convert: Convert,
): readonly ManagedFieldsEntry[] | undefined {
  // A subresource does not change who owns what, but by what it changes.
  const meant = writer.subresource === '' && given !== before ? given : undefined;
  if (isReset(meant)) return undefined;
  const told = readGiven(meant);
  const owners = told === undefined || told.size === 0 ? readGiven(before) : told;
  // Of an object that nobody owns anything of, ownership is told again from the first apply on.
  if (owners === undefined || owners.size === 0) return undefined;
  const changes = compareObjects(old.shape, old.object, now.object);
  if (changes === undefined) return owners === told ? writeOwners(owners) : before;
  reconcileAll(owners, now, convert);
  const own_ = ownerId({ ...writer, operation: 'Update', apiVersion: now.apiVersion });
  const mine = owners.get(own_);
  settle(owners, comparisons(old, now, changes, convert), own_);
  if (mine !== undefined) shrink(owners, own_, mine, difference(mine.fields, changes.removed));
  own(owners, now.apiVersion, writer, union(changes.modified, changes.added));
  capUpdaters(owners);
  return writeOwners(owners);
}

/** Undefined for entries that make no sense: they are as if they were not there. */
export function readGiven(entries: readonly ManagedFieldsEntry[] | undefined): Owners | undefined {
  if (entries === undefined) return undefined;
  try {
    return readOwners(entries);
  } catch {
    return undefined;
  }
}

/** Whether entries are such as an object may carry; what is wrong with them otherwise. */
export function managedFieldsError(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  try {
    readOwners(entries);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function own(owners: Owners, apiVersion: string, writer: Writer, fields: FieldSet | undefined): void {
  if (fields === undefined) return;
  const owner = {
    manager: writer.manager === '' ? 'unknown' : writer.manager,
    operation: 'Update',
    apiVersion,
    subresource: writer.subresource,
    time: writer.time,
  } as const;
  const id = ownerId(owner);
  // A union with a set that is not empty is not empty.
  owners.set(id, { ...owner, fields: union(owners.get(id)?.fields, fields) as FieldSet });
}

/** What changed, as each version sees it. */
export function comparisons(
  old: Versioned,
  now: Versioned,
  changes: Comparison | undefined,
  convert: Convert,
): (apiVersion: string) => Comparison | undefined | 'unknown' {
  let others: Map<string, Comparison | undefined | 'unknown'> | undefined;
  return (apiVersion) => {
    if (apiVersion === now.apiVersion) return changes;
    others ??= new Map();
    if (!others.has(apiVersion)) {
      const was = convert(old, apiVersion);
      const is = convert(now, apiVersion);
      others.set(
        apiVersion,
        was === undefined || is === undefined ? 'unknown' : compareObjects(is.shape, was.object, is.object),
      );
    }
    return others.get(apiVersion);
  };
}

/** A field that somebody owns and somebody else sets to another value. */
export interface Conflict {
  readonly owner: Owner;
  readonly path: readonly string[];
}

/**
 * Takes what was changed from all but one owner, and what was removed.
 * @returns what was taken that was changed
 */
export function settle(
  owners: Owners,
  changesIn: (apiVersion: string) => Comparison | undefined | 'unknown',
  except: string | undefined,
): Conflict[] {
  const conflicts: Conflict[] = [];
  let last: Comparison | undefined;
  let written: FieldSet | undefined;
  for (const [id, owner] of owners) {
    if (id === except) continue;
    const changes = changesIn(owner.apiVersion);
    if (changes === 'unknown') {
      owners.delete(id);
      continue;
    }
    if (changes === undefined) continue;
    // Nearly always all owners are of one version.
    if (changes !== last) written = union(changes.modified, changes.added);
    last = changes;
    const taken = intersection(owner.fields, written);
    for (const path of paths(taken)) conflicts.push({ owner, path });
    shrink(owners, id, owner, difference(difference(owner.fields, taken), changes.removed));
  }
  return conflicts;
}

function shrink(owners: Owners, id: string, owner: Owner, fields: FieldSet | undefined): void {
  if (fields === owner.fields) return;
  if (fields === undefined) owners.delete(id);
  else owners.set(id, { ...owner, fields });
}

/** Sets that fit the shape as they are. */
const fitting = new WeakMap<Struct, WeakSet<FieldSet>>();

/** Brings the sets to what the schema is now. */
export function reconcileAll(owners: Owners, now: Versioned, convert: Convert): void {
  for (const [id, owner] of owners) {
    const shape = owner.apiVersion === now.apiVersion ? now.shape : convert(now, owner.apiVersion)?.shape;
    if (shape === undefined) continue;
    let fits = fitting.get(shape);
    if (fits === undefined) {
      fits = new WeakSet();
      fitting.set(shape, fits);
    }
    if (fits.has(owner.fields)) continue;
    const fields = reconciled(shape, owner.fields) ?? owner.fields;
    fits.add(fields);
    shrink(owners, id, owner, fields);
  }
}
