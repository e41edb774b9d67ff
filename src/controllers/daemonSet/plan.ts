/**
 * A daemon set: a pod on every node that it belongs on, updated a few nodes at a time.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ and
 * https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
 */
import type { ControllerRevision } from '../../apis/apps/controllerRevision.ts';
import { type DaemonSet, daemonSets } from '../../apis/apps/daemonSet.ts';
import type { Node } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { scaledValue } from '../../machinery/intOrString.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { type Action, statusUpdate } from '../action.ts';
import { claim } from '../claim.ts';
import type { Plan } from '../loop.ts';
import { availableInMs, isReady } from '../podState.ts';
import { hashOf, planCleanUp, REVISION_LABEL, revisionsOf } from '../revisions.ts';
import { type Belonging, belonging, nodeNameOf, podFor } from './node.ts';
import { statusOf } from './status.ts';

export interface DaemonSetWorld {
  readonly set: Stored<DaemonSet>;
  readonly nodes: readonly Stored<Node>[];
  readonly owned: readonly Stored<Pod>[];
  readonly orphans: readonly Stored<Pod>[];
  readonly revisions: readonly Stored<ControllerRevision>[];
  revisionNamed(name: string): Stored<ControllerRevision> | undefined;
  /** In how many ms a pod that failed on that node may be replaced; 0: now, and that is taken note of. */
  failureBackoffMs(nodeName: string): number;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** One node with the pods that the set has there, the oldest first. */
export interface NodePods {
  readonly name: string;
  readonly belonging: Belonging;
  readonly pods: readonly Stored<Pod>[];
}

/** Of pods to make or to delete, no more at once. */
const BURST = 250;

export function planDaemonSet(world: DaemonSetWorld): Plan {
  const { set, now } = world;
  const selector = selectorFrom(set.spec?.selector);
  // A selector that selects everything is taken for a mistake, as in Kubernetes.
  if (selector === undefined || selector.length === 0) return { actions: [] };
  const claimed = claim({
    owner: set,
    ownerKind: daemonSets,
    kind: pods,
    selector,
    owned: world.owned,
    orphans: world.orphans,
  });
  const { collisionCount } = set.status ?? {};
  const history = revisionsOf(set, daemonSets, world.revisions, collisionCount, world.revisionNamed);
  if (history.collided) {
    const status = { ...ZERO, ...set.status, collisionCount: (collisionCount ?? 0) + 1 };
    return { actions: [...claimed.actions, statusUpdate(daemonSets, { ...set, status })] };
  }
  const hash = hashOf(history.update);
  const nodes = byNode(set, world.nodes, claimed.claimed);
  const work = new DaemonWork(world, hash);
  if (set.metadata.deletionTimestamp === undefined) {
    work.plan(nodes);
    work.forget(claimed.claimed);
  }
  const live = new Set([
    history.update.metadata?.name ?? '',
    ...claimed.claimed.map((pod) => `${set.metadata.name}-${pod.metadata.labels?.[REVISION_LABEL] ?? ''}`),
  ]);
  const status = statusOf({ set, nodes, hash, now });
  return {
    actions: [
      ...claimed.actions,
      ...history.actions,
      ...work.actions,
      ...planCleanUp(history.all, live, set.spec?.revisionHistoryLimit),
    ],
    after: () => (status === undefined ? [] : [statusUpdate(daemonSets, { ...set, status })]),
    ...(work.againMs === undefined ? {} : { againMs: work.againMs }),
  };
}

const ZERO = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };

function byNode(set: DaemonSet, nodes: readonly Stored<Node>[], mine: readonly Stored<Pod>[]): NodePods[] {
  const found = new Map<string, Stored<Pod>[]>();
  for (const pod of mine) {
    const name = nodeNameOf(pod);
    found.set(name, [...(found.get(name) ?? []), pod]);
  }
  const age = (pod: Stored<Pod>) => pod.metadata.creationTimestamp ?? '';
  return nodes.map((node) => ({
    name: node.metadata.name,
    belonging: belonging(set, node),
    pods: (found.get(node.metadata.name) ?? []).sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0)),
  }));
}

class DaemonWork {
  againMs: number | undefined;
  readonly #world: DaemonSetWorld;
  readonly #hash: string;
  readonly #created: Action[] = [];
  readonly #deleted = new Map<Stored<Pod>, Action>();
  readonly #events: Action[] = [];

  constructor(world: DaemonSetWorld, hash: string) {
    this.#world = world;
    this.#hash = hash;
  }

  get actions(): Action[] {
    return [...this.#events, ...this.#created.slice(0, BURST), ...[...this.#deleted.values()].slice(0, BURST)];
  }

  plan(nodes: readonly NodePods[]): void {
    for (const node of nodes) this.#manage(node);
    if (this.#world.set.spec?.updateStrategy?.type !== 'OnDelete') this.#rollOut(nodes);
  }

  /** Takes away pods that wait for a node which is gone. */
  forget(mine: readonly Stored<Pod>[]): void {
    const known = new Set(this.#world.nodes.map((node) => node.metadata.name));
    for (const pod of mine) {
      const waits = !pod.spec?.nodeName && pod.metadata.deletionTimestamp === undefined;
      if (waits && !known.has(nodeNameOf(pod))) this.#delete(pod);
    }
  }

  /** Brings one node to one pod, or none. */
  #manage({ name, belonging: { run, stay }, pods: here }: NodePods): void {
    if (!stay) {
      for (const pod of here) if (pod.metadata.deletionTimestamp === undefined) this.#delete(pod);
      return;
    }
    if (here.length === 0) {
      if (run) this.#create(name);
      return;
    }
    const running: Stored<Pod>[] = [];
    for (const pod of here) {
      if (pod.metadata.deletionTimestamp !== undefined) continue;
      if (pod.status?.phase === 'Failed') this.#replaceFailed(pod, name);
      else if (pod.status?.phase === 'Succeeded') {
        this.#say(
          'Normal',
          'SucceededDaemonPod',
          `Found succeeded daemon pod ${where(pod)} on node ${name}, will try to delete it`,
        );
        this.#delete(pod);
      } else running.push(pod);
    }
    if (running.length > 1) this.#thinOut(running);
  }

  /**
   * Of several pods on a node one stays. In a surge there are two for a while: one of before that is ready, and the new
   * one until it is.
   */
  #thinOut(running: readonly Stored<Pod>[]): void {
    const kept = new Set<Stored<Pod> | undefined>([running[0]]);
    if (surgeOf(this.#world.set, 1) > 0) {
      const fresh = running.find((pod) => this.#isFresh(pod));
      const old = running.find((pod) => !this.#isFresh(pod));
      kept.clear();
      kept.add(fresh ?? old);
      if (fresh !== undefined && old !== undefined && !this.#isAvailable(fresh) && isReady(old)) kept.add(old);
    }
    for (const pod of running) if (!kept.has(pod)) this.#delete(pod);
  }

  #isFresh(pod: Stored<Pod>): boolean {
    return pod.metadata.labels?.[REVISION_LABEL] === this.#hash;
  }

  #replaceFailed(pod: Stored<Pod>, node: string): void {
    const waitMs = this.#world.failureBackoffMs(node);
    if (waitMs > 0) {
      this.#lookAgain(waitMs);
      return;
    }
    this.#say(
      'Warning',
      'FailedDaemonPod',
      `Found failed daemon pod ${where(pod)} on node ${node}, will try to kill it`,
    );
    this.#delete(pod);
  }

  #rollOut(nodes: readonly NodePods[]): void {
    const { set } = this.#world;
    const desired = nodes.filter((n) => n.belonging.run);
    const { maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
    const maxSurge = surgeOf(set, desired.length);
    const allowed = scaledValue(maxUnavailable, desired.length, 'up');
    if (maxSurge > 0) this.#surge(desired, maxSurge);
    else this.#replaceOld(desired, Math.max(1, allowed));
  }

  /** Deletes old pods: those that are of no use at once, of the others as many as may be unavailable. */
  #replaceOld(nodes: readonly NodePods[], allowed: number): void {
    let unavailable = 0;
    const candidates: Stored<Pod>[] = [];
    for (const node of nodes) {
      const { old, fresh } = this.#split(node);
      if (old === undefined && fresh === undefined) unavailable++;
      else if (fresh !== undefined) {
        if (!this.#isAvailable(fresh)) unavailable++;
      } else if (old !== undefined) {
        if (this.#isAvailable(old)) candidates.push(old);
        else {
          unavailable++;
          this.#delete(old);
        }
      }
    }
    for (const pod of candidates.slice(0, Math.max(0, allowed - unavailable))) this.#delete(pod);
  }

  /** Makes new pods beside the old ones, as many as may surge; an old one goes when the new one is available. */
  #surge(nodes: readonly NodePods[], maxSurge: number): void {
    let surging = 0;
    const candidates: string[] = [];
    for (const node of nodes) {
      const { old, fresh } = this.#split(node);
      if (old === undefined) continue;
      if (fresh === undefined) {
        if (this.#isAvailable(old)) candidates.push(node.name);
        // Nothing is risked with one that is of no use: it does not count.
        else this.#create(node.name);
      } else if (this.#isAvailable(fresh)) this.#delete(old);
      else surging++;
    }
    const room = Math.max(0, maxSurge - surging);
    for (const name of candidates.slice(0, room)) this.#create(name);
  }

  /** The pods of a node that are there to stay: of the present template, and of one before. */
  #split({ pods: here }: NodePods): { old: Stored<Pod> | undefined; fresh: Stored<Pod> | undefined } {
    const staying = here.filter((pod) => pod.metadata.deletionTimestamp === undefined && !this.#deleted.has(pod));
    return { old: staying.find((pod) => !this.#isFresh(pod)), fresh: staying.find((pod) => this.#isFresh(pod)) };
  }

  #isAvailable(pod: Stored<Pod>): boolean {
    const inMs = availableInMs(pod, this.#world.set.spec?.minReadySeconds ?? 0, this.#world.now);
    if (inMs !== undefined && inMs > 0) this.#lookAgain(inMs);
    return inMs === 0;
  }

  #lookAgain(ms: number): void {
    this.againMs = Math.min(this.againMs ?? ms, ms);
  }

  #create(node: string): void {
    this.#created.push({
      verb: 'create',
      kind: pods as Kind,
      object: podFor(this.#world.set, this.#hash, node),
      announce: {
        done: (pod) => this.#event('Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata?.name}`),
        failed: (error) => this.#event('Warning', 'FailedCreate', `Error creating: ${error.message}`),
      },
    });
  }

  #delete(pod: Stored<Pod>): void {
    this.#deleted.set(pod, {
      verb: 'delete',
      kind: pods as Kind,
      object: pod,
      announce: {
        done: () => this.#event('Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`),
        failed: (error) => this.#event('Warning', 'FailedDelete', `Error deleting: ${error.message}`),
      },
    });
  }

  #say(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#events.push(this.#event(type, reason, message));
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string) {
    return { verb: 'event', regarding: this.#world.set, type, reason, message } as const;
  }
}

function surgeOf({ spec }: DaemonSet, total: number): number {
  return scaledValue(spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, total, 'up');
}

const where = (pod: Stored<Pod>) => `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
