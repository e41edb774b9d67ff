/** PUT of a whole object, and what every change of an object goes through. */

import { cloneJson } from '../../machinery/clone.ts';
import { encodeStored } from '../../machinery/encode.ts';
import type { FieldError } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { hubOf, type Kind, type KubeObject, type UpdateRules } from '../../machinery/kind.ts';
import type { ObjectMeta } from '../../machinery/meta.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { badRequest, conflict, notFound } from '../../machinery/status.ts';
import { validateMeta, validateMetaUpdate } from '../../machinery/validateMeta.ts';
import { type AdmissionRequest, admit } from '../admission/plugin.ts';
import type { Answer } from '../answer.ts';
import type { RequestBody, RequestContext } from '../context.ts';
import { assertInTime } from '../deadline.ts';
import type { Entry } from '../registry/entry.ts';
import type { ApiServerParts } from '../stage.ts';
import { createObject } from './create.ts';
import { finishDeletion } from './delete.ts';
import { keepTimesOfNoChange, keepValidManagedFields, ownUpdated, setManagedFields, writerOf } from './fieldManager.ts';
import {
  assertMatchesPath,
  assertValid,
  decodeObject,
  isDryRun,
  metaOf,
  type ParsedBody,
  parseBody,
  setDefaults,
} from './objects.ts';
import { faultsOfUpdate } from './ratcheting.ts';
import { baseOf, sharing } from './sharing.ts';
import { fromHub, spokeErrors, toHub, withConversions } from './versions.ts';
import { isSame, MAX_ATTEMPTS, put } from './write.ts';

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export async function updateVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  const cache = parts.registry.cache(kind);
  await cache.freshen();
  const body = withoutKnownOwners(await ctx.readBody(), cache.get(ctx.info.namespace, ctx.info.name));
  const parsed = await parseBody(body);
  return sharing((share) => updateParsed(parts, ctx, kind, parsed, share));
}

async function updateParsed(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  parsed: ParsedBody,
  share: boolean,
): Promise<Answer> {
  const current = parts.registry.cache(kind).get(ctx.info.namespace, ctx.info.name);
  const object = decodeObject(ctx, kind, parsed, share ? baseOf(kind, current?.object) : undefined);
  const meta = metaOf(object);
  if (meta.name === undefined || meta.name === '') {
    throw badRequest(
      `the name of the object (${ctx.info.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  assertMatchesPath(ctx, meta);
  if (kind.createOnUpdate === true && ctx.info.subresource === '' && current === undefined) {
    if (meta.resourceVersion === undefined || meta.resourceVersion === '')
      return createObject(parts, ctx, kind, object);
  }
  setDefaults(kind, object);
  // Without a resourceVersion it is tried again on top of what others have written, each time as it came.
  const once = meta.resourceVersion !== undefined && meta.resourceVersion !== '' && meta.resourceVersion !== '0';
  return changeObject(parts, ctx, kind, () => (once ? object : cloneJson(object)));
}

/** A part of this process that sends back the managedFields that are there says nothing of them: they need no copy. */
function withoutKnownOwners(body: RequestBody, current: Entry | undefined): RequestBody {
  if (body.type !== 'object' || current === undefined) return body;
  const object = body.object as KubeObject | undefined;
  const owners = object?.metadata?.managedFields;
  if (owners === undefined || owners !== current.object.metadata.managedFields) return body;
  const { managedFields: _owners, ...metadata } = object?.metadata ?? {};
  return { ...body, object: { ...object, metadata } };
}

/**
 * Reads the object, makes the new one of it, and stores that if nobody was faster; else again, unless
 * the new one named a resourceVersion: that is a condition, and does not hold any more.
 * @param asked the version of the request, in which `change` is told the old object and gives the new one
 * @param change from the old object, which is frozen, to the new one, decoded and with defaults; the new one is kept
 * @param options owned: the new object's managedFields say already who owns what
 */
export async function changeObject(
  parts: ApiServerParts,
  ctx: RequestContext,
  asked: Kind,
  change: (old: KubeObject) => KubeObject,
  options: { readonly owned?: boolean } = {},
): Promise<Answer> {
  const kind = hubOf(asked);
  const writer = writerOf(parts, ctx, ctx.info.verb === 'patch' ? 'PatchOptions' : 'UpdateOptions');
  const cache = parts.registry.cache(kind);
  const { namespace, name, subresource } = ctx.info;
  const dryRun = isDryRun(ctx);
  for (let attempt = 1; ; attempt++) {
    const current = cache.get(namespace, name);
    if (current === undefined) throw notFound(kind, name);
    const old = current.object;
    const changed = withConversions(asked, () => change(fromHub(asked, old)));
    const given = changed instanceof Promise ? await changed : changed;
    const object = toHub(asked, given);
    const meta = metaOf(object);
    const wanted = meta.resourceVersion ?? '';
    if (wanted !== '' && wanted !== '0' && wanted !== old.metadata.resourceVersion)
      throw conflict(kind, name, MODIFIED);
    if (meta.uid !== undefined && meta.uid !== '' && meta.uid !== old.metadata.uid) {
      throw conflict(
        kind,
        name,
        `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.metadata.uid}`,
      );
    }
    keepSystemFields(meta, old.metadata);
    const { managedFields } = meta;
    delete meta.managedFields;
    const rules = rulesOf(kind, subresource);
    const now = parts.clock.now();
    rules?.prepare?.(object, old, now);
    if (subresource !== '') keepMeta(object, old, subresource);
    if (subresource === 'status') emptyButThere(kind, object, old);
    if (options.owned === true) setManagedFields(object, managedFields);
    else {
      const owned = withConversions(asked, () => ownUpdated(parts, asked, old, object, managedFields, writer));
      if (owned instanceof Promise) await owned;
    }
    const owners = object.metadata?.managedFields;
    const request: AdmissionRequest = {
      operation: 'UPDATE',
      kind,
      asked,
      subresource,
      namespace,
      name,
      object,
      oldObject: old,
      user: ctx.user,
      dryRun,
      ctx,
    };
    try {
      await admit(parts.admission, 'mutate', request);
      // Plugins may change no more than who asked.
      rules?.prepare?.(object, old, now);
      keepValidManagedFields(ctx, object, owners);
      raiseGeneration(kind, object, old, subresource);
      assertValid(asked, name, [
        ...validateMeta(kind, meta),
        ...validateMetaUpdate(meta, old.metadata),
        ...(asked.hub?.validatesAlone === true ? [] : ruleFaults(kind, rules, object, old, subresource)),
        ...(subresource === '' || asked.hub?.validatesAlone === true ? spokeErrors(asked, given, old, object) : []),
      ]);
      await admit(parts.admission, 'validate', request);
      keepTimesOfNoChange(old, object);
      if (kind.warnings !== undefined && subresource === '') {
        for (const text of kind.warnings(object, old)) ctx.warn(text);
      }
      if (dryRun) {
        // Nothing was written, so the version is the one that is there: who compares sees no difference in it.
        object.metadata = { ...object.metadata, resourceVersion: old.metadata.resourceVersion };
        return { type: 'object', status: 200, object: fromHub(asked, object), kind: asked };
      }
      assertInTime(ctx);
      const entry = await storeChange(parts, kind, current, object);
      if (entry !== undefined) return { type: 'entry', status: 200, kind: asked, entry };
    } catch (error) {
      letGo(parts, request);
      throw error;
    }
    letGo(parts, request);
    if ((wanted !== '' && wanted !== '0') || attempt >= MAX_ATTEMPTS) throw conflict(kind, name, MODIFIED);
  }
}

/** The change was not stored: what plugins reserved for it is free again. */
function letGo(parts: ApiServerParts, request: AdmissionRequest): void {
  for (const plugin of parts.admission) plugin.undo?.(request);
}

/** Stores a change of the object at `current`; undefined where somebody was faster. */
async function storeChange(
  parts: ApiServerParts,
  kind: Kind,
  current: Entry,
  object: KubeObject,
): Promise<Entry | undefined> {
  const cache = parts.registry.cache(kind);
  // The last finalizer went, and nothing else holds the object.
  if (isOver(kind, object)) return finishDeletion(parts, cache, current, object);
  const stored = encodeStored(kind, object);
  // A write that changes nothing is not one: the resourceVersion stays.
  if (isSame(kind, current, object, stored)) return current;
  return put(parts, cache, current.key, object, current.revision, stored);
}

function isOver(kind: Kind, object: KubeObject): boolean {
  const meta = object.metadata;
  // A namespace is held by the finalizers of its spec, too.
  const held =
    kind.plural === 'namespaces' &&
    kind.group === '' &&
    ((object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length > 0;
  return (
    meta?.deletionTimestamp !== undefined &&
    (meta.finalizers ?? []).length === 0 &&
    (meta.deletionGracePeriodSeconds ?? 0) === 0 &&
    !held
  );
}

function rulesOf(kind: Kind, subresource: string): UpdateRules | undefined {
  if (subresource === '') return kind.update;
  if (subresource === 'status') return kind.status;
  return kind.subresources?.[subresource]?.rules;
}

/** What only the server sets is as it was, whatever the client left out or sent. */
function keepSystemFields(meta: ObjectMeta, old: ObjectMeta): void {
  for (const field of SYSTEM_FIELDS) {
    if (old[field] === undefined) delete meta[field];
    else (meta as Record<string, unknown>)[field] = old[field];
  }
  meta.name ??= old.name ?? '';
  if (old.namespace !== undefined) meta.namespace ??= old.namespace;
  delete meta.resourceVersion;
  delete meta.selfLink;
}

const SYSTEM_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generateName',
  'generation',
] as const;

/** The status subresource changes labels and annotations no more than the spec. */
function keepMeta(object: KubeObject, old: KubeObject, subresource: string): void {
  if (subresource !== 'status' || object.metadata === undefined) return;
  const { finalizers: _finalizers, managedFields: _owners, resourceVersion: _version, ...was } = old.metadata ?? {};
  const meta = cloneJson(was);
  const kept = old.metadata?.finalizers;
  object.metadata = {
    ...meta,
    // Labels and annotations may be written along with the status, as in Kubernetes.
    ...(object.metadata.labels === undefined ? {} : { labels: object.metadata.labels }),
    ...(object.metadata.annotations === undefined ? {} : { annotations: object.metadata.annotations }),
    ...(kept === undefined ? {} : { finalizers: [...kept] }),
  };
}

/** A status of a built-in kind can be emptied, not taken away. */
function emptyButThere(kind: Kind, object: KubeObject, old: KubeObject): void {
  const now = object as { status?: object };
  const { status } = old as { status?: object };
  if (now.status === undefined && status !== undefined && kind.withoutStrategicMerge !== true) now.status = {};
}

/** The generation counts changes of what the user wants: anything but metadata and status. */
function raiseGeneration(kind: Kind, object: KubeObject, old: KubeObject, subresource: string): void {
  if (!kind.hasGeneration || subresource === 'status') return;
  const now = object as unknown as Record<string, unknown>;
  const was = old as unknown as Record<string, unknown>;
  for (const field of new Set([...Object.keys(now), ...Object.keys(was)])) {
    if (field === 'metadata' || (field === 'status' && kind.countsStatus !== true) || jsonEqual(now[field], was[field]))
      continue;
    // What looks different in JSON may mean the same; objects that came in protobuf cannot tell such things apart.
    // A schema of a custom resource may not name all fields.
    const type = kind.withoutStrategicMerge === true ? undefined : kind.schema.fields[field]?.type;
    if (type !== undefined && semanticEqual(type, now[field], was[field])) continue;
    metaOf(object).generation = (old.metadata?.generation ?? 0) + 1;
    return;
  }
}

function ruleFaults(
  kind: Kind,
  rules: UpdateRules | undefined,
  object: KubeObject,
  old: KubeObject,
  subresource: string,
): readonly FieldError[] {
  const faults = rules?.validate?.(object, old) ?? [];
  return subresource === '' ? faultsOfUpdate(kind, faults, old) : faults;
}
