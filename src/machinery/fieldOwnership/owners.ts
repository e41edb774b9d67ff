/**
 * metadata.managedFields: who owns which fields of an object.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
 */
import type { ManagedFieldsEntry } from '../meta.ts';
import type { JsonObject } from '../schema/types.ts';
import { type FieldSet, parseFieldSet, union } from './fieldSet.ts';
import { interned } from './interned.ts';

export type Operation = 'Apply' | 'Update';

/** One who owns fields, and which. */
export interface Owner {
  readonly manager: string;
  readonly operation: Operation;
  /** in which the fields are to be read */
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  /** never empty */
  readonly fields: FieldSet;
}

/** By `ownerId`. */
export type Owners = Map<string, Owner>;

/** One who applies is the same in every version, one who updates is another in each. */
export function ownerId(of: Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return `${of.operation}\n${of.operation === 'Apply' ? '' : of.apiVersion}\n${of.subresource}\n${of.manager}`;
}

/** @throws Error for entries that make no sense */
export function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): Owners {
  const owners: Owners = new Map();
  for (const [i, entry] of (entries ?? []).entries()) {
    const { operation, apiVersion, fieldsType } = entry;
    if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`');
    if (apiVersion === undefined || apiVersion === '') throw new Error('apiVersion must not be empty');
    if (fieldsType === undefined || fieldsType === '') {
      throw new Error(`missing fieldsType in managed fields entry ${i}`);
    }
    if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType "${fieldsType}" in managed fields entry ${i}`);
    const fields = parseFieldSet(entry.fieldsV1 ?? {});
    if (fields === undefined) continue;
    const owner: Owner = {
      manager: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields,
    };
    owners.set(ownerId(owner), owner);
  }
  return owners;
}

/** As an object carries them; undefined where nobody owns anything. */
export function writeOwners(owners: Owners): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const all = [...owners.values()];
  if (all.length > 1) all.sort(inOrder);
  return all.map(entryOf);
}

function inOrder(a: Owner, b: Owner): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  );
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function entryOf(owner: Owner): ManagedFieldsEntry {
  const entry: ManagedFieldsEntry = {
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
  };
  if (owner.time !== undefined) entry.time = owner.time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = interned(owner.fields) as unknown as JsonObject;
  if (owner.subresource !== '') entry.subresource = owner.subresource;
  return entry;
}

/** Whether managedFields says that nobody is to own anything any more. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  if (entries.length === 0) return true;
  const [only] = entries;
  return entries.length === 1 && Object.values(only ?? {}).every((value) => value === undefined || value === '');
}

/** More who update are not told apart. */
const MAX_UPDATERS = 10;
const ANCIENT = 'ancient-changes';

/** Folds those who updated longest ago into one for each version, until there are no more than ten. */
export function capUpdaters(owners: Owners): void {
  if (owners.size <= MAX_UPDATERS) return;
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update');
  let count = updaters.length;
  if (count <= MAX_UPDATERS) return;
  updaters.sort(([idA, a], [idB, b]) => order(a.time ?? '', b.time ?? '') || order(idA, idB));
  const firsts = new Map<string, string>();
  for (const [id, owner] of updaters) {
    if (count <= MAX_UPDATERS) break;
    const first = firsts.get(owner.apiVersion);
    if (first === undefined) {
      firsts.set(owner.apiVersion, id);
      continue;
    }
    const blank = { manager: ANCIENT, operation: 'Update', apiVersion: owner.apiVersion, subresource: '' } as const;
    const bucketId = ownerId(blank);
    if (bucketId === id) continue;
    let bucket = owners.get(bucketId);
    if (bucket === undefined) {
      bucket = owners.get(first);
      owners.delete(first);
    }
    owners.delete(id);
    // Both are sets that are not empty.
    owners.set(bucketId, { ...blank, time: owner.time, fields: union(bucket?.fields, owner.fields) as FieldSet });
    count--;
  }
}
