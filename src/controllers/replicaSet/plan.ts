/**
 * A replica set keeps a number of like pods.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 */
import type { ReplicaSet, ReplicaSetStatus } from '../../apis/apps/replicaSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { parseTime } from '../../machinery/time.ts';
import { type Action, type EventAction, isNamespaceGoing } from '../action.ts';
import { claim } from '../claim.ts';
import type { Plan } from '../loop.ts';
import { availableInMs, isActive } from '../podState.ts';
import { podsToDelete } from './podOrder.ts';
import { statusOf } from './status.ts';

/** What keeps the pods: a replica set, or a replication controller in the form of one. */
export interface ReplicaSetWorld {
  readonly kind: Pick<Kind, 'group' | 'version' | 'kind' | 'plural'>;
  readonly set: Stored<ReplicaSet>;
  /** the write of a status */
  statusUpdate(status: ReplicaSetStatus): Action;
  /** pods whose controller the set is */
  readonly owned: readonly Stored<Pod>[];
  /** pods in the namespace without a controller */
  readonly orphans: readonly Stored<Pod>[];
  /** pods of this set and of all that the same owner has */
  readonly related: readonly Pod[];
  /** milliseconds since the epoch */
  readonly now: number;
}

/** Of pods to make or to delete, no more at once. */
export const BURST = 500;
/** Pods that fail as soon as they are made, as on a node that refuses them, are made anew this seldom: so many in so long. */
const FAILURES = { count: 5, withinMs: 5_000 } as const;

export function planReplicaSet(world: ReplicaSetWorld): Plan {
  const { set, now } = world;
  const selector = selectorFrom(set.spec?.selector);
  if (selector === undefined) return { actions: [] };
  const { owned, orphans } = world;
  const ownerKind = world.kind as Kind<ReplicaSet>;
  const { claimed, actions } = claim({ owner: set, ownerKind, kind: pods, selector, owned, orphans });
  const active = claimed.filter(isActive);
  let going: readonly Stored<Pod>[] = [];
  const missing = (set.spec?.replicas ?? 1) - active.length;
  const failsAtOnce = missing > 0 && failedLately(claimed, now) >= Math.max(FAILURES.count, set.spec?.replicas ?? 1);
  if (set.metadata.deletionTimestamp === undefined) {
    if (missing > 0 && !failsAtOnce)
      actions.push(...repeated(Math.min(missing, BURST), () => creationOf(world.kind, set)));
    else if (missing < 0) {
      going = podsToDelete(active, world.related, Math.min(-missing, BURST), now);
      actions.push(...going.map((pod) => deletionOf(set, pod)));
    }
  }
  const availableMs = nextChangeMs(active, set.spec?.minReadySeconds ?? 0, now);
  const againMs = failsAtOnce ? FAILURES.withinMs / FAILURES.count : availableMs;
  return {
    actions,
    ...(againMs === undefined ? {} : { againMs }),
    after(failure) {
      // The pods that were made are about to be seen, and then there is more to say; but where many are still to be
      // made, how far it is.
      const isMade = missing > 0 && missing <= BURST && !failsAtOnce && set.metadata.deletionTimestamp === undefined;
      if (failure === undefined && isMade) return [];
      const reason = isNamespaceGoing(failure) ? undefined : failure;
      // What was deleted just now does not count any more, though the informer may not show it yet.
      const deleted = new Set(failure === undefined ? going : []);
      const status = statusOf({ set, claimed, deleted, now, missing, failure: reason });
      return status === undefined ? [] : [world.statusUpdate(status)];
    },
  };
}

/** How many pods have failed that were made not long ago. */
function failedLately(all: readonly Stored<Pod>[], now: number): number {
  return all.filter(({ status, metadata }) => {
    if (status?.phase !== 'Failed') return false;
    return now - (parseTime(metadata.creationTimestamp) ?? 0) < FAILURES.withinMs;
  }).length;
}

/** When the first of the pods that are ready but not yet available becomes so. */
function nextChangeMs(active: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const waits = active.map((pod) => availableInMs(pod, minReadySeconds, now) ?? 0).filter((ms) => ms > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function creationOf(kind: ReplicaSetWorld['kind'], set: Stored<ReplicaSet>): Action {
  return {
    verb: 'create',
    kind: pods as Kind,
    object: podFromTemplate(kind, set),
    announce: {
      done: (pod) => eventOf(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata?.name}`),
      failed: (error) => eventOf(set, 'Warning', 'FailedCreate', `Error creating: ${error.message}`),
    },
  };
}

function deletionOf(set: Stored<ReplicaSet>, pod: Stored<Pod>): Action {
  return {
    verb: 'delete',
    kind: pods as Kind,
    object: pod,
    announce: {
      done: () => eventOf(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`),
      failed: (error) => eventOf(set, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`),
    },
  };
}

function eventOf(set: ReplicaSet, type: EventAction['type'], reason: string, message: string): EventAction {
  return { verb: 'event', regarding: set, type, reason, message };
}

/** The pod that the template describes. Its parts are shared with the set: it is to be sent, not to be changed. */
export function podFromTemplate(kind: ReplicaSetWorld['kind'], set: Stored<ReplicaSet>): Pod {
  const template = set.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      generateName: `${set.metadata.name}-`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(set, kind)],
    },
    spec: template?.spec ?? { containers: [] },
  };
}

function repeated<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
