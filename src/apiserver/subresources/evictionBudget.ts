/**
 * What disruption budgets say to an eviction.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
 */
import type { Pod } from '../../apis/core/pod.ts';
import { type PodDisruptionBudget, podDisruptionBudgets } from '../../apis/policy/podDisruptionBudget.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';
import type { Condition } from '../../machinery/meta.ts';
import { setOwn } from '../../machinery/setOwn.ts';
import { ApiError, apiError, forbiddenRequest } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Entry } from '../registry/entry.ts';
import type { ApiServerParts } from '../stage.ts';
import { MAX_ATTEMPTS, put } from '../verbs/write.ts';

/** Evictions that were allowed and that the budgets' controller has not seen yet. */
const MOST_DISRUPTED = 2000;
const RETRY_AFTER_SECONDS = 10;
const DISRUPTION_ALLOWED = 'DisruptionAllowed';
const BUDGETS = podDisruptionBudgets as unknown as Kind;

/** An eviction may happen: it was counted in the budget, or needs no counting while the pod stays as it is. */
export interface Permission {
  /** the budget's name; absent where none is about the pod */
  readonly budget?: string;
  /** The pod was let go because it is not ready: it must still be what it was when it is deleted. */
  readonly onlyUnchanged: boolean;
}

/** Asks the pod's budget, and counts the eviction there. @throws ApiError TooManyRequests and others to refuse */
export async function askBudget(parts: ApiServerParts, pod: Stored<Pod>, dryRun: boolean): Promise<Permission> {
  const cache = parts.registry.cache(BUDGETS);
  await cache.freshen();
  const [first, ...more] = cache.entries(pod.metadata.namespace).filter((entry) => isAbout(budgetOf(entry), pod));
  if (first === undefined) return { onlyUnchanged: false };
  if (more.length > 0) throw moreThanOne();
  const budget = budgetOf(first);
  const { name } = budget.metadata;
  if (!isReady(pod)) {
    const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
    const always = budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow';
    if (always || (currentHealthy >= desiredHealthy && desiredHealthy > 0)) {
      return { budget: name, onlyUnchanged: true };
    }
  }
  let entry: Entry | undefined = first;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    // It was deleted in the meantime, and with it what it asked for.
    if (entry === undefined) return { onlyUnchanged: false };
    const current = budgetOf(entry);
    checkBudget(current);
    if (dryRun) return { budget: name, onlyUnchanged: false };
    const counted = withDisruption(current, pod.metadata.name, parts.clock.now());
    const stored = await put(parts, cache, entry.key, counted, entry.revision);
    if (stored !== undefined) return { budget: name, onlyUnchanged: false };
    entry = cache.byKey(entry.key);
  }
  throw apiError('Timeout', `couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

const budgetOf = (entry: Entry) => entry.object as Stored<PodDisruptionBudget>;

function isAbout(budget: Stored<PodDisruptionBudget>, pod: Stored<Pod>): boolean {
  const selector = selectorFrom(budget.spec?.selector);
  return selector !== undefined && matchesLabels(selector, pod.metadata.labels);
}

const isReady = (pod: Stored<Pod>) =>
  (pod.status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');

function moreThanOne(): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    code: 500,
  });
}

/** A refusal that a client tries again after a while. */
export function stillProcessed(budget: string): ApiError {
  return refusal(`The disruption budget ${budget} is still being processed by the server.`, RETRY_AFTER_SECONDS);
}

function refusal(message: string, retryAfterSeconds?: number): ApiError {
  return apiError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** @throws ApiError where the budget has no room for one more */
function checkBudget(budget: Stored<PodDisruptionBudget>): void {
  const { name } = budget.metadata;
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {} } = budget.status ?? {};
  if (observedGeneration < (budget.metadata.generation ?? 0)) throw stillProcessed(name);
  const forbid = (why: string) => forbiddenRequest({ group: 'policy', plural: 'poddisruptionbudget' }, name, why);
  if (disruptionsAllowed < 0) throw forbid('pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MOST_DISRUPTED) {
    throw forbid('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) throw refusal(whyNone(budget));
}

function whyNone(budget: Stored<PodDisruptionBudget>): string {
  const { name } = budget.metadata;
  const { conditions = [], currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  const condition = conditions.find((c) => c.type === DISRUPTION_ALLOWED);
  if (condition?.status === 'False' && condition.reason === 'SyncFailed') {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${condition.message}`;
  }
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  return `The disruption budget ${name} does not allow evicting pods currently`;
}

/** One less may go, and the controller is told which pod it is that goes. */
function withDisruption(budget: Stored<PodDisruptionBudget>, pod: string, now: number): PodDisruptionBudget {
  const status = budget.status ?? {};
  const disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  const disruptedPods = { ...status.disruptedPods };
  setOwn(disruptedPods, pod, formatTime(now));
  const { resourceVersion: _version, ...metadata } = budget.metadata;
  return {
    ...budget,
    metadata,
    status: {
      ...status,
      disruptionsAllowed,
      disruptedPods,
      ...(disruptionsAllowed > 0 ? {} : { conditions: exhausted(budget, now) }),
    },
  };
}

function exhausted(budget: Stored<PodDisruptionBudget>, now: number): Condition[] {
  const conditions = budget.status?.conditions ?? [];
  const before = conditions.find((c) => c.type === DISRUPTION_ALLOWED);
  const condition: Condition = {
    type: DISRUPTION_ALLOWED,
    status: 'False',
    observedGeneration: budget.status?.observedGeneration ?? 0,
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : formatTime(now),
    reason: 'InsufficientPods',
    message: '',
  };
  if (before === undefined) return [...conditions, condition];
  return conditions.map((c) => (c === before ? condition : c));
}
