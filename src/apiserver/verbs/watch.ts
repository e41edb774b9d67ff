/**
 * WATCH: what happens to the selected objects, from a revision on.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import type { Timer } from '../../lib/clock.ts';
import type { Kind } from '../../machinery/kind.ts';
import { badRequest, isApiError } from '../../machinery/status.ts';
import type { Answer, WatchItem, WatchSink } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { CacheEvent, WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';
import { isTrue } from '../stages/route.ts';
import { parseResourceVersion } from './get.ts';
import { type Selection, selectionOf } from './selection.ts';

const BOOKMARK_EVERY_MS = 60_000;
/** Watches end by themselves after 30 to 60 minutes, so that clients spread over servers. */
const LEAST_TIMEOUT_MS = 30 * 60_000;

interface WatchOptions {
  readonly selection: Selection;
  /** undefined: begin with what is there; a number: go on behind that revision */
  readonly after: number | undefined;
  /** at what revision the state to begin with must be */
  readonly initial: 'none' | 'state' | 'stream';
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

export function watchVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const options = optionsOf(parts, ctx, kind);
  const cache = parts.registry.cache(kind);
  const fresh = cache.freshen();
  const start = (): Answer => {
    // A watch that cannot go on from where it was asked to is refused before it begins.
    if (options.after !== undefined && options.after <= cache.revision) cache.since(options.after);
    return { type: 'watch', kind, open: (sink) => new Watch(parts, cache, options, sink) };
  };
  return fresh === undefined ? start() : fresh.then(start);
}

function optionsOf(parts: ApiServerParts, ctx: RequestContext, kind: Kind): WatchOptions {
  const { query } = ctx;
  const version = query.get('resourceVersion') ?? '';
  const sendInitial = query.get('sendInitialEvents');
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  const match = query.get('resourceVersionMatch') ?? '';
  if (sendInitial !== null && match !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (sendInitial === null && match !== '') {
    throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  }
  const streaming = sendInitial !== null && isTrue(sendInitial);
  const seconds = Number(query.get('timeoutSeconds') ?? '0');
  const fromNow = sendInitial !== null && !streaming;
  const initial = streaming ? 'stream' : !fromNow && (version === '' || version === '0') ? 'state' : 'none';
  return {
    selection: selectionOf(ctx, kind),
    initial,
    after: initial === 'none' && version !== '' && version !== '0' ? parseResourceVersion(version) : undefined,
    bookmarks,
    timeoutMs: seconds > 0 ? seconds * 1000 : LEAST_TIMEOUT_MS * (1 + parts.random.float()),
  };
}

class Watch {
  readonly #sink: WatchSink;
  readonly #cache: WatchCache;
  readonly #options: WatchOptions;
  readonly #parts: ApiServerParts;
  #unlisten: (() => void) | undefined;
  #timeout: Timer | undefined;
  #bookmark: Timer | undefined;
  #closed = false;

  constructor(parts: ApiServerParts, cache: WatchCache, options: WatchOptions, sink: WatchSink) {
    this.#parts = parts;
    this.#cache = cache;
    this.#options = options;
    this.#sink = sink;
    this.#begin();
    // From here on nothing has run in between: no event is missed and none comes twice.
    if (this.#closed) return;
    this.#unlisten = cache.listen({ onEvent: (e) => this.#deliver(e), onEnd: () => this.#end() });
    this.#timeout = parts.clock.after(options.timeoutMs, () => this.#end());
    if (options.bookmarks) this.#armBookmark();
  }

  #begin(): void {
    const { initial, selection, after, bookmarks } = this.#options;
    if (initial !== 'none') {
      for (const entry of this.#cache.entries(selection.namespace)) {
        if (selection.matches === undefined || selection.matches(entry)) this.#send({ type: 'ADDED', entry });
      }
    }
    if (initial === 'stream' && bookmarks) {
      this.#send({ type: 'BOOKMARK', revision: this.#cache.revision, initialEventsEnd: true });
    }
    if (after === undefined) return;
    try {
      for (const event of this.#cache.since(after)) this.#deliver(event);
    } catch (error) {
      if (!isApiError(error)) throw error;
      this.#send({ type: 'ERROR', status: error.status as never });
      this.#end();
    }
  }

  #deliver(event: CacheEvent): void {
    const { selection, after } = this.#options;
    // A client may ask for a revision that this server has not reached yet.
    if (after !== undefined && event.revision <= after) return;
    if (selection.namespace !== undefined && this.#cache.kind.namespaced && !this.#isIn(event, selection.namespace)) return;
    const item = translate(event, selection);
    if (item !== undefined) this.#send(item);
  }

  #isIn(event: CacheEvent, namespace: string): boolean {
    return event.entry.key.startsWith(this.#cache.keyOf(namespace, ''));
  }

  #send(item: WatchItem): void {
    if (this.#closed) return;
    if (!this.#sink.send(item)) this.#end();
  }

  #armBookmark(): void {
    this.#bookmark = this.#parts.clock.after(BOOKMARK_EVERY_MS, () => {
      this.#send({ type: 'BOOKMARK', revision: this.#cache.revision, initialEventsEnd: false });
      if (!this.#closed) this.#armBookmark();
    });
  }

  #end(): void {
    if (this.#closed) return;
    this.close();
    this.#sink.end();
  }

  close(): void {
    this.#closed = true;
    this.#unlisten?.();
    this.#timeout?.cancel();
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
