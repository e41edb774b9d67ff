/**
 * DELETE: at once, or with a period of grace, or when the last finalizer is gone.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/ and
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion
 */
import { cloneJson } from '../../machinery/clone.ts';
import { DeleteOptions } from '../../machinery/deleteOptions.ts';
import { encodeStored } from '../../machinery/encode.ts';
import { hubOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { apiError, badRequest, conflict, notFound } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { type AdmissionRequest, admit } from '../admission/plugin.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { assertInTime } from '../deadline.ts';
import { Entry } from '../registry/entry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';
import { bodyValue, isDryRun, parseBody } from './objects.ts';
import { MAX_ATTEMPTS, put, remove } from './write.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const POLICIES = ['Background', 'Foreground', 'Orphan'];

export async function deleteVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  const cache = parts.registry.cache(kind);
  await cache.freshen();
  const options = await deleteOptionsOf(ctx);
  const { entry, gone } = await deleteObject(parts, ctx, hubOf(kind), ctx.info.namespace, ctx.info.name, options);
  // What is only marked is answered as it is now; what is gone by a Status, or as it was last.
  if (!gone || kind.returnsDeleted === true) return { type: 'entry', status: 200, kind, entry };
  const { name, uid } = entry.object.metadata;
  return {
    type: 'object',
    status: 200,
    object: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural, uid },
    } as KubeObject,
  };
}

/** From the body or the query. @throws ApiError BadRequest */
export async function deleteOptionsOf(ctx: RequestContext): Promise<DeleteOptions> {
  const body = await ctx.readBody();
  let options: DeleteOptions = {};
  if (body.type === 'object' ? body.object !== undefined : body.bytes.length > 0) {
    const parsed = await parseBody(body);
    const decoded = decode<DeleteOptions>(DeleteOptions, bodyValue(parsed, DeleteOptions) ?? {});
    const [error] = decoded.errors;
    if (error !== undefined) throw badRequest(`the delete options are malformed: ${error.path}: ${error.message}`);
    options = decoded.value;
  }
  const grace = ctx.query.get('gracePeriodSeconds');
  if (grace !== null && grace !== '') {
    if (!/^-?\d{1,9}$/.test(grace)) throw badRequest('gracePeriodSeconds must be a whole number');
    options.gracePeriodSeconds ??= Number(grace);
  }
  const policy = ctx.query.get('propagationPolicy');
  if (policy !== null && policy !== '') options.propagationPolicy ??= policy;
  const orphan = ctx.query.get('orphanDependents');
  if (orphan !== null && orphan !== '') options.orphanDependents ??= orphan === 'true';
  if ((options.gracePeriodSeconds ?? 0) < 0) options.gracePeriodSeconds = 1;
  if (options.propagationPolicy !== undefined && !POLICIES.includes(options.propagationPolicy)) {
    throw apiError(
      'Invalid',
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(options.propagationPolicy)}: supported values: "Background", "Foreground", "Orphan", "nil"`,
    );
  }
  if (options.propagationPolicy !== undefined && options.orphanDependents !== undefined) {
    throw apiError(
      'Invalid',
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: orphanDependents and deletionPropagation cannot be both set',
    );
  }
  return options;
}

export interface Deleted {
  /** the object as it is now, or as it was last */
  readonly entry: Entry;
  readonly gone: boolean;
}

/** @throws ApiError NotFound, Conflict for a precondition that does not hold */
export async function deleteObject(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Promise<Deleted> {
  const cache = parts.registry.cache(kind);
  const dryRun = isDryRun(ctx, options.dryRun);
  for (let attempt = 1; ; attempt++) {
    const current = cache.get(namespace, name);
    if (current === undefined) throw notFound(kind, name);
    checkPreconditions(kind, current, options);
    const request: AdmissionRequest = {
      operation: 'DELETE',
      kind,
      ...(ctx.kind !== undefined && hubOf(ctx.kind) === kind ? { asked: ctx.kind } : {}),
      subresource: '',
      namespace,
      name,
      object: undefined,
      oldObject: current.object,
      user: ctx.user,
      dryRun,
      ctx,
    };
    await admit(parts.admission, 'mutate', request);
    await admit(parts.admission, 'validate', request);
    const next = plan(kind, current.object, options, parts.clock.now());
    if (dryRun) return { entry: current, gone: next === 'remove' };
    if (next === 'keep') return { entry: current, gone: false };
    assertInTime(ctx);
    if (next === 'remove') {
      const revision = await remove(parts, cache, current.key, current.revision);
      if (revision !== undefined) return { entry: current.at(revision), gone: true };
    } else {
      const entry = await put(parts, cache, current.key, next, current.revision);
      if (entry !== undefined) return { entry, gone: false };
    }
    if (attempt >= MAX_ATTEMPTS) throw conflict(kind, name, 'the object is being changed too often to be deleted');
  }
}

/** @throws ApiError Conflict for a precondition that does not hold */
export function checkPreconditions(kind: Kind, current: Entry, options: DeleteOptions): void {
  const { uid, resourceVersion } = current.object.metadata;
  const name = current.object.metadata.name;
  const wanted = options.preconditions;
  if (wanted?.uid !== undefined && wanted.uid !== uid) {
    throw conflict(
      kind,
      name,
      `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (wanted?.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    throw conflict(
      kind,
      name,
      `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
}

/** What a delete makes of an object: it goes, it stays as it is, or it is marked. */
export function plan(
  kind: Kind,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): 'remove' | 'keep' | KubeObject {
  const meta = object.metadata ?? {};
  const finalizers = withPropagation(meta.finalizers ?? [], options);
  const grace = kind.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
  const isNamespace = kind.plural === 'namespaces' && kind.group === '';
  // A namespace is held by the finalizers of its spec until its content is gone.
  const held =
    finalizers.length > 0 ||
    (isNamespace && ((object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length > 0);
  if (meta.deletionTimestamp !== undefined) {
    const left = meta.deletionGracePeriodSeconds ?? 0;
    const sooner = grace < left;
    if (!held && grace === 0) return 'remove';
    if (!sooner && sameList(finalizers, meta.finalizers ?? [])) return 'keep';
    const start = Date.parse(meta.deletionTimestamp) - left * 1000;
    return marked(
      object,
      finalizers,
      sooner ? { grace, at: start + grace * 1000 } : { grace: left, at: Date.parse(meta.deletionTimestamp) },
    );
  }
  if (!held && grace === 0) return 'remove';
  const next = marked(object, finalizers, { grace, at: now + grace * 1000 });
  if (isNamespace)
    (next as { status?: { phase?: string } }).status = {
      ...(object as { status?: object }).status,
      phase: 'Terminating',
    };
  return next;
}

function marked(
  object: KubeObject,
  finalizers: readonly string[],
  deletion: { grace: number; at: number },
): KubeObject {
  const { resourceVersion: _version, ...meta } = cloneJson(object.metadata ?? {});
  return {
    ...cloneJson(object),
    metadata: {
      ...meta,
      deletionTimestamp: formatTime(deletion.at),
      deletionGracePeriodSeconds: deletion.grace,
      // Deletion is a change of what is wanted.
      ...(meta.generation === undefined
        ? {}
        : { generation: meta.generation + (meta.deletionTimestamp === undefined ? 1 : 0) }),
      ...(finalizers.length === 0 && meta.finalizers === undefined ? {} : { finalizers: [...finalizers] }),
    },
  };
}

/** The garbage collector is told what to do with dependents by a finalizer. */
function withPropagation(finalizers: readonly string[], options: DeleteOptions): string[] {
  const policy = options.propagationPolicy ?? (options.orphanDependents === true ? 'Orphan' : undefined);
  if (policy === undefined && options.orphanDependents === undefined) return [...finalizers];
  const rest = finalizers.filter((f) => f !== ORPHAN && f !== FOREGROUND);
  if (policy === 'Orphan') return [...rest, ORPHAN];
  if (policy === 'Foreground') return [...rest, FOREGROUND];
  return rest;
}

const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((x, i) => x === b[i]);

/** Removes an object whose last finalizer an update took away; answers with what that update made of it. */
export async function finishDeletion(
  parts: ApiServerParts,
  cache: WatchCache,
  current: Entry,
  object: KubeObject,
): Promise<Entry | undefined> {
  const revision = await remove(parts, cache, current.key, current.revision);
  if (revision === undefined) return undefined;
  return new Entry(cache.kind, current.key, revision, encodeStored(cache.kind, object));
}
