/**
 * A replica set keeps a number of like pods.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/
 */
import { type ReplicaSet, replicaSets } from '../../apis/apps/replicaSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { type Action, type EventAction, isNamespaceGoing, statusUpdate } from '../action.ts';
import { claim } from '../claim.ts';
import type { Plan } from '../loop.ts';
import { availableInMs, isActive } from '../podState.ts';
import { podsToDelete } from './podOrder.ts';
import { statusOf } from './status.ts';

export interface ReplicaSetWorld {
  readonly set: Stored<ReplicaSet>;
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

export function planReplicaSet(world: ReplicaSetWorld): Plan {
  const { set, now } = world;
  const selector = selectorFrom(set.spec?.selector);
  if (selector === undefined) return { actions: [] };
  const { owned, orphans } = world;
  const { claimed, actions } = claim({ owner: set, ownerKind: replicaSets, kind: pods, selector, owned, orphans });
  const active = claimed.filter(isActive);
  let going: readonly Stored<Pod>[] = [];
  const missing = (set.spec?.replicas ?? 1) - active.length;
  if (set.metadata.deletionTimestamp === undefined) {
    if (missing > 0) actions.push(...repeated(Math.min(missing, BURST), () => creationOf(set)));
    else if (missing < 0) {
      going = podsToDelete(active, world.related, Math.min(-missing, BURST), now);
      actions.push(...going.map((pod) => deletionOf(set, pod)));
    }
  }
  const againMs = nextChangeMs(active, set.spec?.minReadySeconds ?? 0, now);
  return {
    actions,
    ...(againMs === undefined ? {} : { againMs }),
    after(failure) {
      const reason = isNamespaceGoing(failure) ? undefined : failure;
      // What was deleted just now does not count any more, though the informer may not show it yet.
      const deleted = new Set(failure === undefined ? going : []);
      const status = statusOf({ set, claimed, deleted, now, missing, failure: reason });
      return status === undefined ? [] : [statusUpdate(replicaSets, { ...set, status })];
    },
  };
}

/** When the first of the pods that are ready but not yet available becomes so. */
function nextChangeMs(active: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  if (minReadySeconds === 0) return undefined;
  const waits = active.map((pod) => availableInMs(pod, minReadySeconds, now) ?? 0).filter((ms) => ms > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function creationOf(set: Stored<ReplicaSet>): Action {
  return {
    verb: 'create',
    kind: pods as Kind,
    object: podFromTemplate(set),
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
export function podFromTemplate(set: Stored<ReplicaSet>): Pod {
  const template = set.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      generateName: `${set.metadata.name}-`,
      ...(set.metadata.namespace === undefined ? {} : { namespace: set.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(set, replicaSets)],
    },
    spec: template?.spec ?? { containers: [] },
  };
}

function repeated<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
