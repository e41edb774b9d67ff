/**
 * Events of a kind whose objects somebody else converts, on their way into the cache: in order, and together, so that
 * many writes at once do not become as many questions.
 */
import type { StorageConversion } from '../../machinery/kind.ts';
import type { Revision, StorageEvent } from '../../storage/storage.ts';

interface Waiting {
  readonly events: readonly StorageEvent[];
  readonly at: Revision;
}

export interface ConversionQueueOptions {
  readonly conversion: StorageConversion;
  /** @param at everything up to there has been told */
  apply(events: readonly StorageEvent[], at: Revision): void;
  /** They could not be converted: nothing more comes. */
  fail(): void;
}

export class ConversionQueue {
  readonly #options: ConversionQueueOptions;
  #waiting: Waiting[] = [];
  #busy = false;
  #applying = false;
  #stopped = false;

  constructor(options: ConversionQueueOptions) {
    this.#options = options;
  }

  /** Whether something is still on its way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** What needs no conversion, with nothing before it, is applied before this returns. */
  push(events: readonly StorageEvent[], at: Revision): void {
    if (this.#stopped) return;
    this.#waiting.push({ events, at });
    if (!this.#busy && !this.#applying) this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
  }

  #run(): void {
    const { conversion } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const coming = conversion.fromStored(batch.flatMap(({ events }) => events.map(({ kv }) => kv.value)));
      if (coming !== undefined) {
        this.#busy = true;
        coming.then(
          (values) => this.#came(batch, values),
          () => this.#failed(),
        );
        return;
      }
      this.#apply(batch);
    }
  }

  #came(batch: readonly Waiting[], values: readonly Buffer[]): void {
    this.#busy = false;
    if (this.#stopped) return;
    let next = 0;
    this.#apply(batch.map(({ events, at }) => ({ events: events.map((e) => withValue(e, values[next++])), at })));
    this.#run();
  }

  #failed(): void {
    this.#busy = false;
    if (this.#stopped) return;
    this.stop();
    this.#options.fail();
  }

  /** What somebody writes who hears of an event comes after the events that were there. */
  #apply(batch: readonly Waiting[]): void {
    this.#applying = true;
    for (const { events, at } of batch) this.#options.apply(events, at);
    this.#applying = false;
  }
}

function withValue(event: StorageEvent, value: Buffer | undefined): StorageEvent {
  return value === undefined ? event : { ...event, kv: { ...event.kv, value } };
}
