/** The pods of each node that give it rights, kept from the watch cache; begun when it is first asked for. */
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import { MIRROR_ANNOTATION } from './podReferences.ts';

const NO_PODS: ReadonlyMap<string, Stored<Pod>> = new Map();

export class PodsByNode {
  readonly #cache: WatchCache<Pod>;
  readonly #byNode = new Map<string, Map<string, Stored<Pod>>>();
  #unlisten: (() => void) | undefined;

  constructor(registry: Registry) {
    this.#cache = registry.cache(pods);
  }

  stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
  }

  /** Whether what is not found is not there. */
  get ready(): boolean {
    if (!this.#cache.ready) this.#cache.start().catch(() => {});
    return this.#cache.ready;
  }

  pod(namespace: string, name: string): Stored<Pod> | undefined {
    return this.#cache.object(namespace, name);
  }

  of(node: string): Iterable<Stored<Pod>> {
    if (this.#unlisten === undefined) this.#begin();
    return (this.#byNode.get(node) ?? NO_PODS).values();
  }

  #begin(): void {
    this.#byNode.clear();
    for (const pod of this.#cache.objects()) this.#add(pod);
    this.#unlisten = this.#cache.listen({
      onEvent: ({ type, entry, previous }) => {
        const pod = entry.object as Stored<Pod>;
        if (previous !== undefined) this.#remove(previous.object as Stored<Pod>);
        if (type !== 'DELETED') this.#add(pod);
      },
      // Begun again when it is next asked for.
      onEnd: () => {
        this.#unlisten = undefined;
      },
    });
  }

  #add(pod: Stored<Pod>): void {
    const node = pod.spec?.nodeName;
    // A node makes mirror pods itself: they must not give it rights, whatever they refer to.
    if (!node || pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return;
    let onNode = this.#byNode.get(node);
    if (onNode === undefined) {
      onNode = new Map();
      this.#byNode.set(node, onNode);
    }
    onNode.set(pod.metadata.uid, pod);
  }

  #remove(pod: Stored<Pod>): void {
    const node = pod.spec?.nodeName;
    if (!node) return;
    const onNode = this.#byNode.get(node);
    onNode?.delete(pod.metadata.uid);
    if (onNode?.size === 0) this.#byNode.delete(node);
  }
}
