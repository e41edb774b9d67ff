/** POST of a new object. */
import { generateName } from '../../machinery/generateName.ts';
import { hubOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { alreadyExists, apiError, badRequest } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { validateMeta } from '../../machinery/validateMeta.ts';
import { type AdmissionRequest, admit } from '../admission/plugin.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { assertInTime } from '../deadline.ts';
import type { Entry } from '../registry/entry.ts';
import type { ApiServerParts } from '../stage.ts';
import { keepValidManagedFields, managerOf, ownCreated } from './fieldManager.ts';
import { assertMatchesPath, assertValid, decodeObject, isDryRun, metaOf, parseBody, setDefaults } from './objects.ts';
import { fromHub, spokeErrors, toHub } from './versions.ts';
import { put } from './write.ts';

/** Random names that are tried before giving up. */
const GENERATE_ATTEMPTS = 8;

export async function createVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  const cache = parts.registry.cache(kind);
  await cache.freshen();
  const object = decodeObject(ctx, kind, await parseBody(await ctx.readBody()));
  return createObject(parts, ctx, kind, object);
}

/**
 * Stores a decoded object of any version as new; also for PUT where the kind allows it.
 * @param owned its managedFields say already who owns what
 */
export async function createObject(
  parts: ApiServerParts,
  ctx: RequestContext,
  asked: Kind,
  given: KubeObject,
  owned = false,
): Promise<Answer> {
  const dryRun = isDryRun(ctx);
  managerOf(ctx, 'CreateOptions');
  setDefaults(asked, given);
  const kind = hubOf(asked);
  const object = toHub(asked, given);
  const meta = metaOf(object);
  assertMatchesPath(ctx, meta);
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const base = meta.generateName ?? '';
  const generated = (meta.name === undefined || meta.name === '') && base !== '';
  meta.uid = parts.random.uuid();
  meta.creationTimestamp = formatTime(parts.clock.now());
  delete meta.resourceVersion;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
  if (kind.hasGeneration) meta.generation = 1;
  else delete meta.generation;

  const request: AdmissionRequest = {
    operation: 'CREATE',
    kind,
    asked,
    subresource: '',
    namespace: ctx.info.namespace,
    name: generated ? base : (meta.name ?? ''),
    generated,
    object,
    oldObject: undefined,
    user: ctx.user,
    dryRun,
    ctx,
  };
  // Before admission, so that nobody owns what is not kept; after it, so that plugins set no status, and what follows
  // from the rest of the object follows from what they made of it.
  kind.prepareForCreate?.(object);
  if (!owned) ownCreated(parts, ctx, asked, object);
  const { managedFields } = meta;
  try {
    await admit(parts.admission, 'mutate', request);
    // Not before: who changes the object knows what the name is to begin with, and may choose one.
    const own = generated && !meta.name;
    if (own) meta.name = generateName(base, parts.random);
    // Who may write here and whom it counts for was asked of the path: nobody moves the object elsewhere.
    assertMatchesPath(ctx, meta);
    kind.prepareForCreate?.(object);
    kind.completeForCreate?.(object);
    keepValidManagedFields(ctx, object, managedFields);
    assertValid(asked, meta.name ?? '', [
      ...validateMeta(kind, meta),
      ...(asked.hub?.validatesAlone === true ? [] : (kind.validate?.(object) ?? [])),
      ...spokeErrors(asked, given, undefined, object),
    ]);
    await admit(parts.admission, 'validate', generated ? { ...request, name: meta.name ?? '' } : request);
    if (kind.warnings !== undefined) for (const text of kind.warnings(object)) ctx.warn(text);
    assertInTime(ctx);
    const entry = await store(parts, kind, object, own ? base : undefined, dryRun);
    if (entry === undefined) return { type: 'object', status: 201, object: fromHub(asked, object), kind: asked };
    return { type: 'entry', status: 201, kind: asked, entry };
  } catch (error) {
    for (const plugin of parts.admission) plugin.undo?.(request);
    throw error;
  }
}

/** Undefined for a dry run. @throws ApiError AlreadyExists */
async function store(
  parts: ApiServerParts,
  kind: Kind,
  object: KubeObject,
  base: string | undefined,
  dryRun: boolean,
): Promise<Entry | undefined> {
  const cache = parts.registry.cache(kind);
  const meta = metaOf(object);
  for (let attempt = 1; ; attempt++) {
    const name = meta.name ?? '';
    const taken = cache.get(meta.namespace, name) !== undefined;
    if (!taken && dryRun) return undefined;
    const entry = taken ? undefined : await put(parts, cache, cache.keyOf(meta.namespace, name), object, 0);
    if (entry !== undefined) return entry;
    if (base === undefined) throw alreadyExists(kind, name);
    if (attempt >= GENERATE_ATTEMPTS) {
      throw apiError(
        'AlreadyExists',
        `the server was not able to generate a unique name for the object ${JSON.stringify(name)}`,
      );
    }
    meta.name = generateName(base, parts.random);
  }
}
