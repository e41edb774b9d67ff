/** What a replica set says of itself. */
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../../apis/apps/replicaSet.ts';
import { ReplicaSetStatus as StatusType } from '../../apis/apps/replicaSet.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFromMap } from '../../machinery/labelSelector.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime } from '../../machinery/time.ts';
import { availableInMs, isActive, isFinished, isReady } from '../podState.ts';

export interface Observed {
  readonly set: Stored<ReplicaSet>;
  readonly claimed: readonly Pod[];
  /** those of them that were told to go just now */
  readonly deleted: ReadonlySet<Pod>;
  /** how many pods were to be made; negative: to be deleted */
  readonly missing: number;
  /** why that failed */
  readonly failure: Error | undefined;
  readonly now: number;
}

/** The status to write; undefined where it says so already. */
export function statusOf(observed: Observed): ReplicaSetStatus | undefined {
  const { set, claimed, deleted, missing, failure, now } = observed;
  const active = claimed.filter((pod) => isActive(pod) && !deleted.has(pod));
  const labelled = selectorFromMap(set.spec?.template?.metadata?.labels);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const conditions = conditionsOf(set, missing, failure, now);
  const status: ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => matchesLabels(labelled, pod.metadata?.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => availableInMs(pod, minReadySeconds, now) === 0).length,
    terminatingReplicas: claimed.filter((pod) => isTerminating(pod) || deleted.has(pod)).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return semanticEqual(StatusType, withZeros(set.status), status) ? undefined : withoutZeros(status);
}

const isTerminating = (pod: Pod) => !isActive(pod) && !isFinished(pod);

/** As Kubernetes writes it: what is none is left out, but for the replicas themselves and those that are going. */
function withoutZeros({ replicas, terminatingReplicas = 0, ...counts }: ReplicaSetStatus): ReplicaSetStatus {
  const some = Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0));
  return { replicas, terminatingReplicas, ...some };
}

/** A count that is left out is none. */
function withZeros(status: ReplicaSetStatus | undefined): ReplicaSetStatus {
  return {
    fullyLabeledReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    terminatingReplicas: 0,
    observedGeneration: 0,
    ...(status ?? { replicas: 0 }),
  };
}

function conditionsOf(set: ReplicaSet, missing: number, failure: Error | undefined, now: number) {
  const conditions: ReplicaSetCondition[] = (set.status?.conditions ?? []).filter((c) => c.type !== 'ReplicaFailure');
  if (failure === undefined || missing === 0) return conditions;
  const known = set.status?.conditions?.find((c) => c.type === 'ReplicaFailure');
  conditions.push(
    known ?? {
      type: 'ReplicaFailure',
      status: 'True',
      lastTransitionTime: formatTime(now),
      reason: missing > 0 ? 'FailedCreate' : 'FailedDelete',
      message: failure.message,
    },
  );
  return conditions;
}
