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
        const scores: number[] = [];
        for (const resource of ['cpu', 'memory'] as const) {
          const capacity = node.allocatable.get(resource) ?? 0;
          if (capacity === 0) continue;
          const taken = node.assumed[resource] + assumed[resource];
          scores.push(taken > capacity ? 0 : Math.floor(((capacity - taken) * MAX_SCORE) / capacity));
        }
        return scores.length === 0 ? 0 : Math.floor(scores.reduce((a, b) => a + b) / scores.length);
      },
    };
  },
};

function refusal(pod: PodInfo, node: NodeInfo): Refusal | undefined {
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
