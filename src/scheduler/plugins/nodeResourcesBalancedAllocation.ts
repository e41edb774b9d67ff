/** Prefers nodes on which cpu and memory would be used up at the same pace. */
import type { NodeInfo } from '../nodeInfo.ts';
import { MAX_SCORE, type Plugin } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';

const BALANCED = ['cpu', 'memory'] as const;

export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  score(pod) {
    // A pod that asks for nothing tips no balance, and would go to the most balanced node for ever.
    if (BALANCED.every((resource) => (pod.requests.get(resource) ?? 0) === 0)) return undefined;
    return { of: (node) => balance(pod, node) };
  },
};

function balance(pod: PodInfo, node: NodeInfo): number {
  const shares: number[] = [];
  for (const resource of BALANCED) {
    const capacity = node.allocatable.get(resource) ?? 0;
    if (capacity === 0) continue;
    const taken = (node.requested.get(resource) ?? 0) + (pod.requests.get(resource) ?? 0);
    shares.push(Math.min(1, taken / capacity));
  }
  const [first = 0, second = first] = shares;
  // The standard deviation of two shares.
  const deviation = Math.abs(first - second) / 2;
  return Math.floor((1 - deviation) * MAX_SCORE);
}
