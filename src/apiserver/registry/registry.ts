/** The watch caches of all kinds, each started when it is first asked for. */
import type { Clock } from '../../lib/clock.ts';
import { hubOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import type { Storage } from '../../storage/storage.ts';
import { WatchCache } from './watchCache.ts';

export class Registry {
  readonly kinds: KindRegistry;
  readonly storage: Storage;
  readonly #clock: Clock;
  readonly #caches = new Map<Kind, WatchCache>();
  readonly #closed = new WeakSet<Kind>();

  constructor(kinds: KindRegistry, storage: Storage, clock: Clock) {
    this.kinds = kinds;
    this.storage = storage;
    this.#clock = clock;
  }

  /** The cache of a stored kind, or of the hub of a spoke; it may not be ready yet (`freshen`). */
  cache<T extends KubeObject>(kind: Kind<T>): WatchCache<T> {
    const key = hubOf(kind as unknown as Kind);
    let cache = this.#caches.get(key);
    if (cache === undefined) {
      cache = new WatchCache(key, this.storage, this.#clock);
      this.#caches.set(key, cache);
    }
    return cache as unknown as WatchCache<T>;
  }

  /** The caches that there are by now. */
  cached(): WatchCache[] {
    return [...this.#caches.values()];
  }

  /** The kinds' definition is being deleted: what is there can be changed and deleted, nothing can be added. */
  closeForCreation(kinds: readonly Kind[]): void {
    for (const kind of kinds) this.#closed.add(kind);
  }

  isClosedForCreation(kind: Kind): boolean {
    return this.#closed.has(kind);
  }

  /** The kind is served no more: its watches end. */
  drop(kind: Kind): void {
    const cache = this.#caches.get(kind);
    if (cache === undefined) return;
    this.#caches.delete(kind);
    cache.stop();
  }

  stop(): void {
    for (const cache of this.#caches.values()) cache.stop();
  }
}
