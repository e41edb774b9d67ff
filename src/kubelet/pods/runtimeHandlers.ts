/**
 * From the runtime class of a pod to what the container runtime calls it.
 * Source: https://kubernetes.io/docs/concepts/containers/runtime-class/
 */
import type { Pod } from '../../apis/core/pod.ts';
import { runtimeClasses } from '../../apis/node/runtimeClass.ts';
import type { Informers } from '../../client/informers.ts';
import { notFound } from '../../machinery/status.ts';

export class RuntimeHandlers {
  readonly #informers: Informers;

  constructor(informers: Informers) {
    this.#informers = informers;
  }

  /**
   * The name of the handler; undefined for a pod without a class, which the runtime runs as it always does. The
   * classes are followed only once a pod has one.
   * @throws ApiError NotFound for a class that is not there
   */
  async of({ spec }: Pod): Promise<string | undefined> {
    const name = spec?.runtimeClassName;
    if (!name) return undefined;
    const informer = this.#informers.of(runtimeClasses);
    await informer.synced;
    const found = informer.get(undefined, name);
    if (found === undefined) throw notFound(runtimeClasses, name);
    return found.handler;
  }
}
