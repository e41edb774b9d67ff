/**
 * Spreads pods evenly over zones, nodes or any other domains of a topology.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
import type { TopologySpreadConstraint } from '../../apis/core/affinity.ts';
import { matchesNodeSelection } from '../../apis/core/nodeSelection.ts';
import { isTolerated } from '../../apis/core/tolerations.ts';
import { matchesLabels, type Selector, selectorFrom } from '../../machinery/labelSelector.ts';
import type { NodeInfo } from '../nodeInfo.ts';
import { MAX_SCORE, type NodeFilter, type NodeScore, type Plugin, type Refusal } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';
import type { Snapshot } from '../snapshot.ts';

const UNEVEN: Refusal = { reasons: ["node(s) didn't match pod topology spread constraints"], resolvable: true };
const NOWHERE: Refusal = {
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  resolvable: false,
};

export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  retryAfter: ['podPlaced', 'podGone', 'nodeAdded', 'nodeGone', 'nodeLabels', 'nodeTaints'],
  filter: filterBySkew,
  score: scoreByCount,
};

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector | undefined;
  /** whether the pods on a node count */
  counts(node: NodeInfo): boolean;
}

function constraintsOf(pod: PodInfo, whenUnsatisfiable: string): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter((c) => c.whenUnsatisfiable === whenUnsatisfiable)
    .map((c) => ({
      topologyKey: c.topologyKey,
      maxSkew: c.maxSkew,
      minDomains: c.minDomains ?? 1,
      selector: selectorFrom(c.labelSelector),
      counts: (node) => countsNode(c, pod, node),
    }));
}

function countsNode(constraint: TopologySpreadConstraint, pod: PodInfo, { node }: NodeInfo): boolean {
  if (constraint.nodeAffinityPolicy !== 'Ignore' && !matchesNodeSelection(pod.spec, node)) return false;
  if (constraint.nodeTaintsPolicy !== 'Honor') return true;
  return (node.spec?.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || isTolerated(pod.spec.tolerations, taint),
  );
}

/** How many pods of the node the constraint speaks of. */
function matching({ selector }: Constraint, pod: PodInfo, node: NodeInfo): number {
  if (selector === undefined) return 0;
  let count = 0;
  for (const other of node.pods) {
    if (!other.terminating && other.namespace === pod.namespace && matchesLabels(selector, other.labels)) count++;
  }
  return count;
}

const hasAllKeys = (constraints: readonly Constraint[], node: NodeInfo) =>
  constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);

/** Pods by domain, over the nodes that count. */
function countDomains(
  constraint: Constraint,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
): Map<string | undefined, number> {
  const domains = new Map<string | undefined, number>();
  for (const node of nodes) {
    if (!constraint.counts(node)) continue;
    const domain = node.labels[constraint.topologyKey];
    domains.set(domain, (domains.get(domain) ?? 0) + matching(constraint, pod, node));
  }
  return domains;
}

function filterBySkew(pod: PodInfo, snapshot: Snapshot): NodeFilter | undefined {
  const constraints = constraintsOf(pod, 'DoNotSchedule');
  if (constraints.length === 0) return undefined;
  const nodes = snapshot.nodes.filter((node) => hasAllKeys(constraints, node));
  const checks = constraints.map((constraint) => {
    const domains = countDomains(constraint, pod, nodes);
    const few = domains.size < constraint.minDomains;
    const self = constraint.selector !== undefined && matchesLabels(constraint.selector, pod.labels) ? 1 : 0;
    return { constraint, domains, least: few ? 0 : Math.min(...domains.values()), self };
  });
  return (node) => {
    if (!hasAllKeys(constraints, node)) return NOWHERE;
    for (const { constraint, domains, least, self } of checks) {
      const there = domains.get(node.labels[constraint.topologyKey]) ?? 0;
      if (there + self - least > constraint.maxSkew) return UNEVEN;
    }
    return undefined;
  };
}

const IGNORED = -1;

function scoreByCount(pod: PodInfo, snapshot: Snapshot, fitting: readonly NodeInfo[]): NodeScore | undefined {
  const constraints = constraintsOf(pod, 'ScheduleAnyway');
  if (constraints.length === 0) return undefined;
  const nodes = snapshot.nodes.filter((node) => hasAllKeys(constraints, node));
  const candidates = fitting.filter((node) => hasAllKeys(constraints, node));
  const counted = constraints.map((constraint) => ({
    constraint,
    domains: countDomains(constraint, pod, nodes),
    // Differences among many small domains should not drown in those among few large ones.
    weight: Math.log(new Set(candidates.map((node) => node.labels[constraint.topologyKey])).size + 2),
  }));
  return {
    of(node) {
      if (!hasAllKeys(constraints, node)) return IGNORED;
      let score = 0;
      for (const { constraint, domains, weight } of counted) {
        score += (domains.get(node.labels[constraint.topologyKey]) ?? 0) * weight + constraint.maxSkew - 1;
      }
      return Math.round(score);
    },
    normalize: preferFew,
  };
}

/** The fewer the better; nodes outside the topology come last. */
function preferFew(scores: readonly number[]): number[] {
  const inside = scores.filter((score) => score !== IGNORED);
  const most = Math.max(0, ...inside);
  const least = Math.min(...inside);
  return scores.map((score) => {
    if (score === IGNORED) return 0;
    return most === 0 ? MAX_SCORE : Math.floor((MAX_SCORE * (most + least - score)) / most);
  });
}
