/**
 * WATCH: what happens to the selected objects, from a revision on.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import type { Timer } from '../../lib/clock.ts';
import type { Kind } from '../../machinery/kind.ts';
import type { Answer, RunningWatch, WatchItem, WatchSink } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Entry } from '../registry/entry.ts';
import type { CacheEvent } from '../registry/eventLog.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';
import { isTrue } from '../stages/route.ts';
import { statusOf } from '../statusOf.ts';
import { parseResourceVersion } from './get.ts';
import { assertWatchOptions, wholeNumberOf } from './listOptions.ts';
import { type Selection, selectionOf } from './selection.ts';

const BOOKMARK_EVERY_MS = 60_000;
/** Watches end by themselves after 30 to 60 minutes, so that clients spread over servers. */
const LEAST_TIMEOUT_MS = 30 * 60_000;

interface WatchOptions {
  readonly selection: Selection;
  /** go on behind that revision; undefined: from now on */
  readonly after: number | undefined;
  /** whether the state comes first, and whether its end is told */
  readonly initial: 'none' | 'state' | 'stream';
  /** the state must be at least as new as this */
  readonly notOlderThan: number;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

export function watchVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const options = optionsOf(parts, ctx, kind);
  const cache = parts.registry.cache(kind);
  const start = (): Answer => ({ type: 'watch', kind, open: (sink) => new Watch(parts, cache, options, sink) });
  const fresh = cache.freshen();
  if (fresh === undefined && cache.revision >= options.notOlderThan) return start();
  return (fresh ?? Promise.resolve()).then(() => cache.waitFor(options.notOlderThan)).then(start);
}

/** @throws ApiError BadRequest, Invalid */
function optionsOf(parts: ApiServerParts, ctx: RequestContext, kind: Kind): WatchOptions {
  const { query } = ctx;
  const version = query.get('resourceVersion') ?? '';
  const sendInitial = query.get('sendInitialEvents');
  assertWatchOptions(query);
  const seconds = wholeNumberOf(ctx, 'timeoutSeconds');
  const fromStart = version === '' || version === '0';
  const streaming = sendInitial !== null && isTrue(sendInitial);
  const initial = streaming ? 'stream' : sendInitial === null && fromStart ? 'state' : 'none';
  const revision = fromStart ? undefined : parseResourceVersion(version);
  return {
    selection: selectionOf(ctx, kind),
    initial,
    after: initial === 'none' ? revision : undefined,
    notOlderThan: initial === 'none' ? 0 : (revision ?? 0),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutMs: seconds > 0 ? seconds * 1000 : LEAST_TIMEOUT_MS * (1 + parts.random.float()),
  };
}

/**
 * A watch is a place in the cache's log of events. As long as its client takes what it is sent, events
 * go out in the turn in which they happen. When the client is full the watch stands still, holding
 * nothing, and goes on from its place when there is room; if the log has moved past it by then, it ends.
 */
class Watch implements RunningWatch {
  readonly #sink: WatchSink;
  readonly #cache: WatchCache;
  readonly #options: WatchOptions;
  readonly #parts: ApiServerParts;
  /** what is left of the state that comes first */
  #initial: Iterator<Entry> | undefined;
  /** every event up to here was sent, or is not for this watch */
  #place: number;
  #paused = false;
  #closed = false;
  readonly #unlisten: () => void;
  readonly #timeout: Timer;
  #bookmark: Timer | undefined;

  constructor(parts: ApiServerParts, cache: WatchCache, options: WatchOptions, sink: WatchSink) {
    const { initial, after, selection } = options;
    this.#parts = parts;
    this.#cache = cache;
    this.#options = options;
    this.#sink = sink;
    // A client may ask for a revision that is still to come.
    this.#place = after ?? cache.revision;
    if (initial !== 'none') this.#initial = cache.entries(selection.namespace)[Symbol.iterator]();
    this.#unlisten = cache.listen({ onEvent: (e) => this.#onEvent(e), onEnd: () => this.#end(false) }, selection.only);
    this.#timeout = parts.clock.after(options.timeoutMs, () => this.#end(false));
    if (options.bookmarks) this.#armBookmark();
    this.resume();
  }

  resume(): void {
    this.#paused = false;
    this.#guarded(() => {
      this.#sendInitial();
      if (!this.#stopped) for (const event of this.#cache.since(this.#place)) this.#deliver(event, false);
    });
  }

  /** A watch that fails ends, and nothing else does: it runs where writes are handed out to all. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      const status = statusOf(error, this.#parts, { path: this.#cache.kind.plural, verb: 'watch' });
      try {
        this.#send({ type: 'ERROR', status });
      } catch {
        // It was the watcher itself that failed.
      }
      this.#end(false);
    }
  }

  get #stopped(): boolean {
    return this.#paused || this.#closed;
  }

  #sendInitial(): void {
    if (this.#initial === undefined) return;
    const { selection, initial, bookmarks } = this.#options;
    while (!this.#stopped) {
      const { value: entry, done } = this.#initial.next();
      if (done === true) {
        this.#initial = undefined;
        if (initial === 'stream' && bookmarks) this.#sendBookmark(true);
        return;
      }
      if (selection.matches !== undefined && !selection.matches(entry)) continue;
      this.#send({ type: 'ADDED', entry });
      entry.forgetEvent();
    }
  }

  #onEvent(event: CacheEvent): void {
    if (!this.#paused) this.#guarded(() => this.#deliver(event, true));
    // The client has not read for so long that what it missed is not kept any more.
    else if (!this.#cache.reaches(this.#place)) this.#end(true);
  }

  #deliver(event: CacheEvent, live: boolean): void {
    if (this.#stopped || event.revision <= this.#place) return;
    this.#place = event.revision;
    const { selection } = this.#options;
    if (selection.prefix !== undefined && !event.entry.key.startsWith(selection.prefix)) return;
    const item = translate(event, selection);
    if (item === undefined) return;
    this.#send(item);
    if (!live) event.entry.forgetEvent();
  }

  #send(item: WatchItem): void {
    if (!this.#closed && !this.#sink.send(item)) this.#paused = true;
  }

  #armBookmark(): void {
    this.#bookmark = this.#parts.clock.after(BOOKMARK_EVERY_MS, () => {
      // While the watch is behind, a bookmark would skip what it has not been sent.
      if (!this.#stopped && this.#initial === undefined) this.#sendBookmark(false);
      if (!this.#closed) this.#armBookmark();
    });
  }

  #sendBookmark(initialEventsEnd: boolean): void {
    // After the state that came first: the revision at which that was. Later: now.
    const revision = initialEventsEnd ? this.#place : Math.max(this.#place, this.#cache.revision);
    this.#send({ type: 'BOOKMARK', revision, initialEventsEnd });
  }

  #end(behind: boolean): void {
    if (this.#closed) return;
    this.close();
    this.#sink.end(behind);
  }

  close(): void {
    this.#closed = true;
    this.#unlisten();
    this.#timeout.cancel();
    this.#bookmark?.cancel();
  }
}

/** With a selector, an object that enters the selection is added, and one that leaves it is deleted. */
function translate(event: CacheEvent, selection: Selection): WatchItem | undefined {
  const { type, entry, previous } = event;
  const { matches } = selection;
  if (matches === undefined) return { type, entry };
  const was = previous !== undefined && matches(previous);
  if (type === 'DELETED') return was ? { type, entry } : undefined;
  const is = matches(entry);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', entry };
  return was ? { type: 'DELETED', entry: previous.at(entry.revision) } : undefined;
}
