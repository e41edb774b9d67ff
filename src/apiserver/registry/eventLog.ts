/**
 * The recent events of one kind, in order. Every watcher is a place in this log: one that is slow has
 * no buffer of its own, it catches up from here, and is dropped once the log has moved past it.
 */
import { apiError } from '../../machinery/status.ts';
import type { Revision } from '../../storage/storage.ts';
import type { Entry, WatchVerb } from './entry.ts';

export interface CacheEvent {
  readonly type: WatchVerb;
  readonly revision: Revision;
  /** the object now; for a deletion its last state, at the revision of the deletion */
  readonly entry: Entry;
  /** the object before, where there was one */
  readonly previous: Entry | undefined;
}

/** More than this, in number or in bytes of objects, and the oldest go. */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 32 << 20;
/** How much room is made at once, as a share of what there is. */
const DROPPED_SHARE = 4;

export class EventLog {
  #events: CacheEvent[] = [];
  #bytes = 0;
  /** the revision after which every event is here */
  #from: Revision;

  /** @param from events after this revision will be here */
  constructor(from: Revision) {
    this.#from = from;
  }

  add(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.entry.size;
    if (this.#events.length > MAX_EVENTS || this.#bytes > MAX_BYTES) this.#drop();
  }

  #drop(): void {
    const gone = this.#events.splice(0, Math.ceil(this.#events.length / DROPPED_SHARE));
    for (const { entry, revision } of gone) {
      this.#bytes -= entry.size;
      this.#from = revision;
    }
  }

  /** Whether nothing that happened after `revision` has been dropped. */
  reaches(revision: Revision): boolean {
    return revision >= this.#from;
  }

  /** The events after `revision`, one by one. @throws ApiError Expired where they are not kept any more */
  *after(revision: Revision): Generator<CacheEvent> {
    if (!this.reaches(revision)) throw apiError('Expired', `too old resource version: ${revision} (${this.#from})`);
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#events.length; i++) yield this.#events[i] as CacheEvent;
  }
}
