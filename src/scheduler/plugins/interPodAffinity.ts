/**
 * Pods that want to be near other pods, or far from them: in the same or another zone, rack, node.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
import type { NodeInfo } from '../nodeInfo.ts';
import { MAX_SCORE, type NodeFilter, type NodeScore, type Plugin, type Refusal } from '../plugin.ts';
import { type AffinityTerm, hasAffinity, type PodInfo, termMatches } from '../podInfo.ts';
import type { Snapshot } from '../snapshot.ts';
import { TopologyCounts } from '../topology.ts';

const NOT_NEAR: Refusal = { reasons: ["node(s) didn't match pod affinity rules"], resolvable: false };
const TOO_NEAR: Refusal = { reasons: ["node(s) didn't match pod anti-affinity rules"], resolvable: true };
const KEPT_OFF: Refusal = {
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
  resolvable: true,
};
/** What a required term of a pod that is there weighs for a pod that it is glad of. */
const REQUIRED_WEIGHT = 1;

export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  retryAfter: ['podPlaced', 'podGone', 'nodeAdded', 'nodeLabels', 'namespaceLabels'],
  filter: filterByRequiredTerms,
  score: scoreByPreferredTerms,
};

function filterByRequiredTerms(pod: PodInfo, snapshot: Snapshot): NodeFilter | undefined {
  const near = pod.affinity.required;
  const far = pod.antiAffinity.required;
  const keptOff = antiAffinityOfOthers(pod, snapshot);
  if (near.length === 0 && far.length === 0 && keptOff.empty) return undefined;

  const wanted = new TopologyCounts();
  const unwanted = new TopologyCounts();
  if (near.length > 0 || far.length > 0) {
    for (const node of snapshot.nodes) {
      for (const other of node.pods) {
        const labels = snapshot.namespaces.get(other.namespace);
        if (near.length > 0 && near.every((term) => termMatches(term, other, labels))) {
          for (const { topologyKey } of near) wanted.add(topologyKey, node, 1);
        }
        for (const term of far) if (termMatches(term, other, labels)) unwanted.add(term.topologyKey, node, 1);
      }
    }
  }
  // The first of pods that want to be near each other has nobody yet to be near.
  const own = snapshot.namespaces.get(pod.namespace);
  const first = wanted.empty && near.every((term) => termMatches(term, pod, own));

  return (node) => {
    if (near.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return NOT_NEAR;
    if (!first && near.some(({ topologyKey }) => wanted.at(topologyKey, node) === 0)) return NOT_NEAR;
    if (far.some(({ topologyKey }) => unwanted.at(topologyKey, node) > 0)) return TOO_NEAR;
    return keptOff.sumAt(node) > 0 ? KEPT_OFF : undefined;
  };
}

/** Where pods are that must not have this one near. */
function antiAffinityOfOthers(pod: PodInfo, snapshot: Snapshot): TopologyCounts {
  const counts = new TopologyCounts();
  const labels = snapshot.namespaces.get(pod.namespace);
  for (const node of snapshot.withAffinity) {
    for (const other of node.pods) {
      for (const term of other.antiAffinity.required) {
        if (termMatches(term, pod, labels)) counts.add(term.topologyKey, node, 1);
      }
    }
  }
  return counts;
}

function scoreByPreferredTerms(pod: PodInfo, snapshot: Snapshot): NodeScore | undefined {
  const ownTerms = pod.affinity.preferred.length + pod.antiAffinity.preferred.length > 0;
  const nodes = ownTerms ? snapshot.nodes : snapshot.withAffinity;
  const counts = new TopologyCounts();
  const podLabels = snapshot.namespaces.get(pod.namespace);
  for (const node of nodes) {
    for (const other of node.pods) {
      if (ownTerms) {
        const labels = snapshot.namespaces.get(other.namespace);
        count(counts, node, pod.affinity.preferred, 1, (term) => termMatches(term, other, labels));
        count(counts, node, pod.antiAffinity.preferred, -1, (term) => termMatches(term, other, labels));
      }
      if (!hasAffinity(other)) continue;
      const likes = (term: AffinityTerm) => termMatches(term, pod, podLabels);
      for (const term of other.affinity.required) {
        if (likes(term)) counts.add(term.topologyKey, node, REQUIRED_WEIGHT);
      }
      count(counts, node, other.affinity.preferred, 1, likes);
      count(counts, node, other.antiAffinity.preferred, -1, likes);
    }
  }
  if (counts.empty) return undefined;
  return { of: (node) => counts.sumAt(node), normalize: spreadOut };
}

function count(
  counts: TopologyCounts,
  node: NodeInfo,
  terms: readonly AffinityTerm[],
  sign: 1 | -1,
  matches: (term: AffinityTerm) => boolean,
): void {
  for (const term of terms) if (matches(term)) counts.add(term.topologyKey, node, sign * term.weight);
}

/** The lowest becomes 0 and the highest MAX_SCORE. */
function spreadOut(scores: readonly number[]): number[] {
  const lowest = Math.min(...scores);
  const range = Math.max(...scores) - lowest;
  return scores.map((score) => (range === 0 ? 0 : Math.floor((MAX_SCORE * (score - lowest)) / range)));
}
