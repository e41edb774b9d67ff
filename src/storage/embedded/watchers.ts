/** The open watches of a store, and the handing out of events to them. */
import type { KeyRange, Revision, StorageEvent, StorageWatch, WatchHandlers, WatchRequest } from '../storage.ts';

type EndReason = Parameters<WatchHandlers['onEnd']>[0];

class Watcher implements StorageWatch {
  readonly range: KeyRange;
  readonly handlers: WatchHandlers;
  readonly previous: boolean;
  readonly #close: (watcher: Watcher) => void;

  constructor(request: WatchRequest, handlers: WatchHandlers, close: (watcher: Watcher) => void) {
    this.range = request;
    this.previous = request.previous === true;
    this.handlers = handlers;
    this.#close = close;
  }

  close(): void {
    this.#close(this);
  }
}

/** Whether a key lies in a range. */
export function inRange(range: KeyRange, key: string): boolean {
  return range.end === undefined ? key === range.key : key >= range.key && key < range.end;
}

export class Watchers {
  readonly #watchers = new Set<Watcher>();

  /** Opens a watch that has been told of everything before now. */
  add(request: WatchRequest, handlers: WatchHandlers): StorageWatch {
    const watcher = new Watcher(request, handlers, (w) => this.#watchers.delete(w));
    this.#watchers.add(watcher);
    return watcher;
  }

  /** Hands out the events of whole revisions, ascending. A hot path: once for each group commit. */
  deliver(events: readonly StorageEvent[], revision: Revision): void {
    for (const watcher of this.#watchers) {
      const matching = select(watcher, events);
      if (matching.length > 0) watcher.handlers.onEvents(matching, revision);
    }
  }

  progress(revision: Revision): void {
    for (const watcher of this.#watchers) watcher.handlers.onProgress?.(revision);
  }

  endAll(reason: EndReason): void {
    const all = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of all) watcher.handlers.onEnd(reason);
  }
}

function select(watcher: Watcher, events: readonly StorageEvent[]): readonly StorageEvent[] {
  const out: StorageEvent[] = [];
  for (const event of events) {
    if (!inRange(watcher.range, event.kv.key)) continue;
    out.push(watcher.previous || event.previous === undefined ? event : { ...event, previous: undefined });
  }
  return out;
}
