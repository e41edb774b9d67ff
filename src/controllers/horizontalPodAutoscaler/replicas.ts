/**
 * From what is used and what is to be used, to a number of replicas.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isReady } from '../podState.ts';
import { ScalingFailure } from './failure.ts';
import { groupPods, type PodMetric, type PodMetrics } from './podGroups.ts';
import { requestsOf } from './requests.ts';
import type { AutoscalerSettings } from './settings.ts';

export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a number of replicas is told from. */
export interface ReplicaWorld {
  /** that the target is to have */
  readonly specReplicas: number;
  /** that the target has */
  readonly statusReplicas: number;
  /** of the target */
  readonly pods: readonly Stored<Pod>[];
  readonly tolerances: Tolerances;
  /** ms since the epoch */
  readonly now: number;
  readonly settings: AutoscalerSettings;
}

export interface Proposal {
  readonly replicas: number;
  /** on average for each pod, or in all where the target is a total; in thousandths */
  readonly usage: number;
  /** percent of what is requested */
  readonly utilization?: number;
}

/** What replicas and amounts cannot exceed. */
const MAX_INT32 = 2 ** 31 - 1;

const isWithin = ({ up, down }: Tolerances, ratio: number) => 1 - down <= ratio && ratio <= 1 + up;
const atMost = (replicas: number) => Math.min(Math.ceil(replicas), MAX_INT32);

/** How much of the target is used by pods of which these are known. */
interface Use {
  readonly ratio: number;
  readonly usage: number;
  readonly utilization?: number;
}

/** @param target percent of what pods request. @param container '' for all of a pod. @throws ScalingFailure */
export function byUtilization(
  world: ReplicaWorld,
  metrics: PodMetrics,
  { resource, container, target }: { resource: string; container: string; target: number },
): Proposal {
  let requests: ReadonlyMap<string, number> = new Map();
  return fromPods(world, metrics, resource, {
    prepare() {
      requests = requestsOf(world.pods, resource, container);
    },
    use(measured): Use {
      const known = [...measured].filter(([name]) => requests.has(name));
      const used = known.reduce((sum, [, { value }]) => sum + value, 0);
      const requested = known.reduce((sum, [name]) => sum + (requests.get(name) ?? 0), 0);
      if (requested === 0) throw new ScalingFailure('no metrics returned matched known pods');
      const utilization = Math.min(Math.trunc((used * 100) / requested), MAX_INT32);
      return { ratio: utilization / target, usage: Math.trunc(used / known.length), utilization };
    },
    // All that they request, or what they are to use where that is more.
    most: (name) => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100),
  });
}

/** @param target of each pod, in thousandths. @param resource '' for what is no resource. @throws ScalingFailure */
export function byAverage(world: ReplicaWorld, metrics: PodMetrics, resource: string, target: number): Proposal {
  return fromPods(world, metrics, resource, {
    use(measured): Use {
      const used = [...measured.values()].reduce((sum, { value }) => sum + value, 0);
      const usage = Math.trunc(used / measured.size);
      return { ratio: usage / target, usage };
    },
    most: () => target,
  });
}

interface PodRule {
  /** done when it is known that there are metrics */
  prepare?(): void;
  use(metrics: PodMetrics): Use;
  /** what a pod that is not known may use, so that it is not taken away */
  most(pod: string): number;
}

function fromPods(world: ReplicaWorld, measured: PodMetrics, resource: string, rule: PodRule): Proposal {
  const { pods, specReplicas, tolerances, now, settings } = world;
  if (pods.length === 0) throw new ScalingFailure('no pods returned by selector while calculating replica count');
  const { metrics, readyCount, unready, missing } = groupPods(pods, measured, resource, now, settings);
  if (metrics.size === 0) {
    throw new ScalingFailure('did not receive metrics for targeted pods (pods might be unready)');
  }
  rule.prepare?.();
  const { ratio, ...told } = rule.use(metrics);
  const stay = { replicas: specReplicas, ...told };
  const waitsForUnready = unready.length > 0 && ratio > 1;
  if (!waitsForUnready && missing.length === 0) {
    return isWithin(tolerances, ratio) ? stay : { replicas: atMost(ratio * readyCount), ...told };
  }
  // What is not known counts against the change that is considered.
  const assumed = new Map<string, PodMetric>(metrics);
  const assume = (names: readonly string[], value: (name: string) => number) => {
    for (const name of names) assumed.set(name, { at: now, windowMs: 0, value: value(name) });
  };
  if (ratio < 1) assume(missing, rule.most);
  else if (ratio > 1) assume(missing, () => 0);
  if (waitsForUnready) assume(unready, () => 0);
  const again = rule.use(assumed).ratio;
  if (isWithin(tolerances, again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return stay;
  const replicas = atMost(again * assumed.size);
  const turns = (again < 1 && replicas > specReplicas) || (again > 1 && replicas < specReplicas);
  return turns ? stay : { replicas, ...told };
}

/** @param usage and target are totals, in thousandths. @throws ScalingFailure */
export function byTotal(world: ReplicaWorld, usage: number, target: number): Proposal {
  const { specReplicas, tolerances, pods } = world;
  const ratio = usage / target;
  if (specReplicas === 0) return { replicas: atMost(ratio), usage };
  if (isWithin(tolerances, ratio)) return { replicas: specReplicas, usage };
  if (pods.length === 0) {
    throw new ScalingFailure(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    );
  }
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
  return { replicas: atMost(ratio * ready), usage };
}

/** @param usage is a total, target what of it each pod is to have, both in thousandths */
export function byShare({ statusReplicas, tolerances }: ReplicaWorld, usage: number, target: number): Proposal {
  const within = isWithin(tolerances, usage / (target * statusReplicas));
  return {
    replicas: within ? statusReplicas : atMost(usage / target),
    usage: statusReplicas === 0 ? 0 : Math.ceil(usage / statusReplicas),
  };
}
