/** Work that many changes ask for, and that is done once for those that come together; again where it fails. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

const GATHER_MS = 20;
const RETRY_MS = 2_000;

export interface GatheredWorkOptions {
  /** told of a failure */
  readonly what: string;
  work(): Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export class GatheredWork {
  readonly #o: GatheredWorkOptions;
  #due = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: GatheredWorkOptions) {
    this.#o = options;
  }

  /** Never two at a time. */
  soon(ms = GATHER_MS): void {
    const { clock, log, signal, what } = this.#o;
    if (this.#due || signal.aborted) return;
    this.#due = true;
    clock.after(ms, () => {
      this.#due = false;
      this.#work = this.#work
        .then(() => this.#o.work())
        .catch((err: unknown) => {
          if (signal.aborted) return;
          log.warn(`${what}; it is tried again`, { err });
          this.soon(RETRY_MS);
        });
    });
  }
}
