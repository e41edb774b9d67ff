/** Looks at the runtime: when it says that something happened, after our own actions, and now and then. */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { RuntimeObserver } from './observed.ts';

/** The runtime is looked at this often though it reports nothing. */
const RELIST_MS = 10_000;
/** Events come in groups: one look is enough for those that come together. */
const GATHER_MS = 5;
/** How soon a broken event stream is opened again; there is a look each time, so nothing is missed for longer. */
const RESUBSCRIBE_MS = 1_000;

export interface RuntimeWatchOptions {
  readonly runtime: ContainerRuntime;
  readonly observer: RuntimeObserver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The runtime has other news of these pods than before. */
  onChange(uids: ReadonlySet<string>): void;
}

/** Never looks twice at once. */
export class RuntimeWatch {
  readonly #o: RuntimeWatchOptions;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #gathering: Timer | undefined;
  /** Resolves after the first look that succeeded. */
  readonly first: Promise<void>;
  #markFirst: () => void = () => {};
  #failing = false;

  constructor(options: RuntimeWatchOptions) {
    this.#o = options;
    this.first = new Promise((resolve, reject) => {
      const stop = () => reject(options.signal.reason);
      options.signal.addEventListener('abort', stop, { once: true });
      this.#markFirst = () => {
        options.signal.removeEventListener('abort', stop);
        resolve();
      };
    });
    // Nobody need wait for it.
    this.first.catch(() => {});
  }

  start(): void {
    this.#subscribe();
    this.#again(0);
  }

  #again(ms: number): void {
    this.#o.clock.after(ms, () => {
      if (this.#o.signal.aborted) return;
      void this.#tryLook().then((ok) => this.#again(ok ? RELIST_MS : RESUBSCRIBE_MS));
    });
  }

  #subscribe(): void {
    const { runtime, clock, log, signal } = this.#o;
    runtime.subscribe(
      () => {
        this.#gathering ??= clock.after(GATHER_MS, () => {
          this.#gathering = undefined;
          void this.#tryLook();
        });
      },
      () => {
        log.debug('the event stream of the container runtime ended; it is opened again');
        clock.after(RESUBSCRIBE_MS, () => {
          if (signal.aborted) return;
          this.#subscribe();
          void this.#tryLook();
        });
      },
      signal,
    );
  }

  async #tryLook(): Promise<boolean> {
    try {
      await this.look();
      if (this.#failing) this.#o.log.info('the container runtime answers again');
      this.#failing = false;
      return true;
    } catch (error) {
      if (!this.#failing && !this.#o.signal.aborted)
        this.#o.log.warn('the container runtime does not answer', { err: error });
      this.#failing = true;
      return false;
    }
  }

  /** Resolves after a look that began no earlier than now. @throws RuntimeError */
  look(): Promise<void> {
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#underWay = this.#o.observer
      .look()
      .then((changed) => {
        this.#markFirst();
        this.#o.onChange(changed);
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }
}
