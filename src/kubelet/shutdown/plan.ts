/** Which pods end when, as the node shuts down. Pure. */
import type { Pod } from '../../apis/core/pod.ts';
import { isCriticalPod } from '../eviction/ranking.ts';

/** Pods that end at the same time, and for how long they are waited for, in seconds. */
export interface ShutdownGroup {
  readonly seconds: number;
  readonly pods: readonly { readonly pod: Pod; readonly graceSeconds: number }[];
}

const DEFAULT_GRACE_S = 30;

/**
 * The usual ones first, then those that the node itself needs.
 * @param seconds for all; @param criticalSeconds of these for the critical ones
 */
export function shutdownGroups(pods: readonly Pod[], seconds: number, criticalSeconds: number): ShutdownGroup[] {
  const critical = Math.min(seconds, criticalSeconds);
  return [
    { seconds: seconds - critical, pods: pods.filter((pod) => !isCriticalPod(pod)) },
    { seconds: critical, pods: pods.filter(isCriticalPod) },
  ]
    .filter((group) => group.pods.length > 0)
    .map((group) => ({
      seconds: group.seconds,
      pods: group.pods.map((pod) => {
        const own = pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
        return { pod, graceSeconds: Math.min(own, group.seconds) };
      }),
    }));
}
