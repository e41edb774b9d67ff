/**
 * Which pods count, and which of them only against scaling.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { parseTime } from '../../machinery/time.ts';
import type { AutoscalerSettings } from './settings.ts';

/** What one pod was measured to use. */
export interface PodMetric {
  /** ms since the epoch: the end of the window */
  readonly at: number;
  readonly windowMs: number;
  /** in thousandths */
  readonly value: number;
}

/** By the name of the pod. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

export interface PodGroups {
  readonly readyCount: number;
  /** of pods that are ready */
  readonly metrics: PodMetrics;
  readonly unready: readonly string[];
  /** without a metric, though they run */
  readonly missing: readonly string[];
}

type Timing = Pick<AutoscalerSettings, 'cpuInitializationMs' | 'initialReadinessDelayMs'>;

/** @param resource '' for what is no resource: only the start of a pod takes CPU that says nothing of its load */
export function groupPods(
  pods: readonly Stored<Pod>[],
  metrics: PodMetrics,
  resource: string,
  now: number,
  timing: Timing,
): PodGroups {
  const left = new Map(metrics);
  const unready: string[] = [];
  const missing: string[] = [];
  let readyCount = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') left.delete(name);
    else if (pod.status?.phase === 'Pending') {
      left.delete(name);
      unready.push(name);
    } else if (metric === undefined) missing.push(name);
    else if (resource === 'cpu' && isStarting(pod, metric, now, timing)) {
      left.delete(name);
      unready.push(name);
    } else readyCount++;
  }
  return { readyCount, metrics: left, unready, missing };
}

function isStarting({ status }: Pod, metric: PodMetric, now: number, timing: Timing): boolean {
  const ready = status?.conditions?.find((c) => c.type === 'Ready');
  const started = parseTime(status?.startTime);
  if (ready === undefined || started === undefined) return true;
  const isUnready = ready.status === 'False';
  const changed = parseTime(ready.lastTransitionTime) ?? 0;
  // While it may still start, what was measured must have been measured since it became ready.
  if (started + timing.cpuInitializationMs > now) return isUnready || metric.at < changed + metric.windowMs;
  return isUnready && started + timing.initialReadinessDelayMs > changed;
}
