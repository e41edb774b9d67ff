/** What the scheduler writes about a pod that it could not place. */
import type { Pod } from '../apis/core/pod.ts';
import type { Stored } from '../machinery/kind.ts';
import { formatTime } from '../machinery/time.ts';

export interface Verdict {
  /** `SchedulerError` where something went wrong */
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** the node where room is being made; undefined where none is */
  readonly nominatedNodeName: string | undefined;
}

/**
 * A strategic merge patch of the pod's status; undefined where it says all of this already.
 * @param now milliseconds since the epoch
 */
export function statusPatch(pod: Stored<Pod>, verdict: Verdict, now: number): object | undefined {
  const { reason, message, nominatedNodeName } = verdict;
  const before = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
  const same = before?.status === 'False' && before.reason === reason && before.message === message;
  const nominated = pod.status?.nominatedNodeName || undefined;
  if (same && nominated === nominatedNodeName) return undefined;
  const transition = before?.status === 'False' ? before.lastTransitionTime : undefined;
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime: transition ?? formatTime(now),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
  return {
    metadata: { uid: pod.metadata.uid },
    status: {
      conditions: [condition],
      ...(nominated === nominatedNodeName ? {} : { nominatedNodeName: nominatedNodeName ?? null }),
    },
  };
}
