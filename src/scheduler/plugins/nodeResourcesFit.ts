/**
 * A node must have free what a pod requests; of those that have, the one with most left over is best (LeastAllocated).
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
 */
import type { NodeInfo } from '../nodeInfo.ts';
import { MAX_SCORE, type Plugin, type Refusal } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';

export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  retryAfter: ['nodeAdded', 'nodeAllocatable', 'podGone'],
  filter(pod) {
    return (node) => refusal(pod, node);
  },
  score({ assumed }) {
    return {
      of(node) {
        let sum = 0;
        let count = 0;
        for (const resource of COUNTED) {
          const capacity = node.allocatable.get(resource) ?? 0;
          if (capacity === 0) continue;
          const taken = node.assumed[resource] + assumed[resource];
          sum += taken > capacity ? 0 : Math.floor(((capacity - taken) * MAX_SCORE) / capacity);
          count++;
        }
        return count === 0 ? 0 : Math.floor(sum / count);
      },
    };
  },
};

const COUNTED = ['cpu', 'memory'] as const;

function fits(pod: PodInfo, node: NodeInfo): boolean {
  if (node.pods.length + 1 > (node.allocatable.get('pods') ?? 0)) return false;
  for (const [resource, amount] of pod.requests) if (amount !== 0 && amount > node.free(resource)) return false;
  return true;
}

function refusal(pod: PodInfo, node: NodeInfo): Refusal | undefined {
  // Most nodes have room.
  if (fits(pod, node)) return undefined;
  const reasons: string[] = [];
  let resolvable = true;
  if (node.pods.length + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
  for (const [resource, amount] of pod.requests) {
    if (amount === 0 || amount <= node.free(resource)) continue;
    reasons.push(`Insufficient ${resource}`);
    // An empty node would not do either.
    if (amount > (node.allocatable.get(resource) ?? 0)) resolvable = false;
  }
  return reasons.length === 0 ? undefined : { reasons, resolvable };
}
