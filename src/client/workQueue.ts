/**
 * A queue of keys to work on. A key waits there once, however often it is added; it is never worked on
 * twice at the same time; added while it is worked on, it comes again afterwards. A key whose work fails
 * comes again later, each time twice as late. The length is bounded by the number of distinct keys.
 */
import type { Clock, Timer } from '../lib/clock.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** how many keys are worked on at once */
  readonly workers: number;
  /** Works on a key. When it rejects, `onError` is told and the key comes again later. */
  work(key: string): Promise<void>;
  onError(key: string, error: unknown): void;
  /** ends the queue: nothing new is begun */
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 5;
const LONGEST_RETRY_MS = 1_000_000;
/** After so many keys in a row other work of the process has its turn. */
const KEYS_PER_TURN = 32;

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** in the order in which they will be worked on */
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  /** added while worked on */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { at: number; timer: Timer }>();
  #begun = 0;
  #scheduled = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#clear(), { once: true });
  }

  /** Keys that wait, without those whose time has not come. */
  get length(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#options.signal.aborted) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#schedule();
  }

  /** Adds the key after `ms`; of several such times the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const { clock, signal } = this.#options;
    if (signal.aborted) return;
    const at = clock.monotonic() + ms;
    const pending = this.#timers.get(key);
    if (pending !== undefined) {
      if (pending.at <= at) return;
      pending.timer.cancel();
    }
    const timer = clock.after(ms, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, timer });
  }

  /** Adds the key after a time that doubles with each failure since its work last went well: 5 ms to 1000 s. */
  #addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 30)));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#begun < KEYS_PER_TURN) queueMicrotask(() => this.#begin());
    else {
      this.#options.clock.soon(() => {
        this.#begun = 0;
        this.#begin();
      });
    }
  }

  #begin(): void {
    this.#scheduled = false;
    const { workers, signal } = this.#options;
    for (const key of this.#waiting) {
      if (signal.aborted || this.#working.size >= workers) return;
      if (this.#begun >= KEYS_PER_TURN) {
        this.#schedule();
        return;
      }
      this.#begun++;
      this.#waiting.delete(key);
      this.#working.add(key);
      void this.#work(key);
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      if (!this.#options.signal.aborted) {
        this.#options.onError(key, error);
        this.#addRateLimited(key);
      }
    } finally {
      this.#working.delete(key);
      if (this.#again.delete(key)) this.add(key);
      else if (this.#waiting.size > 0) this.#schedule();
    }
  }

  #clear(): void {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#waiting.clear();
    this.#again.clear();
    this.#failures.clear();
  }
}
