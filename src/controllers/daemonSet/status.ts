/** What a daemon set says of itself. */
import { type DaemonSet, DaemonSetStatus } from '../../apis/apps/daemonSet.ts';
import type { Stored } from '../../machinery/kind.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { availableInMs, isReady } from '../podState.ts';
import { REVISION_LABEL } from '../revisions.ts';
import type { NodePods } from './plan.ts';

export interface DaemonSetObserved {
  readonly set: Stored<DaemonSet>;
  readonly nodes: readonly NodePods[];
  /** of the present template */
  readonly hash: string;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** The status to write; undefined where it says so already. */
export function statusOf({ set, nodes, hash, now }: DaemonSetObserved): DaemonSetStatus | undefined {
  const desired = nodes.filter((n) => n.belonging.run);
  const scheduled = desired.filter((n) => n.pods.length > 0);
  // Of several the one that is ready counts, else the oldest.
  const shown = scheduled.map((n) => n.pods.find(isReady) ?? n.pods[0]).filter((pod) => pod !== undefined);
  const ready = shown.filter(isReady);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const available = ready.filter((pod) => availableInMs(pod, minReadySeconds, now) === 0);
  const { collisionCount, conditions } = set.status ?? {};
  const status: Required<Omit<DaemonSetStatus, 'collisionCount' | 'conditions'>> = {
    currentNumberScheduled: scheduled.length,
    numberMisscheduled: nodes.filter((n) => !n.belonging.run && n.pods.length > 0).length,
    desiredNumberScheduled: desired.length,
    numberReady: ready.length,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: shown.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] === hash).length,
    numberAvailable: available.length,
    numberUnavailable: desired.length - available.length,
  };
  const kept = {
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
  const before: DaemonSetStatus = { ...ZERO, ...set.status };
  return semanticEqual(DaemonSetStatus, before, { ...status, ...kept }) && set.status !== undefined
    ? undefined
    : { ...withoutZeros(status), ...kept };
}

const ZERO = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
  observedGeneration: 0,
  updatedNumberScheduled: 0,
  numberAvailable: 0,
  numberUnavailable: 0,
};

/** Counts that Kubernetes leaves out where they are none. */
function withoutZeros(status: Required<Omit<DaemonSetStatus, 'collisionCount' | 'conditions'>>): DaemonSetStatus {
  const { updatedNumberScheduled, numberAvailable, numberUnavailable, ...always } = status;
  const optional = { updatedNumberScheduled, numberAvailable, numberUnavailable };
  return { ...always, ...Object.fromEntries(Object.entries(optional).filter(([, count]) => count !== 0)) };
}
