/**
 * From the number of replicas that metrics ask for to the one that is made now: not at once down again, not too
 * fast, and within the limits.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';

/** What an autoscaler remembers between two looks; all times in ms since the epoch. */
export interface Memory {
  /** what metrics asked for */
  readonly recommendations: readonly { readonly replicas: number; readonly at: number }[];
  /** what was changed: more than 0 up, less down */
  readonly changes: readonly { readonly by: number; readonly at: number }[];
}

export const NO_MEMORY: Memory = { recommendations: [], changes: [] };

export interface Wish {
  readonly current: number;
  /** what metrics ask for */
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly now: number;
}

/** A condition's reason and message. */
export interface Told {
  readonly reason: string;
  readonly message: string;
}

export interface Stabilized {
  readonly replicas: number;
  /** of AbleToScale */
  readonly able: Told;
  /** of ScalingLimited, and whether it is */
  readonly limit: Told & { readonly limited: boolean };
  readonly memory: Memory;
}

const READY: Told = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const HELD_UP: Told = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const HELD_DOWN: Told = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const WITHIN: Told = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_FAST_UP: Told = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const TOO_FAST_DOWN: Told = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};
const TOO_MANY: Told = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Told = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};

/** Without a behavior: twice as many at once at most, or this many. */
const UP_FACTOR = 2;
const UP_MINIMUM = 4;

/** @param downscaleMs how long the highest recommendation counts, where the behavior does not say */
export function stabilize(
  wish: Wish,
  behavior: HorizontalPodAutoscalerBehavior | undefined,
  memory: Memory,
  downscaleMs: number,
): Stabilized {
  return behavior === undefined
    ? withoutBehavior(wish, memory, downscaleMs)
    : withBehavior(wish, behavior, memory, downscaleMs);
}

function withoutBehavior(wish: Wish, memory: Memory, downscaleMs: number): Stabilized {
  const { current, desired, min, max, now } = wish;
  const recent = memory.recommendations.filter(({ at }) => at >= now - downscaleMs);
  const stabilized = Math.max(desired, ...recent.map(({ replicas }) => replicas));
  const fastest = Math.max(UP_FACTOR * current, UP_MINIMUM);
  const most = Math.min(max, fastest);
  const [replicas, told] =
    stabilized < min
      ? [min, TOO_FEW]
      : stabilized > most
        ? [most, max > fastest ? TOO_FAST_UP : TOO_MANY]
        : [stabilized, WITHIN];
  return {
    replicas,
    able: stabilized === desired ? READY : HELD_UP,
    limit: { ...told, limited: replicas !== stabilized },
    memory: { ...memory, recommendations: [...recent, { replicas: desired, at: now }] },
  };
}

function withBehavior(
  wish: Wish,
  behavior: HorizontalPodAutoscalerBehavior,
  memory: Memory,
  downscaleMs: number,
): Stabilized {
  const { current, desired, now } = wish;
  const upMs = (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
  const seconds = behavior.scaleDown?.stabilizationWindowSeconds;
  const downMs = seconds === undefined ? downscaleMs : seconds * 1000;
  const within = (ms: number) =>
    memory.recommendations.filter(({ at }) => at > now - ms).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...within(upMs));
  const highest = Math.max(desired, ...within(downMs));
  const stabilized = Math.min(Math.max(current, lowest), highest);
  const [replicas, told] = limited({ ...wish, desired: stabilized }, behavior, memory);
  const recent = memory.recommendations.filter(({ at }) => at >= now - Math.max(upMs, downMs));
  return {
    replicas,
    able: stabilized === desired ? READY : desired >= current ? HELD_DOWN : HELD_UP,
    limit: { ...told, limited: replicas !== stabilized },
    memory: { ...memory, recommendations: [...recent, { replicas: desired, at: now }] },
  };
}

function limited(wish: Wish, behavior: HorizontalPodAutoscalerBehavior, memory: Memory): readonly [number, Told] {
  const { current, desired, min, max, now } = wish;
  if (desired > current) {
    const fastest = Math.max(current, upLimit(current, behavior.scaleUp, memory, now));
    const most = Math.min(max, fastest);
    if (desired > most) return [most, max > fastest ? TOO_FAST_UP : TOO_MANY];
  } else if (desired < current) {
    const fastest = Math.min(current, downLimit(current, behavior.scaleDown, memory, now));
    const least = Math.max(min, fastest);
    if (desired < least) return [least, min < fastest ? TOO_FAST_DOWN : TOO_FEW];
  }
  return [desired, WITHIN];
}

/** How many there may be by now. Rules are complete by their defaults; without any, nothing is limited. */
function upLimit(current: number, rules: HPAScalingRules | undefined, memory: Memory, now: number): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = current - changedIn(memory, periodSeconds, now);
    return type === 'Pods' ? before + value : Math.ceil(before * (1 + value / 100));
  });
  if (limits.length === 0) return Number.POSITIVE_INFINITY;
  return rules?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(current: number, rules: HPAScalingRules | undefined, memory: Memory, now: number): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = current - changedIn(memory, periodSeconds, now);
    return type === 'Pods' ? before - value : Math.trunc(before * (1 - value / 100));
  });
  if (limits.length === 0) return Number.NEGATIVE_INFINITY;
  // The least change is the one that leaves most.
  return rules?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** By how many the replicas changed in the last seconds. */
function changedIn({ changes }: Memory, seconds: number, now: number): number {
  return changes.filter(({ at }) => at > now - seconds * 1000).reduce((sum, { by }) => sum + by, 0);
}

/** Changes older than all periods of a behavior say nothing. */
export function withChange(
  memory: Memory,
  behavior: HorizontalPodAutoscalerBehavior | undefined,
  by: number,
  at: number,
): Memory {
  if (behavior === undefined) return memory;
  const policies = [behavior.scaleUp, behavior.scaleDown].flatMap((rules) => rules?.policies ?? []);
  const longest = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds * 1000));
  return { ...memory, changes: [...memory.changes.filter((change) => change.at > at - longest), { by, at }] };
}
