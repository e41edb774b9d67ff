/**
 * Which pods go first when there are too many.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { parseTime } from '../../machinery/time.ts';
import { isActive, isReady, readySince } from '../podState.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const PHASES = ['Pending', 'Unknown', 'Running'];

/** The `count` pods that are missed least. @param related pods of the same purpose, which count for the spread over nodes */
export function podsToDelete(
  pods: readonly Stored<Pod>[],
  related: readonly Pod[],
  count: number,
  nowMs: number,
): Stored<Pod>[] {
  if (count >= pods.length) return [...pods];
  const perNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? '';
    if (isActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const ranked = pods.map((pod) => ({ pod, keys: sortKeys(pod, perNode, nowMs) }));
  ranked.sort((a, b) => compareKeys(a.keys, b.keys) || (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1));
  return ranked.slice(0, count).map((r) => r.pod);
}

/** What goes first has smaller numbers, of which earlier ones weigh more. */
function sortKeys(pod: Stored<Pod>, perNode: ReadonlyMap<string, number>, nowMs: number): number[] {
  const restarts = pod.status?.containerStatuses?.map((c) => c.restartCount ?? 0) ?? [];
  return [
    pod.spec?.nodeName ? 1 : 0,
    PHASES.indexOf(pod.status?.phase ?? 'Pending'),
    isReady(pod) ? 1 : 0,
    deletionCost(pod),
    -(perNode.get(pod.spec?.nodeName ?? '') ?? 0),
    ageClass(readySince(pod), nowMs),
    -Math.max(0, ...restarts),
    ageClass(parseTime(pod.metadata.creationTimestamp), nowMs),
  ];
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [i, x] of a.entries()) {
    const difference = x - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.[DELETION_COST] ?? '';
  return /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : 0;
}

/** Ages in steps that double: which of two pods that are about as old goes is left to chance. */
function ageClass(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return 0;
  return Math.floor(Math.log2(Math.max(1, nowMs - sinceMs)));
}
