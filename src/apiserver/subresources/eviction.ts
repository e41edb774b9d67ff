/**
 * POST of an Eviction: a pod is deleted with grace, as by DELETE, unless a disruption budget stands against it.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type Eviction, evictions } from '../../apis/policy/eviction.ts';
import type { DeleteOptions } from '../../machinery/deleteOptions.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { apiError, badRequest, isApiError, notFound } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Entry } from '../registry/entry.ts';
import { readReview } from '../reviewBody.ts';
import { type ApiServerParts, type Handler, handlerKey } from '../stage.ts';
import { checkPreconditions, deleteObject } from '../verbs/delete.ts';
import { isDryRun } from '../verbs/objects.ts';
import { MAX_ATTEMPTS, put } from '../verbs/write.ts';
import { askBudget, stillProcessed } from './evictionBudget.ts';
import { success } from './success.ts';
import { allowing } from './verbs.ts';

const PODS = pods as unknown as Kind;
/** They are over, or were never counted: no budget loses anything by them. */
const UNCOUNTED_PHASES = ['Succeeded', 'Failed', 'Pending'];

export function evictionHandlers(parts: () => ApiServerParts): [string, Handler][] {
  const handler = allowing(['create'], async (ctx) => {
    const eviction = (await readReview(ctx, evictions as unknown as Kind)) as Eviction;
    if (eviction.metadata?.name && eviction.metadata.name !== ctx.info.name) {
      throw badRequest('name in URL does not match name in Eviction object');
    }
    await parts().registry.cache(PODS).freshen();
    return evict(parts(), ctx, withDryRun(ctx, eviction.deleteOptions ?? {}));
  });
  return [[handlerKey('', 'pods', 'eviction'), handler]];
}

/** A dry run may be asked for in the query or in the body, but not differently in both. @throws ApiError */
function withDryRun(ctx: RequestContext, options: DeleteOptions): DeleteOptions {
  const asked = ctx.query.getAll('dryRun').filter((value) => value !== '');
  const inBody = options.dryRun ?? [];
  if (asked.length === 0) return options;
  if (inBody.length === 0) return { ...options, dryRun: asked };
  if (asked.join(',') !== inBody.join(',')) {
    throw apiError(
      'InternalError',
      `Non-matching dry-run options in request and content: [${asked.join(' ')}] and [${inBody.join(' ')}]`,
    );
  }
  return options;
}

async function evict(parts: ApiServerParts, ctx: RequestContext, options: DeleteOptions): Promise<Answer> {
  const { namespace, name } = ctx.info;
  const dryRun = isDryRun(ctx, options.dryRun);
  for (let attempt = 1; ; attempt++) {
    const current = parts.registry.cache(PODS).get(namespace, name);
    if (current === undefined) throw notFound(pods, name);
    const pod = current.object as Stored<Pod>;
    if (!isUncounted(pod)) return evictCounted(parts, ctx, pod, options, dryRun);
    try {
      // A pod that waits may become ready in this moment, and be counted.
      const unchanged = pod.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined;
      await deletePod(parts, ctx, unchanged ? onlyAt(pod, options) : options, dryRun);
      return success(201);
    } catch (error) {
      const asked = options.preconditions?.resourceVersion !== undefined;
      if (asked || !isApiError(error, 'Conflict') || attempt >= MAX_ATTEMPTS) throw error;
      if (options.preconditions?.uid !== undefined && options.preconditions.uid !== pod.metadata.uid) throw error;
    }
  }
}

async function evictCounted(
  parts: ApiServerParts,
  ctx: RequestContext,
  pod: Stored<Pod>,
  options: DeleteOptions,
  dryRun: boolean,
): Promise<Answer> {
  const permission = await askBudget(parts, pod, dryRun);
  try {
    await deletePod(parts, ctx, permission.onlyUnchanged ? onlyAt(pod, options) : options, dryRun);
  } catch (error) {
    const mine = permission.onlyUnchanged && options.preconditions?.resourceVersion === undefined;
    if (mine && isApiError(error, 'Conflict')) throw stillProcessed(permission.budget ?? '');
    throw error;
  }
  return success(201);
}

const isUncounted = (pod: Stored<Pod>) =>
  UNCOUNTED_PHASES.includes(pod.status?.phase ?? '') || pod.metadata.deletionTimestamp !== undefined;

/** Only while the pod is what it is now, unless the client has named another state of it. */
function onlyAt(pod: Stored<Pod>, options: DeleteOptions): DeleteOptions {
  if (options.preconditions?.resourceVersion !== undefined) return options;
  return {
    ...options,
    preconditions: { ...options.preconditions, resourceVersion: pod.metadata.resourceVersion },
  };
}

/** Notes on the pod why it goes, and deletes it. */
async function deletePod(
  parts: ApiServerParts,
  ctx: RequestContext,
  options: DeleteOptions,
  dryRun: boolean,
): Promise<void> {
  const { namespace, name } = ctx.info;
  let final = options;
  if (!dryRun) {
    const noted = await noteEviction(parts, namespace, name, options);
    if (options.preconditions?.resourceVersion !== undefined) {
      // The note has changed it.
      const resourceVersion = noted.object.metadata.resourceVersion ?? '';
      final = { ...options, preconditions: { ...options.preconditions, resourceVersion } };
    }
  }
  await deleteObject(parts, ctx, PODS, namespace, name, final);
}

/** Writes the condition DisruptionTarget, which a job's failure policy, e.g., looks at. */
async function noteEviction(
  parts: ApiServerParts,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Promise<Entry> {
  const cache = parts.registry.cache(PODS);
  for (let attempt = 1; ; attempt++) {
    const current = cache.get(namespace, name);
    if (current === undefined) throw notFound(pods, name);
    checkPreconditions(PODS, current, options);
    const noted = await put(parts, cache, current.key, withTarget(parts, current), current.revision);
    if (noted !== undefined) return noted;
    if (attempt >= MAX_ATTEMPTS) {
      throw apiError('Conflict', `the pod ${JSON.stringify(name)} is being changed too often to be evicted`);
    }
  }
}

function withTarget(parts: ApiServerParts, entry: Entry): Pod {
  const pod = entry.object as Stored<Pod>;
  const { resourceVersion: _version, ...metadata } = pod.metadata;
  const conditions = pod.status?.conditions ?? [];
  const before = conditions.find((condition) => condition.type === 'DisruptionTarget');
  const since = before?.status === 'True' ? before.lastTransitionTime : undefined;
  const target = {
    type: 'DisruptionTarget',
    status: 'True',
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    lastTransitionTime: since ?? formatTime(parts.clock.now()),
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  const others = conditions.filter((condition) => condition !== before);
  return { ...pod, metadata, status: { ...pod.status, conditions: [...others, target] } };
}
