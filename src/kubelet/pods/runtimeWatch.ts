/** Looks at the runtime: when it says that something happened, after our own actions, and now and then. */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { RuntimeObserver } from './observed.ts';

/** The runtime is looked at this often though it reports nothing; it may have events that never come. */
const RELIST_MS = 10_000;
/** … and this often where it tells of everything. */
const RARE_RELIST_MS = 600_000;
/** Events come in groups: one look is enough for those that come together. */
const GATHER_MS = 5;
/** How soon a broken event stream is opened again; there is a look each time, so nothing is missed for longer. */
const RESUBSCRIBE_MS = 1_000;
/** A container that ended and is still shown as running is looked at again this soon, and so often. */
const EXIT_LOOK_MS = 20;
const MAX_EXIT_LOOKS = 100;

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
  /** what is known to have ended, with how often it was looked for since */
  readonly #exited = new Map<string, number>();
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
        this.#markFirst = () => {};
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
      const next = this.#o.runtime.tellsAll === true ? RARE_RELIST_MS : RELIST_MS;
      void this.#tryLook().then((ok) => this.#again(ok ? next : RESUBSCRIBE_MS));
    });
  }

  #subscribe(): void {
    const { runtime, clock, log, signal } = this.#o;
    runtime.subscribe(
      (exited) => {
        if (exited !== undefined) this.#exited.set(exited, 0);
        this.#soon(GATHER_MS);
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

  #soon(ms: number): void {
    this.#gathering ??= this.#o.clock.after(ms, () => {
      this.#gathering = undefined;
      void this.#tryLook();
    });
  }

  /** The runtime takes note of an exit a little after it tells of it. */
  #awaitExits(): void {
    for (const [id, looks] of this.#exited) {
      if (looks >= MAX_EXIT_LOOKS || !this.#o.observer.isAlive(id)) this.#exited.delete(id);
      else this.#exited.set(id, looks + 1);
    }
    if (this.#exited.size > 0) this.#soon(EXIT_LOOK_MS);
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
        this.#awaitExits();
        this.#o.onChange(changed);
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }
}
