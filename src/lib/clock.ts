/**
 * Time, handed in. Every part of kubets that waits or asks what time it is does so
 * through a Clock, so that a whole cluster can run in virtual time.
 *
 * This file and `random.ts` are the only ones that may name `Date.now`,
 * `setTimeout` or `Math.random`; the linter holds the others to it.
 */

import { Heap } from './heap.ts';

/** A timer that was set; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds that only ever rise; for measuring durations. */
  monotonic(): number;
  /** Calls `fn` once after `ms` milliseconds. Timers do not keep the process alive unless `ref` is true. */
  after(ms: number, fn: () => void, options?: { ref?: boolean }): Timer;
  /** Calls `fn` in a later turn of the event loop, when other work of the process has had its turn. */
  soon(fn: () => void): void;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout overflows above this (2^31 - 1 ms, 24.8 days). */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

abstract class BaseClock implements Clock {
  abstract now(): number;
  abstract monotonic(): number;
  abstract after(ms: number, fn: () => void, options?: { ref?: boolean }): Timer;
  abstract soon(fn: () => void): void;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.after(
        ms,
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        { ref: true },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** The machine's own clock. */
export class SystemClock extends BaseClock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, fn: () => void, options?: { ref?: boolean }): Timer {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST_TIMEOUT_MS));
    if (!options?.ref) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }
}

interface Pending {
  at: number;
  sequence: number;
  /** undefined: cancelled */
  fn: (() => void) | undefined;
}

/** A clock that stands still until `advance` moves it; timers fire in the order of their time. */
export class VirtualClock extends BaseClock {
  #now: number;
  readonly #start: number;
  #sequence = 0;
  /** what was put off to a later turn and has not had it yet */
  #putOff = 0;
  readonly #pending = new Heap<Pending>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));

  /** @param start milliseconds since the Unix epoch */
  constructor(start = Date.UTC(2026, 0, 1)) {
    super();
    this.#now = start;
    this.#start = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#start;
  }

  after(ms: number, fn: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(0, ms), sequence: this.#sequence++, fn };
    this.#pending.push(entry);
    return {
      cancel: () => {
        // It goes when its time comes; what it holds goes now.
        entry.fn = undefined;
      },
    };
  }

  soon(fn: () => void): void {
    this.#putOff++;
    setImmediate(() => {
      this.#putOff--;
      fn();
    });
  }

  /** Moves time on by `ms`, firing each timer at its moment and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settle();
    for (;;) {
      const next = this.#pending.peek();
      if (next === undefined || next.at > end) break;
      this.#pending.pop();
      if (next.fn === undefined) continue;
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await this.#settle();
    }
    this.#now = end;
  }

  /** Lets everything that can run without time passing do so. */
  async #settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#putOff > 0);
  }
}
