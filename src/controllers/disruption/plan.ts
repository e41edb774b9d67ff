/**
 * How many pods of a budget may be disrupted now.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
 */
import type { Pod } from '../../apis/core/pod.ts';
import {
  type PodDisruptionBudget,
  type PodDisruptionBudgetStatus,
  podDisruptionBudgets,
  PodDisruptionBudgetStatus as StatusType,
} from '../../apis/policy/podDisruptionBudget.ts';
import { scaledValue } from '../../machinery/intOrString.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { Condition } from '../../machinery/meta.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';
import { isFinished, isReady } from '../podState.ts';

export interface DisruptionWorld {
  readonly budget: Stored<PodDisruptionBudget>;
  /** that the budget selects */
  readonly pods: readonly Stored<Pod>[];
  /**
   * How many pods the controllers of these pods are to have, all together.
   * A string: why that cannot be told.
   */
  readonly scale: number | string;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** So long an eviction that was allowed may take to show as a deletion. */
const DELETION_TIMEOUT_MS = 2 * 60_000;

export function planDisruption(world: DisruptionWorld): Plan {
  const { budget, now } = world;
  const counted = world.pods.filter((pod) => !isFinished(pod));
  const { disrupted, againMs } = stillDisrupted(budget, counted, now);
  const healthy = counted.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && disrupted[pod.metadata.name] === undefined && isReady(pod),
  ).length;
  const wanted = expectationOf(world, counted.length);
  const failed = 'failure' in wanted;
  const desired = failed ? 0 : wanted.desired;
  const allowed = failed || wanted.expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const status: PodDisruptionBudgetStatus = {
    observedGeneration: budget.metadata.generation ?? 0,
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    currentHealthy: failed ? (budget.status?.currentHealthy ?? 0) : healthy,
    desiredHealthy: failed ? (budget.status?.desiredHealthy ?? 0) : desired,
    expectedPods: failed ? (budget.status?.expectedPods ?? 0) : wanted.expected,
    conditions: [conditionOf(budget, allowed, failed ? wanted.failure : undefined, now)],
  };
  const same = budget.status !== undefined && semanticEqual(StatusType, budget.status, status);
  const update = statusUpdate(podDisruptionBudgets, { ...budget, status });
  return {
    actions: same ? [] : [update, ...eventsOf(world, counted, failed ? wanted.failure : undefined)],
    ...(againMs === undefined ? {} : { againMs }),
  };
}

/** What is odd about the pods that a budget is to guard. */
function eventsOf({ budget }: DisruptionWorld, pods: readonly Stored<Pod>[], failure: string | undefined): Action[] {
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): Action => {
    return { verb: 'event', regarding: budget, type, reason, message };
  };
  if (pods.length === 0) return [event('Normal', 'NoPods', 'No matching pods found')];
  if (failure !== undefined) {
    const message = `Failed to calculate the number of expected pods: ${failure}`;
    return [event('Warning', 'CalculateExpectedPodCountFailed', message)];
  }
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  const countsControllers = maxUnavailable !== undefined || typeof minAvailable === 'string';
  if (!countsControllers || pods.every((pod) => controllerOf(pod) !== undefined)) return [];
  const message =
    'Some of the pods that this budget selects have no controller: they are not counted among those that are expected. ' +
    'To account for them set .spec.minAvailable to a whole number.';
  return [event('Warning', 'UnmanagedPods', message)];
}

/** Pods that were evicted and are not gone yet; what takes too long is forgotten. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Stored<Pod>[], now: number) {
  const disrupted: Record<string, string> = {};
  let againMs: number | undefined;
  const names = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  for (const [name, at] of Object.entries(budget.status?.disruptedPods ?? {})) {
    const pod = names.get(name);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = (parseTime(at) ?? 0) + DELETION_TIMEOUT_MS - now;
    if (leftMs <= 0) continue;
    disrupted[name] = at;
    againMs = Math.min(againMs ?? leftMs, leftMs);
  }
  return { disrupted, againMs };
}

type Expectation = { readonly expected: number; readonly desired: number } | { readonly failure: string };

function expectationOf({ budget, scale }: DisruptionWorld, count: number): Expectation {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    if (typeof scale === 'string') return { failure: scale };
    const unavailable = scaledValue(maxUnavailable, scale, 'up');
    return { expected: scale, desired: Math.max(0, scale - unavailable) };
  }
  if (typeof minAvailable === 'number') return { expected: count, desired: minAvailable };
  if (minAvailable === undefined) return { expected: count, desired: 0 };
  if (typeof scale === 'string') return { failure: scale };
  return { expected: scale, desired: scaledValue(minAvailable, scale, 'up') };
}

function conditionOf(
  budget: Stored<PodDisruptionBudget>,
  allowed: number,
  failure: string | undefined,
  now: number,
): Condition {
  const type = 'DisruptionAllowed';
  const status = failure === undefined && allowed > 0 ? 'True' : 'False';
  const reason = failure !== undefined ? 'SyncFailed' : allowed > 0 ? 'SufficientPods' : 'InsufficientPods';
  const before = budget.status?.conditions?.find((c) => c.type === type);
  return {
    type,
    status,
    reason,
    message: failure ?? '',
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : formatTime(now),
    observedGeneration: budget.metadata.generation ?? 0,
  };
}
