/**
 * All objects of one kind in memory, fed by a watch of the store, and the recent events for watchers
 * that start in the past. GET, LIST and WATCH are answered from here.
 */
import { type Kind, type KubeObject, type Stored, storagePrefix } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { prefixEnd, type Revision, type Storage, type StorageEvent, type StorageWatch } from '../../storage/storage.ts';
import { Entry } from './entry.ts';

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: Revision;
  /** the object now; for a deletion its last state, at the revision of the deletion */
  readonly entry: Entry;
  /** the object before, where there was one */
  readonly previous: Entry | undefined;
}

/** Hears of events in order; must not throw and must not block. */
export interface CacheListener {
  onEvent(event: CacheEvent): void;
  /** The cache ends or had to start anew: whoever listens must list again. */
  onEnd(): void;
}

/** Watches may start this many events in the past. */
const KEPT_EVENTS = 10_000;
/** A read that cannot be answered from fresh enough state gives up after this. */
const FRESHNESS_TIMEOUT_MS = 3_000;

export class WatchCache<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly #prefix: string;
  readonly #storage: Storage;
  readonly #entries = new Map<string, Entry>();
  /** keys in order, made anew when a list is asked for after keys came or went */
  #sorted: Entry[] | undefined;
  /** recent events, ascending; those before `#eventsFrom` are gone */
  #events: CacheEvent[] = [];
  #eventsFrom: Revision = 0;
  #revision: Revision = 0;
  #started: Promise<void> | undefined;
  #ready = false;
  #watch: StorageWatch | undefined;
  readonly #listeners = new Set<CacheListener>();
  #waiting: { revision: Revision; resolve: () => void }[] = [];
  #stopped = false;

  constructor(kind: Kind<T>, storage: Storage) {
    this.kind = kind;
    this.#prefix = storagePrefix(kind as Kind);
    this.#storage = storage;
  }

  /** Whether reads can be answered at once. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Fills the cache; later calls wait for the same filling. */
  start(): Promise<void> {
    this.#started ??= this.#fill();
    return this.#started;
  }

  async #fill(): Promise<void> {
    const range = { key: this.#prefix, end: prefixEnd(this.#prefix) };
    const { kvs, revision } = await this.#storage.range(range);
    this.#entries.clear();
    for (const kv of kvs) this.#entries.set(kv.key, new Entry(this.kind as Kind, kv.key, kv.modRevision, kv.value));
    this.#sorted = undefined;
    this.#events = [];
    this.#eventsFrom = revision + 1;
    this.#revision = revision;
    this.#watch = this.#storage.watch(
      { ...range, startRevision: revision + 1 },
      {
        onEvents: (events, at) => this.#apply(events, at),
        onProgress: (at) => this.#advance(at),
        onEnd: () => this.#restart(),
      },
    );
    this.#ready = true;
  }

  /** The store could not go on where we were: whoever watches must list again. */
  #restart(): void {
    this.#ready = false;
    this.#started = undefined;
    for (const listener of [...this.#listeners]) listener.onEnd();
    this.#listeners.clear();
    if (!this.#stopped) void this.start().catch(() => this.#restartLater());
  }

  #restartLater(): void {
    this.#started = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#watch?.close();
    for (const listener of [...this.#listeners]) listener.onEnd();
    this.#listeners.clear();
  }

  #apply(events: readonly StorageEvent[], at: Revision): void {
    for (const { type, kv } of events) {
      const previous = this.#entries.get(kv.key);
      if (type === 'delete') {
        if (previous === undefined) continue;
        this.#entries.delete(kv.key);
        this.#sorted = undefined;
        this.#publish({ type: 'DELETED', revision: kv.modRevision, entry: previous.at(kv.modRevision), previous });
      } else {
        const entry = new Entry(this.kind as Kind, kv.key, kv.modRevision, kv.value);
        this.#entries.set(kv.key, entry);
        this.#sorted = undefined;
        this.#publish({ type: previous === undefined ? 'ADDED' : 'MODIFIED', revision: kv.modRevision, entry, previous });
      }
    }
    this.#advance(at);
  }

  #publish(event: CacheEvent): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT_EVENTS) {
      const gone = this.#events.splice(0, this.#events.length - KEPT_EVENTS);
      for (const { entry } of gone) entry.forgetEvents();
      this.#eventsFrom = (gone[gone.length - 1] as CacheEvent).revision + 1;
    }
    for (const listener of this.#listeners) listener.onEvent(event);
  }

  #advance(at: Revision): void {
    if (at > this.#revision) this.#revision = at;
    if (this.#waiting.length === 0) return;
    const ready = this.#waiting.filter((w) => w.revision <= this.#revision);
    this.#waiting = this.#waiting.filter((w) => w.revision > this.#revision);
    for (const { resolve } of ready) resolve();
  }

  /** The revision that a list of now carries. */
  get revision(): Revision {
    return this.#storage.liveRevision ?? this.#revision;
  }

  /** Waits until everything up to `revision` is in the cache. @throws ApiError Timeout */
  async waitFor(revision: Revision): Promise<void> {
    if (this.revision >= revision) return;
    this.#storage.requestProgress();
    const signal = AbortSignal.timeout(FRESHNESS_TIMEOUT_MS);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ revision, resolve });
      signal.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((w) => w.resolve !== resolve);
        reject(apiError('Timeout', `Too large resource version: ${revision}, current: ${this.revision}`, { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 }));
      });
    });
  }

  /** Makes what follows see every write that was acknowledged before now. Undefined where that is so already. */
  freshen(): Promise<void> | undefined {
    if (!this.#ready) return this.start();
    if (this.#storage.liveRevision !== undefined) return undefined;
    return this.#storage.revision().then((revision) => this.waitFor(revision));
  }

  keyOf(namespace: string | undefined, name: string): string {
    return this.kind.namespaced ? `${this.#prefix}${namespace ?? ''}/${name}` : `${this.#prefix}${name}`;
  }

  get(namespace: string | undefined, name: string): Entry | undefined {
    return this.#entries.get(this.keyOf(namespace, name));
  }

  byKey(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The object as parts of the API server read it: undefined where it is not there. */
  object(namespace: string | undefined, name: string): Stored<T> | undefined {
    return this.get(namespace, name)?.object as Stored<T> | undefined;
  }

  /** All objects, parsed; for parts of the API server that read whole kinds. */
  objects(): Stored<T>[] {
    return [...this.#entries.values()].map((e) => e.object as Stored<T>);
  }

  /** Ascending by key. The array is shared: it must not be changed. */
  entries(namespace?: string): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    if (namespace === undefined || !this.kind.namespaced) return this.#sorted;
    const prefix = `${this.#prefix}${namespace}/`;
    const from = lowerBound(this.#sorted, prefix);
    return this.#sorted.slice(from, lowerBound(this.#sorted, prefixEnd(prefix)));
  }

  /** Tells of events from now on. */
  listen(listener: CacheListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The events after `revision`. @throws ApiError Expired where they are not kept any more */
  since(revision: Revision): readonly CacheEvent[] {
    if (revision + 1 < this.#eventsFrom) {
      throw apiError('Expired', `too old resource version: ${revision} (${this.#eventsFrom - 1})`);
    }
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }
}

function lowerBound(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as Entry).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
