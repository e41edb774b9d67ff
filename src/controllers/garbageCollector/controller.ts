/**
 * The garbage collector deletes objects whose owners are gone, and lets owners go once their dependents
 * have been deleted (foreground) or let go (orphan). Before it deletes, it asks the server itself: what
 * informers say may be old, or come in another order than it happened.
 */
import type { Client } from '../../client/client.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { KindRegistry } from '../../machinery/kindRegistry.ts';
import type { OwnerReference } from '../../machinery/meta.ts';
import { isApiError } from '../../machinery/status.ts';
import type { ControllerContext } from '../context.ts';
import type { CustomKinds } from '../customKinds.ts';
import {
  FOREGROUND_FINALIZER,
  type Identity,
  identityOf,
  isDeletingDependents,
  isOrphaning,
  type Node,
  ORPHAN_FINALIZER,
  OwnerGraph,
} from './graph.ts';
import { blockingDependents, judge, type OwnerState } from './plan.ts';

const NAME = 'generic-garbage-collector';
const WORKERS = 20;
/** References to owners that turned out not to exist, so that they are not asked for again and again. */
const MAX_ABSENT = 500;
/** So long the objects of a kind that came are waited for before anything else is collected. */
const LONGEST_SYNC_MS = 30_000;

/** @param kinds whose objects own or are owned, beside custom resources */
export function startGarbageCollector(context: ControllerContext, kinds: readonly Kind[], custom: CustomKinds): void {
  const collector = new GarbageCollector(context, kinds, custom);
  collector.start();
}

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #client: Client;
  readonly #kinds: readonly Kind[];
  readonly #registry: KindRegistry;
  readonly #custom: CustomKinds;
  readonly #graph: OwnerGraph;
  readonly #queue: WorkQueue;
  /** as `placeOf` has them */
  readonly #absent = new Set<string>();
  /** Objects with a finalizer of ours and neither owners nor dependents: the graph does not hold them. */
  readonly #unowned = new Map<string, Identity>();
  #synced: Promise<unknown> = Promise.resolve();

  constructor(context: ControllerContext, kinds: readonly Kind[], custom: CustomKinds) {
    const log = context.log.child({ controller: NAME });
    this.#context = context;
    this.#client = context.clientFor(NAME);
    this.#kinds = kinds;
    this.#registry = new KindRegistry(kinds);
    this.#custom = custom;
    this.#graph = new OwnerGraph((apiVersion, kind) => this.#kindOf(apiVersion, kind)?.namespaced);
    this.#queue = new WorkQueue({
      clock: context.clock,
      workers: WORKERS,
      signal: context.signal,
      work: (key) => this.#work(key),
      onError(key, error) {
        if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) return;
        log.warn('cannot collect an object', { uid: key, err: error });
      },
    });
  }

  start(): void {
    // Before all kinds are known, an owner would seem to have fewer dependents than it has.
    const { informers } = this.#context;
    this.#waitFor(Promise.all([this.#custom.synced, ...this.#kinds.map((kind) => informers.of(kind).synced)]));
    for (const kind of this.#kinds) this.#follow(kind);
    this.#custom.handle({
      onAdd: (kind) => {
        const { synced } = informers.of(kind);
        // A conversion webhook that does not answer must not hold up everybody else.
        this.#waitFor(Promise.race([synced, this.#context.clock.sleep(LONGEST_SYNC_MS, this.#context.signal)]));
        this.#follow(kind);
        this.#judgeDependents(kind);
      },
      onRemove: (kind, objects, moved) => {
        if (!moved) for (const object of objects) this.#gone(kind, object);
      },
    });
  }

  /** Nothing is worked on before that, too. A kind that goes again is not waited for. */
  #waitFor(more: Promise<unknown>): void {
    const before = this.#synced;
    this.#synced = Promise.all([before, more.catch(() => {})]);
    this.#synced.catch(() => {});
  }

  #follow(kind: Kind): void {
    this.#context.informers.of(kind).handle({
      onAdd: (object) => this.#seen(kind, object),
      onUpdate: (object) => this.#seen(kind, object),
      onDelete: (object) => this.#gone(kind, object),
    });
  }

  /** Nobody could say of their owners whether they exist, as long as the kind was not known. */
  #judgeDependents({ group, kind }: Kind): void {
    for (const { identity, dependents } of this.#graph.unseenOwners()) {
      if (identity.kind !== kind || groupOf(identity.apiVersion) !== group) continue;
      for (const dependent of dependents) this.#queue.add(dependent.identity.uid);
    }
  }

  #kindOf(apiVersion: string, kind: string): Kind | undefined {
    return this.#registry.byKind(apiVersion, kind) ?? this.#custom.byKind(apiVersion, kind);
  }

  #seen(kind: Kind, object: Stored<KubeObject>): void {
    const { uid, ownerReferences = [] } = object.metadata;
    const known = this.#graph.get(uid)?.object;
    const node = this.#graph.put(kind, object);
    this.#absent.delete(placeOf(identityOf(kind, object)));
    const owners = ownersText(object);
    if (owners !== '' && (known === undefined || ownersText(known) !== owners)) {
      // With its owner there and seen, which is what mostly happens, nothing needs to be asked.
      if (ownerReferences.some((r) => this.#stateFromMemory(r, object) !== 'solid')) this.#queue.add(uid);
    }
    if (isDeletingDependents(object) || isOrphaning(object)) {
      this.#unowned.set(uid, identityOf(kind, object));
      this.#queue.add(uid);
      if (isDeletingDependents(object)) for (const d of node?.dependents ?? []) this.#queue.add(d.identity.uid);
    }
  }

  #gone(kind: Kind, object: Stored<KubeObject>): void {
    const { uid } = object.metadata;
    this.#unowned.delete(uid);
    const node = this.#graph.remove(uid);
    this.#isAbsent(identityOf(kind, object));
    for (const dependent of node?.dependents ?? []) this.#queue.add(dependent.identity.uid);
    for (const { uid: owner } of object.metadata.ownerReferences ?? []) {
      if (isDeletingDependents(this.#object(owner))) this.#queue.add(owner);
    }
  }

  #object(uid: string): Stored<KubeObject> | undefined {
    const identity = this.#graph.get(uid)?.identity ?? this.#unowned.get(uid);
    return identity === undefined ? undefined : this.#fromInformer(identity);
  }

  #fromInformer({ apiVersion, kind, namespace, name, uid }: Identity): Stored<KubeObject> | undefined {
    const known = this.#kindOf(apiVersion, kind);
    if (known === undefined) return undefined;
    const object = this.#context.informers.of(known).get(known.namespaced ? namespace : undefined, name);
    return object?.metadata.uid === uid ? object : undefined;
  }

  #isAbsent(owner: Identity): void {
    this.#absent.add(placeOf(owner));
    if (this.#absent.size <= MAX_ABSENT) return;
    for (const oldest of this.#absent) {
      this.#absent.delete(oldest);
      return;
    }
  }

  /** Where an owner must be, for its dependent to have it. */
  #ownerOf(reference: OwnerReference, { metadata }: Stored<KubeObject>): Identity {
    const { apiVersion, kind, name, uid } = reference;
    const namespaced = this.#kindOf(apiVersion, kind)?.namespaced !== false;
    return { apiVersion, kind, name, uid, namespace: namespaced ? metadata.namespace : undefined };
  }

  async #work(uid: string): Promise<void> {
    await this.#synced;
    const identity = this.#graph.get(uid)?.identity ?? this.#unowned.get(uid);
    if (identity === undefined) return;
    const kind = this.#kindOf(identity.apiVersion, identity.kind);
    if (kind === undefined) return;
    const object = await this.#live(kind, identity);
    if (object === undefined) {
      // It is gone, or never was: its dependents have to do without.
      this.#isAbsent(identity);
      for (const dependent of this.#graph.get(uid)?.dependents ?? []) this.#queue.add(dependent.identity.uid);
      return;
    }
    if (isOrphaning(object)) return this.#orphan(kind, object);
    if (isDeletingDependents(object)) {
      const waiting = await this.#deleteDependents(kind, object);
      if (!waiting) return;
    }
    await this.#collect(kind, object);
  }

  async #collect(kind: Kind, object: Stored<KubeObject>): Promise<void> {
    const { name, namespace, uid, resourceVersion, ownerReferences = [] } = object.metadata;
    const states = new Map<string, OwnerState>();
    for (const reference of ownerReferences) states.set(reference.uid, await this.#stateOf(reference, object));
    const verdict = judge(object, this.#graph.get(uid), (r) => states.get(r.uid) ?? 'unknown');
    const { signal } = this.#context;
    switch (verdict.do) {
      case 'nothing':
        return;
      case 'disown':
        return this.#disown(kind, object, verdict.uids);
      case 'delete':
        if (verdict.unblock.length > 0) await this.#unblock(kind, object);
        if (isDeletingDependents(object) && verdict.policy === 'Foreground') return;
        await this.#client.delete(
          kind,
          { name, namespace },
          {
            propagationPolicy: verdict.policy,
            // Owners may be added in between: then it must be judged again.
            preconditions: verdict.unblock.length > 0 ? { uid } : { uid, resourceVersion },
            signal,
          },
        );
    }
  }

  #live(kind: Kind, { name, namespace, uid }: Identity): Promise<Stored<KubeObject> | undefined> {
    const ref = { name, namespace: kind.namespaced ? namespace : undefined };
    return this.#client.get(kind, ref, { signal: this.#context.signal }).then(
      (object) => (object.metadata.uid === uid ? object : undefined),
      (error) => {
        // Where the kind itself is not served, nobody knows whether the object is there.
        if (isApiError(error, 'NotFound') && error.status.details?.name !== undefined) return undefined;
        throw error;
      },
    );
  }

  /** How an owner stands as far as informers know; undefined where the server has to be asked. */
  #stateFromMemory(reference: OwnerReference, dependent: Stored<KubeObject>): OwnerState | undefined {
    const identity = this.#ownerOf(reference, dependent);
    if (this.#absent.has(placeOf(identity))) return 'absent';
    if (this.#kindOf(reference.apiVersion, reference.kind) === undefined) return 'unknown';
    const owner = this.#fromInformer(identity);
    if (owner === undefined) return undefined;
    return isDeletingDependents(owner) ? 'waiting' : 'solid';
  }

  async #stateOf(reference: OwnerReference, dependent: Stored<KubeObject>): Promise<OwnerState> {
    const known = this.#stateFromMemory(reference, dependent);
    if (known !== undefined && known !== 'solid') return known;
    const kind = this.#kindOf(reference.apiVersion, reference.kind);
    if (kind === undefined) return 'unknown';
    const identity = this.#ownerOf(reference, dependent);
    const owner = await this.#live(kind, identity);
    if (owner === undefined) {
      this.#isAbsent(identity);
      return 'absent';
    }
    return isDeletingDependents(owner) ? 'waiting' : 'solid';
  }

  /** Whether dependents still hold the object up; else its finalizer is taken away. */
  async #deleteDependents(kind: Kind, object: Stored<KubeObject>): Promise<boolean> {
    const node = this.#graph.get(object.metadata.uid);
    const blocking = node === undefined ? [] : blockingDependents(node);
    if (blocking.length === 0) {
      await this.#removeFinalizer(kind, object, FOREGROUND_FINALIZER);
      return false;
    }
    for (const d of blocking) if (!isDeletingDependents(d.object)) this.#queue.add(d.identity.uid);
    return true;
  }

  async #orphan(kind: Kind, object: Stored<KubeObject>): Promise<void> {
    const { uid } = object.metadata;
    const dependents = [...(this.#graph.get(uid)?.dependents ?? [])];
    await Promise.all(dependents.map((d) => this.#letGo(d, uid)));
    await this.#removeFinalizer(kind, object, ORPHAN_FINALIZER);
  }

  async #letGo(dependent: Node, ownerUid: string): Promise<void> {
    const { identity, object } = dependent;
    const kind = this.#kindOf(identity.apiVersion, identity.kind);
    if (kind === undefined || object === undefined) return;
    try {
      await this.#disown(kind, object, [ownerUid]);
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }

  async #disown(kind: Kind, object: Stored<KubeObject>, uids: readonly string[]): Promise<void> {
    const left = (object.metadata.ownerReferences ?? []).filter((r) => !uids.includes(r.uid));
    await this.#patchMeta(kind, object, { ownerReferences: left.length === 0 ? null : left });
  }

  async #unblock(kind: Kind, object: Stored<KubeObject>): Promise<void> {
    const references = (object.metadata.ownerReferences ?? []).map((r) => ({ ...r, blockOwnerDeletion: false }));
    await this.#patchMeta(kind, object, { ownerReferences: references });
  }

  async #removeFinalizer(kind: Kind, object: Stored<KubeObject>, finalizer: string): Promise<void> {
    const left = (object.metadata.finalizers ?? []).filter((f) => f !== finalizer);
    await this.#patchMeta(kind, object, { finalizers: left.length === 0 ? null : left });
  }

  /** A merge patch that holds only while the object is as it was seen. */
  async #patchMeta(kind: Kind, object: Stored<KubeObject>, change: object): Promise<void> {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, ...change } };
    await this.#client.patch(kind, { name, namespace }, 'merge', patch, { signal: this.#context.signal });
  }
}

/**
 * What was looked for in vain, and where. Another reference may have the uid of an object right, and its name or
 * namespace wrong: what is not found there says nothing of those who have it right.
 */
const placeOf = ({ apiVersion, kind, namespace = '', name, uid }: Identity) =>
  [groupOf(apiVersion), kind, namespace, name, uid].join(' ');

const ownersText = (object: KubeObject) => (object.metadata?.ownerReferences ?? []).map((r) => r.uid).join(',');

const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');
