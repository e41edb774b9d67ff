/** A wait that news ends early. */
import type { Clock } from './clock.ts';

/**
 * For loops that look every so often, and at once when they are told to. No signals are put together for it: of those
 * that a long-lived signal has, each that is collected makes the engine look at all the others.
 */
export class WakeableSleep {
  #news = false;
  #end: (() => void) | undefined;

  /** Ends the wait that is going on, or else the next one. */
  wake(): void {
    this.#news = true;
    this.#end?.();
  }

  /** One wait at a time. @throws the signal's reason */
  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#news) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(ms, resolve, { ref: true });
        this.#end = () => {
          timer.cancel();
          resolve();
        };
        signal.addEventListener('abort', this.#end, { once: true });
      });
      // Set in the promise, which runs at once.
      signal.removeEventListener('abort', this.#end as unknown as () => void);
      this.#end = undefined;
    }
    this.#news = false;
    signal.throwIfAborted();
  }
}
