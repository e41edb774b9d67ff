/**
 * All objects of one kind in memory, fed by a watch of the store, and the recent events for watchers
 * that start in the past. GET, LIST and WATCH are answered from here.
 */
import type { Clock } from '../../lib/clock.ts';
import {
  type Kind,
  type KubeObject,
  type StorageConversion,
  type Stored,
  storagePrefix,
} from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { prefixEnd, type Revision, type Storage, type StorageEvent, type StorageWatch } from '../../storage/storage.ts';
import { ConversionQueue } from './conversionQueue.ts';
import { Entry } from './entry.ts';
import { type CacheEvent, EventLog } from './eventLog.ts';
import { type CacheListener, type FieldValue, Listeners } from './listeners.ts';
import { SortedEntries } from './sortedEntries.ts';

/** A read that cannot be answered from fresh enough state gives up after this. */
const FRESHNESS_TIMEOUT_MS = 3_000;

export class WatchCache<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly #prefix: string;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #sorted = new SortedEntries([]);
  #log = new EventLog(0);
  #revision: Revision = 0;
  #started: Promise<void> | undefined;
  #ready = false;
  #watch: StorageWatch | undefined;
  readonly #listeners: Listeners;
  #waiting: { readonly revision: Revision; readonly resolve: () => void }[] = [];
  #stopped = false;
  #queue: ConversionQueue | undefined;

  constructor(kind: Kind<T>, storage: Storage, clock: Clock) {
    this.kind = kind;
    this.#prefix = storagePrefix(kind as Kind);
    this.#listeners = new Listeners(kind as Kind);
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Whether reads can be answered at once. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Fills the cache; later calls wait for the same filling. @throws what the store throws */
  start(): Promise<void> {
    if (this.#started === undefined) {
      this.#started = this.#fill();
      this.#started.catch(() => {
        // Whoever asks next tries again.
        this.#started = undefined;
      });
    }
    return this.#started;
  }

  async #fill(): Promise<void> {
    this.#watch?.close();
    const range = { key: this.#prefix, end: prefixEnd(this.#prefix) };
    const { kvs, revision } = await this.#storage.range(range);
    const stored = kvs.map((kv) => kv.value);
    const values = (await this.kind.conversion?.fromStored(stored)) ?? stored;
    const queue = this.#queueFor(this.kind.conversion);
    this.#queue = queue;
    this.#entries.clear();
    for (const [i, { key, modRevision }] of kvs.entries()) {
      // There is one for each.
      this.#entries.set(key, new Entry(this.kind as Kind, key, modRevision, values[i] as Buffer));
    }
    this.#sorted = new SortedEntries([...this.#entries.values()]);
    this.#log = new EventLog(revision);
    this.#revision = revision;
    this.#watch = this.#storage.watch(
      { ...range, startRevision: revision + 1 },
      {
        onEvents: (events, at) => (queue === undefined ? this.#apply(events, at) : queue.push(events, at)),
        onProgress: (at) => (queue === undefined ? this.#advance(at) : queue.push([], at)),
        onEnd: () => this.#restart(),
      },
    );
    // What was written since the range was read is on its way; from then on the watch keeps up by itself.
    await this.#catchUp(await this.#storage.revision());
    this.#ready = true;
  }

  /** Events of a kind that others convert come into the cache when they are. */
  #queueFor(conversion: StorageConversion | undefined): ConversionQueue | undefined {
    this.#queue?.stop();
    if (conversion === undefined) return undefined;
    return new ConversionQueue({
      conversion,
      apply: (events, at) => this.#apply(events, at),
      // Whoever asks next is told why, and whoever watches must list again.
      fail: () => this.#restart(),
    });
  }

  /** The store could not go on where we were: whoever watches must list again. */
  #restart(): void {
    this.#ready = false;
    this.#started = undefined;
    this.#endListeners();
    // A failure is met again, and told, by whoever asks next.
    if (!this.#stopped) this.start().catch(() => {});
  }

  stop(): void {
    this.#stopped = true;
    this.#queue?.stop();
    this.#watch?.close();
    this.#endListeners();
  }

  #endListeners(): void {
    for (const listener of this.#listeners.takeAll()) listener.onEnd();
  }

  #apply(events: readonly StorageEvent[], at: Revision): void {
    for (const { type, kv } of events) {
      const previous = this.#entries.get(kv.key);
      if (type === 'delete') {
        if (previous === undefined) continue;
        this.#entries.delete(kv.key);
        this.#sorted.delete(kv.key);
        this.#publish({ type: 'DELETED', revision: kv.modRevision, entry: previous.at(kv.modRevision), previous });
      } else {
        const entry = new Entry(this.kind as Kind, kv.key, kv.modRevision, kv.value);
        this.#entries.set(kv.key, entry);
        this.#sorted.put(entry);
        const verb = previous === undefined ? 'ADDED' : 'MODIFIED';
        this.#publish({ type: verb, revision: kv.modRevision, entry, previous });
      }
    }
    this.#advance(at);
  }

  /** A hot path: once for each write, times the watchers. */
  #publish(event: CacheEvent): void {
    this.#log.add(event);
    this.#listeners.tell(event);
    event.entry.forgetEvent();
  }

  #advance(at: Revision): void {
    if (at > this.#revision) this.#revision = at;
    if (this.#waiting.length === 0) return;
    const ready = this.#waiting.filter((w) => w.revision <= this.#revision);
    this.#waiting = this.#waiting.filter((w) => w.revision > this.#revision);
    for (const { resolve } of ready) resolve();
  }

  /** Up to where the cache is what the store is: what a list of now carries. */
  get revision(): Revision {
    if (!this.#ready || this.#queue?.busy === true) return this.#revision;
    return Math.max(this.#revision, this.#storage.liveRevision ?? 0);
  }

  /** Waits until everything up to `revision` is in the cache. @throws ApiError Timeout */
  async waitFor(revision: Revision): Promise<void> {
    if (this.revision < revision) await this.#catchUp(revision);
  }

  /** Waits until the watch of the store has told of everything up to `revision`. @throws ApiError Timeout */
  async #catchUp(revision: Revision): Promise<void> {
    if (this.#revision >= revision) return;
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.after(FRESHNESS_TIMEOUT_MS, () => {
        this.#waiting = this.#waiting.filter((w) => w !== waiting);
        reject(tooLarge(revision, this.revision));
      });
      const waiting = {
        revision,
        resolve: () => {
          timer.cancel();
          resolve();
        },
      };
      this.#waiting.push(waiting);
      this.#storage.requestProgress();
    });
  }

  /** Makes what follows see every write that was acknowledged before now. Undefined where that is so already. */
  freshen(): Promise<void> | undefined {
    if (!this.#ready) return this.start();
    if (this.#storage.liveRevision !== undefined && this.#queue?.busy !== true) return undefined;
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

  /** Ascending by key. The array is shared: it must not be changed, and does not change. */
  entries(namespace?: string): readonly Entry[] {
    if (namespace === undefined || !this.kind.namespaced) return this.#sorted.all();
    return this.#sorted.below(`${this.#prefix}${namespace}/`);
  }

  /** Tells of events from now on. @param only absent: of every object */
  listen(listener: CacheListener, only?: FieldValue): () => void {
    return this.#listeners.add(listener, only);
  }

  /** Whether a watcher that has seen all up to `revision` can go on from there. */
  reaches(revision: Revision): boolean {
    return this.#log.reaches(revision);
  }

  /** The events after `revision`. @throws ApiError Expired where they are not kept any more */
  since(revision: Revision): Iterable<CacheEvent> {
    return this.#log.after(revision);
  }
}

function tooLarge(asked: Revision, current: Revision) {
  return apiError('Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
