/**
 * PATCH with application/apply-patch+yaml: server-side apply.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
import { cloneJson } from '../../machinery/clone.ts';
import { required } from '../../machinery/fieldError.ts';
import { type Applied, ApplyConflict, applyConfig } from '../../machinery/fieldOwnership/apply.ts';
import { showPath } from '../../machinery/fieldOwnership/fieldSet.ts';
import { conflictsBesideLastApplied, LAST_APPLIED } from '../../machinery/fieldOwnership/lastApplied.ts';
import { ApplyError } from '../../machinery/fieldOwnership/merge.ts';
import type { Owner } from '../../machinery/fieldOwnership/owners.ts';
import type { Conflict, Versioned, Writer } from '../../machinery/fieldOwnership/ownership.ts';
import { apiVersionOf, hubOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import type { ManagedFieldsEntry, ObjectMeta } from '../../machinery/meta.ts';
import { decode } from '../../machinery/schema/decode.ts';
import {
  type ApiError,
  apiError,
  badRequest,
  conflict,
  invalidObject,
  isApiError,
  notFound,
} from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import { authorizeAll } from '../authorization/authorizer.ts';
import type { RequestBody, RequestContext } from '../context.ts';
import type { ApiServerParts } from '../stage.ts';
import { attributesOf, forbidden } from '../stages/authorize.ts';
import { createObject } from './create.ts';
import { converter, versioned, writerOf } from './fieldManager.ts';
import {
  assertMatchesPath,
  fieldValidationOf,
  type ParsedBody,
  parseCbor,
  parseJsonBody,
  parseYaml,
  setDefaults,
} from './objects.ts';
import { changeObject } from './update.ts';
import { MAX_ATTEMPTS } from './write.ts';

export const APPLY_TYPE = 'application/apply-patch+yaml';
export const APPLY_CBOR_TYPE = 'application/apply-patch+cbor';

/** What a request applies, and as whom. */
export interface Application {
  readonly config: KubeObject;
  readonly writer: Writer;
  readonly force: boolean;
  /** the version of owners in messages, where the client knows nothing of theirs */
  readonly shownAs?: string;
}

export async function applyVerb(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  body: RequestBody,
): Promise<Answer> {
  const { writer, force } = applyOptions(parts, ctx);
  const parsed = await parseConfig(body);
  const config = decodeConfig(ctx, kind, parsed);
  const meta = metaOfConfig(config);
  assertMatchesPath(ctx, meta);
  if (meta.name === undefined || meta.name === '') meta.name = ctx.info.name;
  const application: Application = { config: changeable(kind, ctx.info.subresource, config), writer, force };
  const cache = parts.registry.cache(kind);
  for (let attempt = 1; ; attempt++) {
    try {
      if (cache.get(ctx.info.namespace, ctx.info.name) === undefined) {
        return await createApplied(parts, ctx, kind, application);
      }
      return await changeObject(parts, ctx, kind, (old) => applyTo(parts, kind, old, application), { owned: true });
    } catch (error) {
      // Somebody else created or deleted it in the meantime.
      const raced = isApiError(error, 'AlreadyExists') || (isApiError(error, 'NotFound') && isThere(parts, ctx, kind));
      if (!raced || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
}

/** Whether the object went just now, so that it is to be created. */
function isThere(parts: ApiServerParts, ctx: RequestContext, kind: Kind): boolean {
  return ctx.info.subresource === '' && parts.registry.cache(kind).get(ctx.info.namespace, ctx.info.name) !== undefined;
}

/** Who applies, and whether conflicts count. @throws ApiError Invalid without a fieldManager */
export function applyOptions(parts: ApiServerParts, ctx: RequestContext): { writer: Writer; force: boolean } {
  if ((ctx.query.get('fieldManager') ?? '') === '') {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      required('fieldManager', 'is required for apply patch'),
    ]);
  }
  const force = ctx.query.get('force')?.toLowerCase();
  return {
    writer: writerOf(parts, ctx, 'PatchOptions'),
    force: force !== undefined && force !== 'false' && force !== '0',
  };
}

/** @throws ApiError BadRequest */
export async function parseConfig(body: RequestBody): Promise<ParsedBody> {
  if (body.type === 'object') return { value: body.object, duplicates: [] };
  if (body.contentType === APPLY_CBOR_TYPE) return parseCbor(body.bytes);
  // Clients send JSON, which is YAML, too.
  const first = body.bytes.subarray(0, 64).toString('latin1').trimStart()[0];
  if (first === '{') {
    try {
      return parseJsonBody(body.bytes);
    } catch {
      // YAML in flow style is not JSON.
    }
  }
  return parseYaml(body);
}

/** @throws ApiError BadRequest for what is no object of the kind */
export function decodeConfig(ctx: RequestContext, kind: Kind, parsed: ParsedBody): KubeObject {
  const value = parsed.value as { apiVersion?: unknown; kind?: unknown } | null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('error decoding patch: the patch must be an object');
  }
  if (value.kind !== kind.kind || value.apiVersion !== apiVersionOf(kind)) {
    const expected = showKind(apiVersionOf(kind), kind.kind);
    throw badRequest(`invalid object type: ${showKind(value.apiVersion, value.kind)}; ${expected} is expected`);
  }
  const decoded = kind.decode?.(value) ?? decode<KubeObject>(kind.schema, value);
  const faults = [
    ...decoded.errors.map((e) => `.${e.path}: ${e.message}`),
    ...decoded.unknown.map((path) => `.${path}: field not declared in schema`),
  ];
  if (faults.length > 0) {
    throw badRequest(
      `failed to create typed patch object (${showObject(ctx.info.namespace, ctx.info.name, kind)}): ${showFaults(faults)}`,
    );
  }
  const config = decoded.value as KubeObject;
  config.apiVersion = apiVersionOf(kind);
  config.kind = kind.kind;
  if (metaOfConfig(config).managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  warnOfDuplicates(ctx, parsed);
  return config;
}

/** `apps/v1, Kind=Deployment`; the core group has no name before its slash. */
function showKind(apiVersion: unknown, kind: unknown): string {
  const version = typeof apiVersion === 'string' ? apiVersion : '';
  return `${version.includes('/') ? '' : '/'}${version}, Kind=${typeof kind === 'string' ? kind : ''}`;
}

/** `default/web; apps/v1, Kind=Deployment` */
function showObject(namespace: string | undefined, name: string, of: Kind | KubeObject): string {
  const apiVersion = 'version' in of ? apiVersionOf(of) : of.apiVersion;
  return `${namespace ?? ''}/${name}; ${showKind(apiVersion, of.kind)}`;
}

/** Several stand on lines of their own. */
function showFaults(faults: readonly string[]): string {
  return faults.length === 1 ? (faults[0] ?? '') : ['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n');
}

function warnOfDuplicates(ctx: RequestContext, { duplicates, repeated }: ParsedBody): void {
  const faults = duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`);
  if (repeated !== undefined) faults.push(`error converting YAML to JSON: ${repeated}`);
  if (faults.length === 0) return;
  const validation = fieldValidationOf(ctx);
  if (validation === 'Strict') throw badRequest(`error strict decoding patch: ${faults.join(', ')}`);
  if (validation === 'Warn') for (const fault of faults) ctx.warn(fault);
}

function metaOfConfig(config: KubeObject): ObjectMeta {
  config.metadata ??= {};
  return config.metadata;
}

/** What this resource may change of an object: nobody comes to own what is not changed. */
function changeable(kind: Kind, subresource: string, config: KubeObject): KubeObject {
  const { status, ...main } = config as KubeObject & { status?: unknown };
  if (subresource === '') return hubOf(kind).status === undefined ? config : main;
  if (subresource !== 'status') return config;
  const { name, namespace, uid, resourceVersion, labels, annotations } = metaOfConfig(config);
  const metadata = JSON.parse(
    JSON.stringify({ name, namespace, uid, resourceVersion, labels, annotations }),
  ) as ObjectMeta;
  const kept = { apiVersion: config.apiVersion, kind: config.kind, metadata };
  return (status === undefined ? kept : { ...kept, status }) as KubeObject;
}

async function createApplied(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  application: Application,
): Promise<Answer> {
  const { info } = ctx;
  if (info.subresource !== '') throw notFound(kind, info.name);
  const attributes = { ...attributesOf(ctx), verb: 'create' };
  const decision = authorizeAll(parts.authorizers, attributes);
  if (!decision.allowed) throw forbidden(attributes, decision.reason);
  const { uid, resourceVersion } = metaOfConfig(application.config);
  if (uid !== undefined && uid !== '') {
    throw conflict(
      kind,
      info.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    throw conflict(kind, info.name, `the object of resourceVersion ${resourceVersion} does not exist`);
  }
  const empty = { apiVersion: apiVersionOf(kind), kind: kind.kind } as KubeObject;
  const live: Versioned = { ...versioned({ ...kind, hub: undefined } as unknown as Kind, empty) };
  const applied = merged(live, undefined, application, true, converter(parts, kind));
  const object = ownObject(applied);
  if (object.metadata !== undefined) delete object.metadata.resourceVersion;
  return createObject(parts, ctx, kind, object, true);
}

/** The object with what is applied over it, its defaults, and who owns what. */
export function applyTo(parts: ApiServerParts, kind: Kind, old: KubeObject, application: Application): KubeObject {
  const { managedFields, ...metadata } = old.metadata ?? {};
  const live = { ...versioned(kind, old), object: { ...old, metadata } };
  const applied = merged(live, managedFields, application, false, converter(parts, kind));
  const object = ownObject(applied);
  // Only what is applied is a condition.
  const given = application.config.metadata?.resourceVersion;
  const meta = metaOfConfig(object);
  if (given === undefined) delete meta.resourceVersion;
  else meta.resourceVersion = given;
  syncLastApplied(object, application);
  setDefaults(kind, object);
  return object;
}

/** A copy that may be changed. */
function ownObject(applied: Applied): KubeObject {
  const object = cloneJson(applied.object) as KubeObject;
  object.metadata ??= {};
  if (applied.managedFields !== undefined) object.metadata.managedFields = applied.managedFields;
  return object;
}

/** @throws ApiError Conflict, BadRequest */
function merged(
  live: Versioned,
  before: readonly ManagedFieldsEntry[] | undefined,
  { config, writer, force, shownAs }: Application,
  isNew: boolean,
  convert: ReturnType<typeof converter>,
): Applied {
  const apply = (forced: boolean) => applyConfig(live, config, before, { writer, force: forced, isNew, convert });
  try {
    return apply(force);
  } catch (error) {
    if (error instanceof ApplyError) {
      throw badRequest(
        `failed to create typed patch object (${showObject(config.metadata?.namespace, config.metadata?.name ?? '', config)}): ${error.message}`,
      );
    }
    if (!(error instanceof ApplyConflict)) throw error;
    const left = beyondLastApplied(error.conflicts, live, writer);
    if (left.length > 0) throw applyConflict(left, shownAs);
    return apply(true);
  }
}

/** Of kubectl, which applied on its own side before, and said so in an annotation. */
const KUBECTL = 'kubectl';

function beyondLastApplied(conflicts: readonly Conflict[], live: Versioned, writer: Writer): readonly Conflict[] {
  const annotation = (live.object as KubeObject).metadata?.annotations?.[LAST_APPLIED];
  if (writer.manager !== KUBECTL || annotation === undefined || annotation === '') return conflicts;
  try {
    return conflictsBesideLastApplied(conflicts, live, JSON.parse(annotation));
  } catch {
    return conflicts;
  }
}

const MAX_ANNOTATIONS = 256 * 1024;

/** Whoever goes back to applying on the client's side finds there what was applied last. */
function syncLastApplied(object: KubeObject, { config, writer }: Application): void {
  const annotations = object.metadata?.annotations;
  if (
    writer.manager !== KUBECTL ||
    writer.subresource !== '' ||
    annotations === undefined ||
    (annotations[LAST_APPLIED] ?? '') === ''
  )
    return;
  const { metadata = {}, ...rest } = config;
  const { [LAST_APPLIED]: _last, ...others } = metadata.annotations ?? {};
  const shown = metadata.annotations === undefined ? metadata : { ...metadata, annotations: others };
  const text = `${JSON.stringify({ ...rest, metadata: shown })}\n`;
  let size = 0;
  for (const [key, value] of Object.entries({ ...annotations, [LAST_APPLIED]: text })) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > MAX_ANNOTATIONS) delete annotations[LAST_APPLIED];
  else annotations[LAST_APPLIED] = text;
}

/** 409, with a cause for each field that somebody else owns. */
function applyConflict(found: readonly Conflict[], shownAs: string | undefined): ApiError {
  const conflicts =
    shownAs === undefined ? found : found.map((one) => ({ ...one, owner: { ...one.owner, apiVersion: shownAs } }));
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${showOwner(owner)}`,
    field: showPath(path),
  }));
  return apiError('Conflict', conflictMessage(conflicts), { causes });
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${showOwner(first.owner)}: ${showPath(first.path)}`;
  }
  const byOwner = new Map<string, string[]>();
  for (const { owner, path } of conflicts) {
    const shown = showOwner(owner);
    const lines = byOwner.get(shown);
    if (lines === undefined) byOwner.set(shown, [showPath(path)]);
    else lines.push(showPath(path));
  }
  const lines = [...byOwner]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([owner, fields]) => [`conflicts with ${owner}:`, ...fields.map((field) => `- ${field}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function showOwner(owner: Owner): string {
  const name = JSON.stringify(owner.manager);
  const where = owner.subresource === '' ? name : `${name} with subresource ${JSON.stringify(owner.subresource)}`;
  return owner.operation === 'Update' ? `${where} using ${owner.apiVersion}` : where;
}
