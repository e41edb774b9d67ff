/**
 * An informer: a copy of the selected objects of a kind in memory, kept up to date by a watch, that
 * tells of every change.
 *
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import { ApiError, isApiError, type Status } from '../machinery/status.ts';
import { Backoff } from './backoff.ts';
import type { Client, ListOptions } from './client.ts';
import { type IndexFunction, keyOf, Store } from './store.ts';
import type { WatchEvent } from './transport.ts';

export interface InformerOptions<T extends KubeObject> {
  readonly client: Client;
  readonly kind: Kind<T>;
  /** absent: all namespaces */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends the informer */
  readonly signal: AbortSignal;
}

/** Hears of changes in order, while they happen; must be quick. What it throws is logged. */
export interface InformerHandler<T extends KubeObject> {
  /** @param initial it was there when the informer started */
  onAdd?(object: Stored<T>, initial: boolean): void;
  onUpdate?(object: Stored<T>, old: Stored<T>): void;
  /** @param missed the deletion itself was not seen: the object is the last state that was known */
  onDelete?(object: Stored<T>, missed: boolean): void;
}

/** Client-go waits up to 30 s; but what a node has not heard of for so long after an outage, its pods miss. */
const BACKOFF = { firstMs: 800, longestMs: 5_000, jitter: 1 };
/** A watch that ends sooner than this without an event counts as a failure. */
const SHORTEST_WATCH_MS = 1_000;

/** Reads go to the store in memory, whose objects are frozen and shared by the process. */
export class Informer<T extends KubeObject = KubeObject> {
  /**
   * Resolves when the first list is in the store and every handler has heard of it; rejects with the
   * signal's reason where the informer is stopped before that.
   */
  readonly synced: Promise<void>;
  readonly kind: Kind<T>;
  readonly #options: InformerOptions<T>;
  readonly #store = new Store<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #backoff: Backoff;
  readonly #log: Logger;
  #markSynced: () => void = () => {};
  #hasSynced = false;
  #resourceVersion = '';

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.kind = options.kind;
    this.#backoff = new Backoff(BACKOFF, options.random);
    this.#log = options.log.child({ informer: options.kind.plural });
    const { signal } = options;
    this.synced = new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#markSynced = () => {
        signal.removeEventListener('abort', stop);
        this.#hasSynced = true;
        resolve();
      };
    });
    // Nobody need wait for it.
    this.synced.catch(() => {});
    void this.#run();
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Up to where the informer has seen what happened; '' before the first list. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#store.size;
  }

  get(namespace: string | undefined, name: string): Stored<T> | undefined {
    return this.#store.get(namespace, name);
  }

  /** @param key as `keyOf` makes it */
  byKey(key: string): Stored<T> | undefined {
    return this.#store.byKey(key);
  }

  /** @param namespace absent: of all namespaces */
  list(namespace?: string): Stored<T>[] {
    return this.#store.list(namespace);
  }

  /** Lets objects be found by other values than their name. The same name again changes nothing. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    this.#store.addIndex(name, valuesOf);
  }

  byIndex(name: string, value: string): Stored<T>[] {
    return this.#store.byIndex(name, value);
  }

  /** Tells `handler` of what is there and of all that follows. Returns a function that ends that. */
  handle(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.list()) this.#guard(() => handler.onAdd?.(object, true));
    return () => {
      this.#handlers.delete(handler);
    };
  }

  async #run(): Promise<void> {
    const { signal, clock } = this.#options;
    let listed = false;
    while (!signal.aborted) {
      let started: number | undefined;
      try {
        if (!listed) {
          await this.#list();
          listed = true;
        }
        started = clock.monotonic();
        const seen = await this.#watch();
        if (seen || clock.monotonic() - started >= SHORTEST_WATCH_MS) {
          this.#backoff.reset();
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        // A connection that was good for a while and broke is no reason to be patient.
        if (started !== undefined && clock.monotonic() - started >= SHORTEST_WATCH_MS) this.#backoff.reset();
        if (isGone(error)) {
          // What we know is older than what the server can go on from: list again.
          listed = false;
        } else this.#log.warn('cannot list or watch', { err: error });
      }
      if (!(await this.#pause())) return;
    }
  }

  async #pause(): Promise<boolean> {
    try {
      await this.#options.clock.sleep(this.#backoff.next(), this.#options.signal);
      return true;
    } catch {
      return false;
    }
  }

  get #selection(): ListOptions {
    const { namespace, labelSelector, fieldSelector, signal } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
    };
  }

  async #list(): Promise<void> {
    // At first whatever the server has at hand will do; later nothing older than what was seen.
    const first = this.#resourceVersion === '';
    const options = first ? { ...this.#selection, resourceVersion: '0' } : this.#selection;
    const list = await this.#options.client.list(this.#options.kind, options);
    const found = new Set<string>();
    for (const object of list.items) {
      const key = keyOf(object);
      found.add(key);
      this.#put(key, object);
    }
    for (const key of this.#store.keys()) if (!found.has(key)) this.#remove(key, undefined);
    this.#resourceVersion = list.metadata.resourceVersion;
    if (!this.#hasSynced) this.#markSynced();
  }

  /** Runs one watch to its end; true where it brought anything. @throws where the server ends it by an error */
  #watch(): Promise<boolean> {
    const { client, kind, signal } = this.#options;
    return new Promise((resolve, reject) => {
      let seen = false;
      let failure: Error | undefined;
      // Ends this watch where the server reports an error in it.
      const watching = new AbortController();
      const settle = (error?: Error) => {
        signal.removeEventListener('abort', stop);
        if (error === undefined) resolve(seen);
        else reject(error);
      };
      const stop = () => {
        watching.abort(signal.reason);
        settle(signal.reason);
      };
      const onEvent = (event: WatchEvent<Stored<T>>) => {
        if (failure !== undefined || signal.aborted) return;
        if (event.type === 'ERROR') {
          failure = new ApiError(event.object as unknown as Status);
          watching.abort(failure);
          settle(failure);
          return;
        }
        seen = true;
        this.#apply(event);
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener('abort', stop, { once: true });
      const options = {
        ...this.#selection,
        resourceVersion: this.#resourceVersion,
        allowWatchBookmarks: true,
        signal: watching.signal,
      };
      client.watch(kind, options, onEvent, settle).catch(settle);
    });
  }

  #apply(event: WatchEvent<Stored<T>>): void {
    const { object } = event;
    this.#resourceVersion = object.metadata.resourceVersion;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#put(keyOf(object), object);
        break;
      case 'DELETED':
        this.#remove(keyOf(object), object);
        break;
      default:
    }
  }

  #put(key: string, object: Stored<T>): void {
    const old = this.#store.byKey(key);
    if (old === undefined) {
      this.#store.set(key, object);
      const initial = !this.#hasSynced;
      this.#tell((h) => h.onAdd?.(object, initial));
    } else if (old.metadata.uid !== object.metadata.uid) {
      // One object went and another of its name came in between.
      this.#remove(key, undefined);
      this.#put(key, object);
    } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.#store.set(key, object);
      this.#tell((h) => h.onUpdate?.(object, old));
    }
  }

  /** @param last the object as it was deleted; absent where the deletion was missed */
  #remove(key: string, last: Stored<T> | undefined): void {
    const old = this.#store.delete(key);
    if (old === undefined) return;
    this.#tell((h) => h.onDelete?.(last ?? old, last === undefined));
  }

  #tell(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers) this.#guard(() => call(handler));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error('a handler failed', { err: error });
    }
  }
}

function isGone(error: unknown): boolean {
  return isApiError(error, 'Expired') || isApiError(error, 'Gone');
}
