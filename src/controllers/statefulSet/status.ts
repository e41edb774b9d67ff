/** What a stateful set says of itself. */
import type { ControllerRevision } from '../../apis/apps/controllerRevision.ts';
import { type StatefulSet, StatefulSetStatus } from '../../apis/apps/statefulSet.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { availableInMs, isReady } from '../podState.ts';
import { nameOf, REVISION_LABEL } from '../revisions.ts';

export interface StatefulSetObserved {
  readonly set: Stored<StatefulSet>;
  readonly pods: readonly Pod[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** The status to write; undefined where it says so already. */
export function statusOf({ set, pods, current, update, now }: StatefulSetObserved): StatefulSetStatus | undefined {
  const isOf = (pod: Pod, revision: ControllerRevision) =>
    pod.metadata?.labels?.[REVISION_LABEL] === nameOf(revision) && pod.metadata.deletionTimestamp === undefined;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod));
  const available = ready.filter((pod) => availableInMs(pod, minReadySeconds, now) === 0);
  const updatedReplicas = pods.filter((pod) => isOf(pod, update)).length;
  const wanted = set.spec?.replicas ?? 1;
  // Every pod is of the new revision and ready: it is the current one from now on.
  const complete = updatedReplicas === wanted && ready.length === wanted && pods.length === wanted;
  const settled = complete ? update : current;
  const { collisionCount, conditions } = set.status ?? {};
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: available.length,
    currentReplicas: pods.filter((pod) => isOf(pod, settled)).length,
    updatedReplicas,
    currentRevision: settled.metadata?.name ?? '',
    updateRevision: update.metadata?.name ?? '',
    collisionCount: collisionCount ?? 0,
    ...(conditions === undefined ? {} : { conditions }),
  };
  const before: StatefulSetStatus = { ...ZERO, ...(set.status ?? { replicas: 0 }) };
  return semanticEqual(StatefulSetStatus, before, status) ? undefined : withoutZeros(status);
}

const ZERO = {
  observedGeneration: 0,
  readyReplicas: 0,
  availableReplicas: 0,
  currentReplicas: 0,
  updatedReplicas: 0,
  currentRevision: '',
  updateRevision: '',
  collisionCount: 0,
};

/** Counts that Kubernetes leaves out where they are none. */
function withoutZeros(status: StatefulSetStatus): StatefulSetStatus {
  const { currentReplicas, updatedReplicas, readyReplicas, ...rest } = status;
  return {
    ...rest,
    ...(readyReplicas ? { readyReplicas } : {}),
    ...(currentReplicas ? { currentReplicas } : {}),
    ...(updatedReplicas ? { updatedReplicas } : {}),
  };
}
