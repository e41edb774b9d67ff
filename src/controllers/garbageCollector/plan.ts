/** What becomes of an object by its owners. Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/ */
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { OwnerReference } from '../../machinery/meta.ts';
import { FOREGROUND_FINALIZER, isDeleting, isDeletingDependents, type Node, ORPHAN_FINALIZER } from './graph.ts';

/** How an owner stands: there, there until its dependents are gone, gone, or of a kind that nobody knows. */
export type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown';

export type Verdict =
  | { readonly do: 'nothing' }
  /** owners that are gone, or wait, are struck from the object */
  | { readonly do: 'disown'; readonly uids: readonly string[] }
  /** Dependents that are deleted by the foreground no longer hold up the owner: it would wait for itself. */
  | {
      readonly do: 'delete';
      readonly policy: 'Background' | 'Foreground' | 'Orphan';
      readonly unblock: readonly string[];
    };

/** @param object as the server has it now @param stateOf of each of its owners */
export function judge(
  object: Stored<KubeObject>,
  node: Node | undefined,
  stateOf: (reference: OwnerReference) => OwnerState,
): Verdict {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return { do: 'nothing' };
  if (isDeleting(object) && !isDeletingDependents(object)) return { do: 'nothing' };
  const byState: Record<OwnerState, string[]> = { solid: [], waiting: [], absent: [], unknown: [] };
  for (const reference of references) byState[stateOf(reference)].push(reference.uid);
  const going = [...byState.absent, ...byState.waiting];
  if (byState.unknown.length > 0) return { do: 'nothing' };
  if (byState.solid.length > 0) return going.length === 0 ? { do: 'nothing' } : { do: 'disown', uids: going };
  if (byState.waiting.length > 0 && node !== undefined && node.dependents.size > 0) {
    const circular = [...node.dependents].some((d) => isDeletingDependents(d.object));
    return { do: 'delete', policy: 'Foreground', unblock: circular ? references.map((r) => r.uid) : [] };
  }
  return { do: 'delete', policy: policyOf(object), unblock: [] };
}

/** An object keeps the policy that it was deleted with. */
function policyOf(object: KubeObject): 'Background' | 'Foreground' | 'Orphan' {
  const finalizers = object.metadata?.finalizers ?? [];
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}

/** Dependents that hold up the deletion of their owner in the foreground. */
export function blockingDependents(owner: Node): Node[] {
  const { uid } = owner.identity;
  return [...owner.dependents].filter((d) =>
    d.object?.metadata.ownerReferences?.some((r) => r.uid === uid && r.blockOwnerDeletion === true),
  );
}
