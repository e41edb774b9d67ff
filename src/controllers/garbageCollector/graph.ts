/**
 * Who owns whom. An object is in the graph while it has owners or dependents; an owner that is only known
 * by reference is there too, unseen, until somebody has looked whether it exists.
 *
 * Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../../machinery/kind.ts';
import type { OwnerReference } from '../../machinery/meta.ts';

export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/** What identifies an object, also one that was never seen. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

export interface Node {
  readonly identity: Identity;
  /** the object as it was last seen; undefined where it is known by reference only */
  object: Stored<KubeObject> | undefined;
  readonly dependents: Set<Node>;
}

export class OwnerGraph {
  readonly #nodes = new Map<string, Node>();
  readonly #isNamespaced: (apiVersion: string, kind: string) => boolean | undefined;

  /** @param isNamespaced undefined for a kind that is not known */
  constructor(isNamespaced: (apiVersion: string, kind: string) => boolean | undefined) {
    this.#isNamespaced = isNamespaced;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid);
  }

  /** Those that are known by reference only. */
  *unseenOwners(): Generator<Node> {
    for (const node of this.#nodes.values()) if (node.object === undefined) yield node;
  }

  /** Enters an object as it is now. Returns its node, where it has a place in the graph. */
  put(kind: Kind, object: Stored<KubeObject>): Node | undefined {
    const { uid, ownerReferences = [] } = object.metadata;
    let node = this.#nodes.get(uid);
    if (node === undefined && ownerReferences.length === 0) return undefined;
    if (node === undefined || !isSame(node.identity, kind, object)) {
      // A reference had the uid right and the rest wrong: what was seen counts.
      const dependents = node?.dependents ?? new Set<Node>();
      if (node?.object !== undefined) this.#unlink(node);
      node = { identity: identityOf(kind, object), object: undefined, dependents };
      this.#nodes.set(uid, node);
    }
    const before = new Set(ownerUids(node.object));
    node.object = object;
    const now = new Set(ownerReferences.map((r) => r.uid));
    for (const owner of before) if (!now.has(owner)) this.#leave(owner, node);
    for (const reference of ownerReferences) {
      if (!before.has(reference.uid)) this.#owner(reference, object.metadata.namespace).dependents.add(node);
    }
    this.#forget(node);
    return node;
  }

  /** Takes an object out. Returns its node, whose dependents have lost an owner: they go on referring to it. */
  remove(uid: string): Node | undefined {
    const node = this.#nodes.get(uid);
    if (node === undefined) return undefined;
    this.#unlink(node);
    node.object = undefined;
    this.#forget(node);
    return node;
  }

  #unlink(node: Node): void {
    for (const owner of ownerUids(node.object)) this.#leave(owner, node);
  }

  #owner(reference: OwnerReference, namespace: string | undefined): Node {
    const known = this.#nodes.get(reference.uid);
    if (known !== undefined) return known;
    const { apiVersion, kind, name, uid } = reference;
    const at = this.#isNamespaced(apiVersion, kind) === false ? undefined : namespace;
    const node: Node = {
      identity: { apiVersion, kind, name, uid, namespace: at },
      object: undefined,
      dependents: new Set(),
    };
    this.#nodes.set(uid, node);
    return node;
  }

  #leave(ownerUid: string, dependent: Node): void {
    const owner = this.#nodes.get(ownerUid);
    if (owner === undefined) return;
    owner.dependents.delete(dependent);
    this.#forget(owner);
  }

  /** What has neither owners nor dependents needs no place. */
  #forget(node: Node): void {
    if (node.dependents.size === 0 && ownerUids(node.object).length === 0) {
      if (this.#nodes.get(node.identity.uid) === node) this.#nodes.delete(node.identity.uid);
    }
  }
}

function ownerUids(object: KubeObject | undefined): string[] {
  return (object?.metadata?.ownerReferences ?? []).map((r) => r.uid);
}

export function identityOf(kind: Kind, object: Stored<KubeObject>): Identity {
  const { namespace, name, uid } = object.metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name, uid };
}

function isSame(identity: Identity, kind: Kind, object: Stored<KubeObject>): boolean {
  const { namespace, name } = object.metadata;
  return (
    identity.apiVersion === apiVersionOf(kind) &&
    identity.kind === kind.kind &&
    identity.namespace === namespace &&
    identity.name === name
  );
}

/** Being deleted, and waiting for its dependents to go first. */
export function isDeletingDependents(object: KubeObject | undefined): boolean {
  return isDeleting(object) && (object?.metadata?.finalizers ?? []).includes(FOREGROUND_FINALIZER);
}

/** Being deleted, and waiting for its dependents to be let go. */
export function isOrphaning(object: KubeObject | undefined): boolean {
  return isDeleting(object) && (object?.metadata?.finalizers ?? []).includes(ORPHAN_FINALIZER);
}

export function isDeleting(object: KubeObject | undefined): boolean {
  return object?.metadata?.deletionTimestamp !== undefined;
}
