/** How controllers look objects up besides by name. */
import type { Informer } from '../client/informer.ts';
import type { KubeObject, Stored } from '../machinery/kind.ts';
import { controllerOf } from '../machinery/ownerReferences.ts';

const BY_CONTROLLER = 'controller';
const ORPHANS = 'orphans';

/** Lets the two functions below be used. */
export function indexByController<T extends KubeObject>(informer: Informer<T>): void {
  informer.addIndex(BY_CONTROLLER, (object) => {
    const controller = controllerOf(object);
    return controller === undefined ? [] : [controller.uid];
  });
  informer.addIndex(ORPHANS, (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ''] : []));
}

/** The objects whose controller has that uid. */
export function ownedBy<T extends KubeObject>(informer: Informer<T>, uid: string): Stored<T>[] {
  return informer.byIndex(BY_CONTROLLER, uid);
}

/** The objects of a namespace that have no controller. */
export function orphansIn<T extends KubeObject>(informer: Informer<T>, namespace: string | undefined): Stored<T>[] {
  return informer.byIndex(ORPHANS, namespace ?? '');
}
