/** What controllers ask of a pod. Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ */
import type { Pod } from '../apis/core/pod.ts';
import { parseTime } from '../machinery/time.ts';

/** Neither finished nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata?.deletionTimestamp === undefined;
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function readyCondition(pod: Pod) {
  return pod.status?.conditions?.find((c) => c.type === 'Ready');
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}

/** Since when the pod has been ready, in milliseconds since the epoch; undefined where it is not. */
export function readySince(pod: Pod): number | undefined {
  const condition = readyCondition(pod);
  return condition?.status === 'True' ? (parseTime(condition.lastTransitionTime) ?? 0) : undefined;
}

/**
 * In how many milliseconds the pod will be available, which is when it has been ready for `minReadySeconds`;
 * 0 where it is, undefined where it is not ready.
 */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const since = readySince(pod);
  if (since === undefined) return undefined;
  return minReadySeconds === 0 ? 0 : Math.max(0, since + minReadySeconds * 1000 - nowMs);
}
