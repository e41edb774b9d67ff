/**
 * Which objects a controller's selector makes its own: it adopts those that match and have no controller,
 * and lets go of its own that no longer match.
 */
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import { matchesLabels, type Selector } from '../machinery/labelSelector.ts';
import { controllerReference } from '../machinery/ownerReferences.ts';
import type { Action } from './action.ts';

export interface Claim<T extends KubeObject> {
  /** the controller's own, with those that it is about to adopt */
  readonly claimed: Stored<T>[];
  readonly actions: Action[];
}

export interface ClaimOptions<O extends KubeObject, T extends KubeObject> {
  readonly owner: Stored<O>;
  readonly ownerKind: Kind<O>;
  readonly kind: Kind<T>;
  readonly selector: Selector;
  /** of which `owner` is the controller */
  readonly owned: readonly Stored<T>[];
  /** in the same namespace, without a controller */
  readonly orphans: readonly Stored<T>[];
}

export function claim<O extends KubeObject, T extends KubeObject>(options: ClaimOptions<O, T>): Claim<T> {
  const { owner, ownerKind, kind, selector } = options;
  const claimed: Stored<T>[] = [];
  const actions: Action[] = [];
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of options.owned) {
    if (matchesLabels(selector, object.metadata.labels)) claimed.push(object);
    else if (!leaving) actions.push(releaseOf(kind, object, owner.metadata.uid));
  }
  const adopted = leaving
    ? []
    : options.orphans.filter(
        (o) => o.metadata.deletionTimestamp === undefined && matchesLabels(selector, o.metadata.labels),
      );
  if (adopted.length > 0) actions.push({ verb: 'check', kind: ownerKind as Kind, object: owner });
  for (const object of adopted) {
    claimed.push(object);
    const { name, namespace, uid } = object.metadata;
    actions.push({
      verb: 'patch',
      kind: kind as Kind,
      ref: { name, namespace },
      type: 'strategic',
      // The uid makes sure that this is the object that was seen.
      patch: { metadata: { uid, ownerReferences: [controllerReference(owner, ownerKind)] } },
    });
  }
  return { claimed, actions };
}

function releaseOf<T extends KubeObject>(kind: Kind<T>, object: Stored<T>, ownerUid: string): Action {
  const { name, namespace, uid } = object.metadata;
  const patch = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: ownerUid }] } };
  return { verb: 'patch', kind: kind as Kind, ref: { name, namespace }, type: 'strategic', patch };
}
