/** How often it is said that the volumes of a pod cannot be made, and how soon it is tried again. */

/** What failed last, and when it is said again. */
export interface MountFailure {
  readonly message: string;
  /** how long after it was said it is said again, in ms */
  readonly delayMs: number;
  /** in ms since the epoch */
  readonly sayAgainAt: number;
}

const FIRST_MS = 500;
const LONGEST_MS = 122_000;
/** Trying costs little, and who waits for a Secret is to have it soon. */
const LONGEST_RETRY_MS = 2_000;

/** Counts a failure. What stays the same is said ever more rarely, as Kubernetes does that tries no more often. */
export function mountFailed(
  message: string,
  before: MountFailure | undefined,
  now: number,
): { readonly failure: MountFailure; readonly say: boolean; readonly retryMs: number } {
  if (before === undefined || before.message !== message) {
    const failure = { message, delayMs: FIRST_MS, sayAgainAt: now + FIRST_MS };
    return { failure, say: true, retryMs: FIRST_MS };
  }
  if (now < before.sayAgainAt)
    return { failure: before, say: false, retryMs: Math.min(LONGEST_RETRY_MS, before.sayAgainAt - now) };
  const delayMs = Math.min(before.delayMs * 2, LONGEST_MS);
  const failure = { message, delayMs, sayAgainAt: now + delayMs };
  return { failure, say: true, retryMs: Math.min(LONGEST_RETRY_MS, delayMs) };
}
