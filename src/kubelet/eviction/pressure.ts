/**
 * Which thresholds are passed, which conditions the node has for it, and what is to be freed. Pure: what it was
 * before comes in, what it is now goes out.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
 */
import { amountOf, type PressureCondition, SIGNALS, type Signal, type Threshold } from './thresholds.ts';

/** What there is of something and what is left, in bytes or pieces. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}

export type Observations = ReadonlyMap<Signal, Observation>;

export interface PressureState {
  /** when each threshold that is passed was seen to be, in ms */
  readonly passedSince: ReadonlyMap<Threshold, number>;
  /** when each condition was seen last, in ms */
  readonly seenAt: ReadonlyMap<PressureCondition, number>;
  /** those for which something was to be freed at the last look */
  readonly urgent: readonly Threshold[];
  readonly conditions: ReadonlySet<PressureCondition>;
}

export const NO_PRESSURE: PressureState = {
  passedSince: new Map(),
  seenAt: new Map(),
  urgent: [],
  conditions: new Set(),
};

/** Whether there is less left than the threshold says. */
export function isPassed(threshold: Threshold, observations: Observations, withReclaim: boolean): boolean {
  const seen = observations.get(threshold.signal);
  if (seen === undefined) return false;
  const least = amountOf(threshold.value, seen.capacity);
  const more = withReclaim && threshold.reclaim !== undefined ? amountOf(threshold.reclaim, seen.capacity) : 0;
  return least + more > seen.available;
}

/** @param now ms; @param transitionMs for how long a condition stays after it was seen */
export function pressureAfter(
  before: PressureState,
  thresholds: readonly Threshold[],
  observations: Observations,
  now: number,
  transitionMs: number,
): PressureState {
  // One that made pods go holds until a little more is free than it says.
  const passed = thresholds.filter((t) => isPassed(t, observations, before.urgent.includes(t)));
  const passedSince = new Map(passed.map((t) => [t, before.passedSince.get(t) ?? now]));
  const seenAt = new Map(before.seenAt);
  for (const { signal } of passed) seenAt.set(SIGNALS[signal].condition, now);
  const conditions = new Set<PressureCondition>();
  for (const [condition, at] of seenAt) {
    if (now - at < transitionMs || at === now) conditions.add(condition);
    else seenAt.delete(condition);
  }
  const urgent = passed.filter((t) => now - (passedSince.get(t) ?? now) >= t.graceMs).sort(byUrgency);
  return { passedSince, seenAt, urgent, conditions };
}

/** Memory first, as the kernel kills without asking; hard ones before soft ones. */
function byUrgency(a: Threshold, b: Threshold): number {
  const memory = Number(b.signal === 'memory.available') - Number(a.signal === 'memory.available');
  return memory === 0 ? Number(b.hard) - Number(a.hard) : memory;
}
