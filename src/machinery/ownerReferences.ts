/** Who owns an object. */
import { apiVersionOf, type GroupVersion } from './kind.ts';
import type { ObjectMeta, OwnerReference } from './meta.ts';

interface Owner {
  readonly metadata: { readonly name: string; readonly uid: string };
}

/** A reference that makes `owner` the controller of what carries it, and holds up foreground deletion of the owner. */
export function controllerReference(owner: Owner, kind: GroupVersion & { kind: string }): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The reference to the controller, of which there is one at most. */
export function controllerOf(object: { readonly metadata?: ObjectMeta }): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((r) => r.controller === true);
}
