/**
 * Since when endpoints should have been what they become now: the annotation from which it is measured how long the
 * network takes to follow.
 *
 * Source: https://kubernetes.io/docs/reference/labels-annotations-taints/#endpoints-kubernetes-io-last-change-trigger-time
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Service } from '../../apis/core/service.ts';
import type { Stored } from '../../machinery/kind.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';

export const LAST_CHANGE_TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

interface Seen {
  readonly service: number;
  readonly pods: ReadonlyMap<string, number>;
}

/** Knows what was seen of each service, by its key. */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** When the earliest of the changes since the last call happened; undefined where that cannot be told. */
  next(key: string, service: Stored<Service>, pods: readonly Stored<Pod>[]): string | undefined {
    const before = this.#seen.get(key);
    const changes: number[] = [];
    const podTimes = new Map<string, number>();
    for (const pod of pods) {
      const ready = pod.status?.conditions?.find((c) => c.type === 'Ready');
      const time = parseTime(ready?.lastTransitionTime);
      if (time === undefined) continue;
      podTimes.set(pod.metadata.name, time);
      if (time > (before?.pods.get(pod.metadata.name) ?? Number.NEGATIVE_INFINITY)) changes.push(time);
    }
    const made = parseTime(service.metadata.creationTimestamp) ?? 0;
    if (made > (before?.service ?? Number.NEGATIVE_INFINITY)) changes.push(made);
    this.#seen.set(key, { service: made, pods: podTimes });
    return changes.length === 0 ? undefined : formatTime(Math.min(...changes));
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

/** Annotations with that time in place of an earlier one. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [LAST_CHANGE_TRIGGER_TIME]: _old, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [LAST_CHANGE_TRIGGER_TIME]: time };
}
