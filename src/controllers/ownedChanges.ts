/** Brings changes of owned objects to whoever owns them, or would like to. */
import type { Informer } from '../client/informer.ts';
import { keyOf, refKey } from '../client/store.ts';
import { apiVersionOf, type KubeObject, type Stored } from '../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../machinery/labelSelector.ts';
import type { LabelSelector } from '../machinery/meta.ts';
import { controllerOf } from '../machinery/ownerReferences.ts';

/** An object that selects what it owns. */
interface Selecting extends KubeObject {
  spec?: { selector: LabelSelector };
}

/** Enqueues the controller of each `owned` object that changes, and for an object without one all whose selector matches. */
export function enqueueOwners<O extends Selecting, T extends KubeObject>(
  owners: Informer<O>,
  owned: Informer<T>,
  enqueue: (key: string) => void,
): void {
  const ownerOf = (object: KubeObject): string | undefined => {
    const reference = controllerOf(object);
    if (reference?.kind !== owners.kind.kind || reference.apiVersion !== apiVersionOf(owners.kind)) return undefined;
    return refKey(object.metadata?.namespace, reference.name);
  };
  const tell = (object: Stored<T>) => {
    const owner = ownerOf(object);
    if (owner !== undefined) enqueue(owner);
    else if (controllerOf(object) === undefined) {
      for (const candidate of owners.list(object.metadata.namespace)) {
        const selector = selectorFrom(candidate.spec?.selector);
        if (selector !== undefined && matchesLabels(selector, object.metadata.labels)) enqueue(keyOf(candidate));
      }
    }
  };
  owned.handle({
    onAdd: tell,
    onUpdate(object, old) {
      const before = ownerOf(old);
      if (before !== undefined && before !== ownerOf(object)) enqueue(before);
      tell(object);
    },
    onDelete(object) {
      const owner = ownerOf(object);
      if (owner !== undefined) enqueue(owner);
    },
  });
}
