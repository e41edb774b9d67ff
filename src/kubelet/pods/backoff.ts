/** How long a container that keeps failing, or an image that cannot be pulled, waits for its next try. */
const FIRST_MS = 10_000;
const LONGEST_MS = 5 * 60_000;
/** A run this long counts as success: the next failure is the first again. */
const RESET_AFTER_MS = 10 * 60_000;

interface Entry {
  delayMs: number;
  /** what the delay was last raised for, so that one failure counts once */
  lastFailure: number;
}

export class FailureBackoff {
  readonly #entries = new Map<string, Entry>();

  /**
   * Until when to wait after a failure at `failedAt` (ms since the epoch). Asked again for the same
   * failure it answers the same.
   * @param first what a key waits after its first failure; absent means not at all
   */
  until(key: string, failedAt: number, first = 0): number {
    const entry = this.#entries.get(key);
    if (entry === undefined || failedAt - entry.lastFailure > RESET_AFTER_MS + entry.delayMs) {
      this.#entries.set(key, { delayMs: first, lastFailure: failedAt });
      return failedAt + first;
    }
    if (failedAt > entry.lastFailure) {
      entry.delayMs = entry.delayMs === 0 ? FIRST_MS : Math.min(entry.delayMs * 2, LONGEST_MS);
      entry.lastFailure = failedAt;
    }
    return entry.lastFailure + entry.delayMs;
  }

  /** The wait that is in force, without counting a failure. */
  current(key: string): number | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : entry.lastFailure + entry.delayMs;
  }

  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

export const FIRST_BACKOFF_MS = FIRST_MS;
