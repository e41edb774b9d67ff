/** Who changes fields, and what an object says of it: metadata.managedFields, on every write. */

import type { FieldError } from '../../machinery/fieldError.ts';
import type { Convert, Versioned, Writer } from '../../machinery/fieldOwnership/ownership.ts';
import { managedFieldsError, ownersOfCreated, ownersOfUpdated } from '../../machinery/fieldOwnership/ownership.ts';
import { rootShape } from '../../machinery/fieldOwnership/shape.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { apiVersionOf, hubOf, type Kind, type KubeObject, storagePrefix } from '../../machinery/kind.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta.ts';
import { invalidObject } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { RequestContext } from '../context.ts';
import type { ApiServerParts } from '../stage.ts';
import { fromHub } from './versions.ts';

const MAX_LENGTH = 128;
/** What cannot be printed; a space can. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/**
 * The name under which a request changes fields: its fieldManager, or how the client calls itself.
 * @throws ApiError Invalid for a fieldManager that cannot be one
 */
export function managerOf(ctx: RequestContext, options: OptionsKind): string {
  const manager = ctx.query.get('fieldManager') ?? '';
  if (manager !== '') {
    const errors = managerErrors(manager);
    if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: options }, '', errors);
    return manager;
  }
  const agent = (ctx.header('user-agent') ?? '').split('/', 1)[0] ?? '';
  let name = agent.replace(ALL_UNPRINTABLE, '');
  while (Buffer.byteLength(name) > MAX_LENGTH) name = name.slice(0, -1);
  return name === '' ? 'unknown' : name;
}

function managerErrors(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_LENGTH) {
    errors.push({
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      detail: `may not be more than ${MAX_LENGTH} bytes`,
    });
  }
  const bad = UNPRINTABLE.exec(manager);
  if (bad !== null) {
    const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    errors.push({
      type: 'FieldValueInvalid',
      field: 'fieldManager',
      value: manager,
      detail: `invalid character U+${code} (at position ${bad.index})`,
    });
  }
  return errors;
}

/** Who writes, and when. */
export function writerOf(parts: ApiServerParts, ctx: RequestContext, options: OptionsKind): Writer {
  const { subresource } = ctx.info;
  return { manager: managerOf(ctx, options), subresource, time: formatTime(parts.clock.now()) };
}

/** A stored object as the version that was asked for has it. */
export function versioned(asked: Kind, stored: KubeObject): Versioned {
  return { apiVersion: apiVersionOf(asked), shape: rootShape(asked.schema), object: fromHub(asked, stored) };
}

/** Conversion between the versions of a kind that are served. */
export function converter(parts: ApiServerParts, kind: Kind): Convert {
  const hub = hubOf(kind);
  const find = (apiVersion: string): Kind | undefined => {
    if (kind.conversion !== undefined) return isSibling(kind, parts.registry.kinds.byKind(apiVersion, kind.kind));
    if (apiVersion === apiVersionOf(hub)) return hub;
    const found = parts.registry.kinds.byKind(apiVersion, kind.kind);
    return found !== undefined && hubOf(found) === hub ? found : undefined;
  };
  return (from, apiVersion) => {
    const source = find(from.apiVersion);
    const target = find(apiVersion);
    if (source === undefined || target === undefined) return undefined;
    const object = from.object as KubeObject;
    if (kind.conversion !== undefined) return versioned(target, withoutVersion(object, from.apiVersion));
    const stored = source.hub === undefined ? object : source.hub.toHub(object);
    const { resourceVersion: _version, managedFields: _managed, ...metadata } = stored.metadata ?? {};
    return versioned(target, { ...stored, metadata });
  };
}

/** Another version of the same objects, which somebody else converts. */
function isSibling(kind: Kind, other: Kind | undefined): Kind | undefined {
  return other?.conversion !== undefined && storagePrefix(other) === storagePrefix(kind) ? other : undefined;
}

function withoutVersion(object: KubeObject, apiVersion: string): KubeObject {
  const { resourceVersion: _version, managedFields: _managed, ...metadata } = object.metadata ?? {};
  return { ...object, apiVersion, metadata };
}

/** Notes on a new object who owns its fields: before admission, of which nobody owns what it sets. */
export function ownCreated(parts: ApiServerParts, ctx: RequestContext, asked: Kind, object: KubeObject): void {
  const given = object.metadata?.managedFields;
  const writer = writerOf(parts, ctx, 'CreateOptions');
  setManagedFields(object, ownersOfCreated(versioned(asked, object), given, { ...writer, subresource: '' }));
}

/** Notes on a changed object who owns its fields now. `old` and the object are as they are stored. */
export function ownUpdated(
  parts: ApiServerParts,
  asked: Kind,
  old: KubeObject,
  object: KubeObject,
  given: readonly ManagedFieldsEntry[] | undefined,
  writer: Writer,
): void {
  const before = old.metadata?.managedFields;
  // What a client read and sends back is what is there: nothing of it needs to be read again.
  const meant = given !== undefined && jsonEqual(given, before) ? before : given;
  const now = versioned(asked, object);
  const after = ownersOfUpdated(versioned(asked, old), now, meant, before, writer, converter(parts, asked));
  setManagedFields(object, after);
}

/** In their place behind all other metadata. */
export function setManagedFields(object: KubeObject, entries: readonly ManagedFieldsEntry[] | undefined): void {
  const { metadata } = object;
  if (metadata === undefined) return;
  delete metadata.managedFields;
  // The entries are never changed again; what is stored is frozen.
  if (entries !== undefined) metadata.managedFields = entries as ManagedFieldsEntry[];
}

/** Admission may change managedFields, but not to what makes no sense. */
export function keepValidManagedFields(
  ctx: RequestContext,
  object: KubeObject,
  before: readonly ManagedFieldsEntry[] | undefined,
): void {
  const after = object.metadata?.managedFields;
  if (after === before) return;
  const error = managedFieldsError(after);
  if (error === undefined) return;
  ctx.warn(
    `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${error}`,
  );
  setManagedFields(object, before);
}

/** Where a write changes nothing but when somebody wrote last, that stays as it was, too. */
export function keepTimesOfNoChange(old: KubeObject, object: KubeObject): void {
  const before = old.metadata?.managedFields;
  const after = object.metadata?.managedFields;
  if (before === undefined || after === undefined || before === after || before.length !== after.length) return;
  for (const [i, entry] of after.entries()) {
    const was = before[i] as ManagedFieldsEntry;
    if (entry.fieldsV1 !== was.fieldsV1 && !jsonEqual(entry.fieldsV1, was.fieldsV1)) return;
    if (entry.manager !== was.manager || entry.operation !== was.operation) return;
    if (entry.apiVersion !== was.apiVersion || entry.subresource !== was.subresource) return;
  }
  const { resourceVersion: _version, managedFields: _before, ...oldMeta } = old.metadata ?? {};
  const { resourceVersion: _none, managedFields: _after, ...meta } = object.metadata ?? {};
  if (!jsonEqual(meta, oldMeta)) return;
  if (jsonEqual({ ...object, metadata: 0 }, { ...old, metadata: 0 })) setManagedFields(object, before);
}
