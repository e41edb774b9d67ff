/**
 * A stateful set: pods with names that stay, made, replaced and taken away in order.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
import type { ControllerRevision } from '../../apis/apps/controllerRevision.ts';
import { type StatefulSet, statefulSets } from '../../apis/apps/statefulSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { scaledValue } from '../../machinery/intOrString.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { parseTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import { claim } from '../claim.ts';
import type { Plan } from '../loop.ts';
import { availableInMs, isFinished } from '../podState.ts';
import { nameOf, planCleanUp, REVISION_LABEL, revisionsOf } from '../revisions.ts';
import { type FindClaim, hasClaimThatGoes, planClaimOwners, planMissingClaims } from './claims.ts';
import { firstOrdinal, hasIdentity, ordinalOf, podNameOf, podOf, withIdentity } from './pod.ts';
import { statusOf } from './status.ts';

/** Times of creation are whole seconds: at least a second passes. */
const LEAST_LIFE_MS = 2_000;

export interface StatefulSetWorld {
  readonly set: Stored<StatefulSet>;
  readonly owned: readonly Stored<Pod>[];
  readonly orphans: readonly Stored<Pod>[];
  readonly revisions: readonly Stored<ControllerRevision>[];
  revisionNamed(name: string): Stored<ControllerRevision> | undefined;
  readonly claim: FindClaim;
  /** milliseconds since the epoch */
  readonly now: number;
}

export function planStatefulSet(world: StatefulSetWorld): Plan {
  const { set } = world;
  const selector = selectorFrom(set.spec?.selector);
  if (selector === undefined) return { actions: [] };
  const orphans = world.orphans.filter((pod) => ordinalOf(set, pod.metadata.name) !== undefined);
  const claimed = claim({ owner: set, ownerKind: statefulSets, kind: pods, selector, owned: world.owned, orphans });
  const mine = claimed.claimed.filter((pod) => ordinalOf(set, pod.metadata.name) !== undefined);
  const { collisionCount } = set.status ?? {};
  const history = revisionsOf(set, statefulSets, world.revisions, collisionCount, world.revisionNamed);
  if (history.collided) {
    const status = { ...(set.status ?? { replicas: 0 }), collisionCount: (collisionCount ?? 0) + 1 };
    return { actions: [...claimed.actions, statusUpdate(statefulSets, { ...set, status })] };
  }
  const current = history.all.find((r) => r.metadata?.name === set.status?.currentRevision) ?? history.update;
  const rollout = new Rollout(world, mine, current, history.update);
  if (set.metadata.deletionTimestamp === undefined) rollout.plan();
  const live = new Set([
    nameOf(current),
    nameOf(history.update),
    ...mine.map((pod) => pod.metadata.labels?.[REVISION_LABEL] ?? ''),
  ]);
  const status = statusOf({ set, pods: mine, current, update: history.update, now: world.now });
  return {
    actions: [
      ...claimed.actions,
      ...history.actions,
      ...rollout.actions,
      ...planCleanUp(history.all, live, set.spec?.revisionHistoryLimit),
    ],
    after: () => (status === undefined ? [] : [statusUpdate(statefulSets, { ...set, status })]),
    ...(rollout.againMs === undefined ? {} : { againMs: rollout.againMs }),
  };
}

/** So many pods are made at once; the rest when these are there. */
const BURST = 500;

/** What is to be done with the pods now; the next look goes on from there. */
class Rollout {
  readonly actions: Action[] = [];
  againMs: number | undefined;
  readonly #world: StatefulSetWorld;
  readonly #set: Stored<StatefulSet>;
  readonly #current: ControllerRevision;
  readonly #update: ControllerRevision;
  /** by ordinal */
  readonly #pods: ReadonlyMap<number, Stored<Pod>>;
  readonly #ordered: boolean;

  constructor(
    world: StatefulSetWorld,
    mine: readonly Stored<Pod>[],
    current: ControllerRevision,
    update: ControllerRevision,
  ) {
    this.#world = world;
    this.#set = world.set;
    this.#current = current;
    this.#update = update;
    this.#pods = new Map(mine.map((pod) => [ordinalOf(world.set, pod.metadata.name) ?? -1, pod]));
    this.#ordered = world.set.spec?.podManagementPolicy !== 'Parallel';
  }

  plan(): void {
    if (!this.#fill()) return;
    const condemned = [...this.#pods.keys()].filter((o) => !this.#isWanted(o)).sort((a, b) => b - a);
    if (!this.#scaleDown(condemned)) return;
    this.#replace();
  }

  /** The ordinals that there should be; there may be two thousand million of them. */
  get #wanted(): { readonly first: number; readonly end: number } {
    const first = firstOrdinal(this.#set);
    return { first, end: first + (this.#set.spec?.replicas ?? 1) };
  }

  #isWanted(ordinal: number): boolean {
    const { first, end } = this.#wanted;
    return ordinal >= first && ordinal < end;
  }

  /** Makes what is missing, the lowest first. False where pods must be waited for: in order, or as many are made. */
  #fill(): boolean {
    const { first, end } = this.#wanted;
    let made = 0;
    for (let ordinal = first; ordinal < end; ordinal++) {
      const pod = this.#pods.get(ordinal);
      if (pod === undefined) {
        if (made++ === BURST) return false;
        this.#create(ordinal);
        if (this.#ordered) return false;
        continue;
      }
      if (pod.metadata.deletionTimestamp !== undefined) {
        if (this.#ordered) return false;
        continue;
      }
      if (isFinished(pod)) {
        this.#replaceFinished(pod);
        if (this.#ordered) return false;
        continue;
      }
      this.#keepIdentity(pod, ordinal);
      if (this.#ordered && !this.#isAvailable(pod)) return false;
    }
    return true;
  }

  #create(ordinal: number): void {
    const set = this.#set;
    const name = podNameOf(set, ordinal);
    const { claim } = this.#world;
    if (hasClaimThatGoes(set, name, claim)) return;
    this.actions.push(...planMissingClaims(set, name, claim));
    const about = `Pod ${name} in StatefulSet ${set.metadata.name}`;
    this.actions.push({
      verb: 'create',
      kind: pods as Kind,
      object: podOf(set, this.#revisionFor(ordinal), ordinal),
      announce: {
        done: () => this.#event('Normal', 'SuccessfulCreate', `create ${about} successful`),
        failed: (error) => this.#event('Warning', 'FailedCreate', `create ${about} failed error: ${error.message}`),
      },
    });
  }

  /** Below the partition pods stay as they were. */
  #revisionFor(ordinal: number): ControllerRevision {
    const { updateStrategy } = this.#set.spec ?? {};
    if (updateStrategy?.type === 'OnDelete') return this.#update;
    const partition = firstOrdinal(this.#set) + (updateStrategy?.rollingUpdate?.partition ?? 0);
    return ordinal < partition ? this.#current : this.#update;
  }

  #keepIdentity(pod: Stored<Pod>, ordinal: number): void {
    const { claim } = this.#world;
    this.actions.push(...planMissingClaims(this.#set, pod.metadata.name, claim));
    this.actions.push(...planClaimOwners(this.#set, pod, false, claim));
    if (hasIdentity(this.#set, pod, ordinal)) return;
    this.actions.push({ verb: 'update', kind: pods as Kind, object: withIdentity(this.#set, pod, ordinal) });
  }

  /** Takes away what is too much, the highest first. False where, in order, a pod must be waited for. */
  #scaleDown(condemned: readonly number[]): boolean {
    for (const ordinal of condemned) {
      // There is one for each of them.
      const pod = this.#pods.get(ordinal) as Stored<Pod>;
      if (pod.metadata.deletionTimestamp !== undefined) {
        if (this.#ordered) return false;
        continue;
      }
      // One that is broken may go though others are broken, too; a sound one waits until those are well.
      if (this.#ordered && !this.#isAvailable(pod) && this.#isBlocked(ordinal)) return false;
      this.actions.push(...planClaimOwners(this.#set, pod, true, this.#world.claim));
      this.#delete(pod);
      if (this.#ordered) return false;
    }
    return true;
  }

  /** Whether a pod of a lower ordinal is not available either. */
  #isBlocked(ordinal: number): boolean {
    return [...this.#pods].some(([other, pod]) => other < ordinal && !this.#isAvailable(pod));
  }

  /** Replaces pods of other revisions, the highest ordinal first, as many at once as may be unavailable. */
  #replace(): void {
    const { updateStrategy, replicas = 1 } = this.#set.spec ?? {};
    if (updateStrategy?.type === 'OnDelete') return;
    const { partition = 0, maxUnavailable = 1 } = updateStrategy?.rollingUpdate ?? {};
    const allowed = Math.max(1, scaledValue(maxUnavailable, replicas, 'down'));
    const lowest = firstOrdinal(this.#set) + partition;
    let unavailable = 0;
    const old: Stored<Pod>[] = [];
    const { first, end } = this.#wanted;
    for (let ordinal = end - 1; ordinal >= first; ordinal--) {
      const pod = this.#pods.get(ordinal);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) unavailable++;
      else if (ordinal >= lowest && !this.#isUpToDate(pod)) old.push(pod);
      else if (!this.#isAvailable(pod)) unavailable++;
      // In order nothing is replaced below a pod that is not available yet.
      if (unavailable >= allowed) break;
    }
    for (const pod of old) {
      if (unavailable >= allowed) return;
      this.#delete(pod);
      unavailable++;
    }
  }

  #isUpToDate(pod: Stored<Pod>): boolean {
    return pod.metadata.labels?.[REVISION_LABEL] === nameOf(this.#update);
  }

  #isAvailable(pod: Stored<Pod>): boolean {
    if (pod.metadata.deletionTimestamp !== undefined || isFinished(pod)) return false;
    const inMs = availableInMs(pod, this.#set.spec?.minReadySeconds ?? 0, this.#world.now);
    if (inMs !== undefined && inMs > 0) this.againMs = Math.min(this.againMs ?? inMs, inMs);
    return inMs === 0;
  }

  /** It is made anew once it is gone. */
  #replaceFinished(pod: Stored<Pod>): void {
    const ageMs = this.#world.now - (parseTime(pod.metadata.creationTimestamp) ?? 0);
    // One that failed as soon as it was made, as on a node that refuses it, would do so again at once.
    if (ageMs < LEAST_LIFE_MS && pod.status?.phase === 'Failed') {
      const inMs = LEAST_LIFE_MS - ageMs;
      this.againMs = Math.min(this.againMs ?? inMs, inMs);
      return;
    }
    this.#sayRecreated(pod);
    this.#delete(pod);
  }

  #sayRecreated(pod: Stored<Pod>): void {
    const say = (type: 'Normal' | 'Warning', reason: string, what: string) => {
      const message = `StatefulSet ${this.#where()} is recreating ${what} Pod ${pod.metadata.name}`;
      this.actions.push(this.#event(type, reason, message));
    };
    if (pod.status?.phase === 'Failed') say('Warning', 'RecreatingFailedPod', 'failed');
    else say('Normal', 'RecreatingTerminatedPod', 'terminated');
  }

  #delete(pod: Stored<Pod>): void {
    const about = `Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name}`;
    this.actions.push({
      verb: 'delete',
      kind: pods as Kind,
      object: pod,
      announce: {
        done: () => this.#event('Normal', 'SuccessfulDelete', `delete ${about} successful`),
        failed: (error) => this.#event('Warning', 'FailedDelete', `delete ${about} failed error: ${error.message}`),
      },
    });
  }

  #where(): string {
    return `${this.#set.metadata.namespace ?? ''}/${this.#set.metadata.name}`;
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string) {
    return { verb: 'event', regarding: this.#set, type, reason, message } as const;
  }
}
