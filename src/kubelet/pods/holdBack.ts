/** Leaves out starts that failed a short while ago, and says why those containers wait. Pure but for what it forgets. */
import type { StartFailure } from './containerStart.ts';
import type { Action, Plan, Waiting } from './plan.ts';

/** A start that failed, until it may be tried again. */
export interface ActiveFailure extends StartFailure {
  /** when it failed, in ms since the epoch */
  readonly at: number;
}

export interface HeldPlan {
  readonly actions: readonly Action[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** in ms since the epoch */
  readonly lookAgainAt?: number;
}

/** So long after a failed pull its status turns to back-off. */
const SHOW_BACKOFF_AFTER_MS = 1_000;

/** @param failures by container; those whose time is over are taken out */
export function holdBack(plan: Plan, failures: Map<string, ActiveFailure>, now: number): HeldPlan {
  const waiting = new Map(plan.waiting);
  const times = plan.lookAgainAt === undefined ? [] : [plan.lookAgainAt];
  const actions = plan.actions.filter((action) => {
    if (action.action !== 'startContainer') return true;
    const { name } = action.container;
    const failure = failures.get(name);
    if (failure === undefined) return true;
    if (failure.retryAt <= now) {
      failures.delete(name);
      return true;
    }
    times.push(failure.retryAt);
    waiting.set(name, failure.waiting);
    if (failure.waiting.reason !== 'ErrImagePull') return false;
    if (now - failure.at < SHOW_BACKOFF_AFTER_MS) times.push(failure.at + SHOW_BACKOFF_AFTER_MS);
    else {
      const image = failure.image ?? action.container.image;
      const message = `Back-off pulling image ${JSON.stringify(image)}: ErrImagePull: ${failure.waiting.message}`;
      waiting.set(name, { reason: 'ImagePullBackOff', message });
    }
    return false;
  });
  // The image may be another one by now.
  const names = new Set(plan.waiting.keys());
  for (const name of failures.keys()) if (!names.has(name)) failures.delete(name);
  return { actions, waiting, ...(times.length === 0 ? {} : { lookAgainAt: Math.min(...times) }) };
}
