/**
 * The open watches of a store. A watch that starts in the past reads the history in slices, and joins
 * the live ones at the moment when it has caught up: between the two nothing can come.
 */
import type { Revision, StorageEvent, StorageWatch, WatchHandlers, WatchRequest } from '../storage.ts';
import { inRange } from './keyIndex.ts';

type EndReason = Parameters<WatchHandlers['onEnd']>[0];

/** What the watchers read the past from. */
export interface HistorySource {
  /** the last durable revision */
  readonly durable: Revision;
  /** the oldest revision whose history is kept */
  readonly compacted: Revision;
  /** Events in the request's range of whole revisions from `from` to `upTo`, ascending. @throws where it cannot read */
  slice(request: WatchRequest, from: Revision): { events: StorageEvent[]; upTo: Revision };
  /** The event with the state of its key before. */
  withPrevious(event: StorageEvent): StorageEvent;
}

interface Watcher {
  readonly request: WatchRequest;
  readonly handlers: WatchHandlers;
  /** the first revision of which it has not been told */
  next: Revision;
  /** asked for progress while it was catching up */
  progress: boolean;
  open: boolean;
}

export class Watchers {
  readonly #source: HistorySource;
  readonly #live = new Set<Watcher>();
  readonly #behind = new Set<Watcher>();

  constructor(source: HistorySource) {
    this.#source = source;
  }

  open(request: WatchRequest, handlers: WatchHandlers): StorageWatch {
    const next = request.startRevision ?? this.#source.durable + 1;
    const watcher: Watcher = { request, handlers, next, progress: false, open: true };
    if (next > this.#source.durable) this.#live.add(watcher);
    else {
      this.#behind.add(watcher);
      queueMicrotask(() => this.#catchUp(watcher));
    }
    return {
      close: () => {
        watcher.open = false;
        this.#live.delete(watcher);
        this.#behind.delete(watcher);
      },
    };
  }

  /** Hands out the events of whole revisions up to `revision`, ascending. A hot path: once for each group commit. */
  deliver(events: readonly StorageEvent[], revision: Revision): void {
    for (const watcher of [...this.#live]) {
      const matching = this.#select(watcher, events);
      if (watcher.next <= revision) watcher.next = revision + 1;
      if (watcher.open && matching.length > 0) watcher.handlers.onEvents(matching, revision);
    }
  }

  /** Tells every watch that it has been told of everything up to now, those that catch up as soon as they have. */
  progress(): void {
    const revision = this.#source.durable;
    for (const watcher of this.#behind) watcher.progress = true;
    for (const watcher of [...this.#live]) if (watcher.open) watcher.handlers.onProgress?.(revision);
  }

  endAll(reason: EndReason): void {
    for (const watcher of [...this.#live, ...this.#behind]) this.#end(watcher, reason);
  }

  #catchUp(watcher: Watcher): void {
    if (!watcher.open) return;
    const { compacted } = this.#source;
    if (watcher.next < compacted) {
      this.#end(watcher, { compacted });
      return;
    }
    let slice: ReturnType<HistorySource['slice']>;
    try {
      slice = this.#source.slice(watcher.request, watcher.next);
    } catch (error) {
      this.#end(watcher, { error: error as Error });
      return;
    }
    watcher.next = slice.upTo + 1;
    const caughtUp = watcher.next > this.#source.durable;
    if (caughtUp) {
      this.#behind.delete(watcher);
      this.#live.add(watcher);
    }
    if (slice.events.length > 0) watcher.handlers.onEvents(slice.events, slice.upTo);
    if (!caughtUp) setImmediate(() => this.#catchUp(watcher));
    else if (watcher.progress && watcher.open) watcher.handlers.onProgress?.(slice.upTo);
  }

  #select({ request, next }: Watcher, events: readonly StorageEvent[]): readonly StorageEvent[] {
    const out: StorageEvent[] = [];
    for (const event of events) {
      if (event.kv.modRevision < next || !inRange(request, event.kv.key)) continue;
      out.push(request.previous === true ? this.#source.withPrevious(event) : event);
    }
    return out;
  }

  #end(watcher: Watcher, reason: EndReason): void {
    this.#live.delete(watcher);
    this.#behind.delete(watcher);
    if (!watcher.open) return;
    watcher.open = false;
    watcher.handlers.onEnd(reason);
  }
}
