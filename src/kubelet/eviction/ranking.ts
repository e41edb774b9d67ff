/**
 * In which order pods go when the node is short of something. Pure.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#pod-selection-for-kubelet-eviction
 */
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources } from '../../apis/core/podResources.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import { SIGNALS, type Signal } from './thresholds.ts';

/** What a pod uses. */
export interface PodUsage {
  readonly memoryBytes: number;
  readonly processes: number;
  /** of its containers' file systems, logs and volumes on the disk */
  readonly diskBytes: number;
  readonly inodes: number;
}

export interface RankedPod {
  readonly pod: Pod;
  /** undefined: it cannot be told */
  readonly usage: PodUsage | undefined;
}

/** From the class of priority system-cluster-critical on, pods are critical. */
export const CRITICAL_PRIORITY = 2_000_000_000;
const CONFIG_SOURCE = 'kubernetes.io/config.source';
const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

/** Pods that did not come from the API server, as their annotation says. */
export function isStaticPod({ metadata }: Pod): boolean {
  const source = metadata?.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== 'api';
}

/** Those that are never evicted. */
export function isCriticalPod(pod: Pod): boolean {
  if (isStaticPod(pod) || pod.metadata?.annotations?.[CONFIG_MIRROR] !== undefined) return true;
  return (pod.spec?.priority ?? 0) >= CRITICAL_PRIORITY;
}

type Order = (a: RankedPod, b: RankedPod) => number;

/** The pods, those that go first first. */
export function rankPods(pods: readonly RankedPod[], signal: Signal): RankedPod[] {
  return [...pods].sort(first(ORDERS[SIGNALS[signal].resource]));
}

const first =
  (orders: readonly Order[]): Order =>
  (a, b) => {
    for (const order of orders) {
      const result = order(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };

const byPriority: Order = (a, b) => (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);

/** Those that are told of nothing go first. */
const byMost =
  (of: (ranked: RankedPod) => number | undefined): Order =>
  (a, b) => {
    const [x = Number.POSITIVE_INFINITY, y = Number.POSITIVE_INFINITY] = [of(a), of(b)];
    return x === y ? 0 : y - x;
  };

const beyond = (resource: 'memory' | 'ephemeral-storage', of: (usage: PodUsage) => number) => {
  return ({ pod, usage }: RankedPod) => (usage === undefined ? undefined : of(usage) - requestOf(pod, resource));
};
const memoryBeyond = beyond('memory', (usage) => usage.memoryBytes);
const diskBeyond = beyond('ephemeral-storage', (usage) => usage.diskBytes);
const exceeds =
  (of: (ranked: RankedPod) => number | undefined): Order =>
  (a, b) =>
    Number((of(b) ?? 1) > 0) - Number((of(a) ?? 1) > 0);

const ORDERS = {
  memory: [exceeds(memoryBeyond), byPriority, byMost(memoryBeyond)],
  'ephemeral-storage': [exceeds(diskBeyond), byPriority, byMost(diskBeyond)],
  inodes: [byPriority, byMost(({ usage }) => usage?.inodes)],
  pids: [byPriority, byMost(({ usage }) => usage?.processes)],
} as const;

export function requestOf({ spec }: Pod, resource: string): number {
  if (spec === undefined) return 0;
  const asked = spec.resources?.requests?.[resource] ?? containerResources(spec, 'requests')[resource];
  return (asked === undefined ? 0 : wholeValue(asked)) + wholeValue(spec.overhead?.[resource] ?? 0);
}
