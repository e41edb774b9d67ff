/** What administrators have configured of one kind, compiled once for every change of it, in the order of names. */
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';

export class Configured<T extends KubeObject, C> {
  readonly #cache: WatchCache<T>;
  readonly #compile: (object: Stored<T>) => C;
  /** absent: something has changed since it was made */
  #compiled: readonly C[] | undefined = [];
  #unlisten: (() => void) | undefined;
  #stopped = false;

  constructor(registry: Registry, kind: Kind<T>, compile: (object: Stored<T>) => C) {
    this.#cache = registry.cache(kind);
    this.#compile = compile;
  }

  /** @throws what the store throws */
  async start(): Promise<void> {
    await this.#cache.start();
    if (this.#stopped) return;
    this.#compiled = undefined;
    this.#unlisten?.();
    this.#unlisten = this.#cache.listen({
      onEvent: () => {
        this.#compiled = undefined;
      },
      onEnd: () => {
        // Whoever asks goes by what was known until it is known again.
        if (!this.#stopped) this.start().catch(() => {});
      },
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unlisten?.();
  }

  /** A hot path: for every write. Nothing is compiled where nothing is configured. */
  get all(): readonly C[] {
    this.#compiled ??= this.#cache
      .objects()
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map(this.#compile);
    return this.#compiled;
  }
}
