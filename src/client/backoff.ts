/** How long to wait before trying again. */
import type { Random } from '../lib/random.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  /** each wait is up to this share longer, so that many clients do not come back at the same moment */
  readonly jitter: number;
}

/** Waits that double from `firstMs` to `longestMs`, until `reset`. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const { firstMs, longestMs, jitter } = this.#options;
    const base = Math.min(longestMs, firstMs * 2 ** this.#failures);
    if (base < longestMs) this.#failures++;
    return base * (1 + jitter * this.#random.float());
  }

  reset(): void {
    this.#failures = 0;
  }
}
