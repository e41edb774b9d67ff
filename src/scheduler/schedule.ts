/**
 * Where a pod should go: a pure function of the cluster at one moment, the pod and chance.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
 */
import type { Random } from '../lib/random.ts';
import type { NodeInfo } from './nodeInfo.ts';
import type { NodeFilter, Refusal } from './plugin.ts';
import type { PodInfo } from './podInfo.ts';
import { DEFAULT_PROFILE } from './profile.ts';
import { type Snapshot, withNode } from './snapshot.ts';

/** A refusal and the plugin that it comes from. */
export interface NodeRefusal extends Refusal {
  readonly plugin: string;
}

export type Placement =
  | { readonly nodeName: string; readonly examined: number }
  /** by the name of each node */
  | { readonly nodeName: undefined; readonly refusals: ReadonlyMap<string, NodeRefusal>; readonly examined: number };

/** So many nodes that fit are enough to choose from; in small clusters all are looked at. */
const ENOUGH_NODES = 100;
const LEAST_PERCENT = 5;

/** How many nodes that fit are looked for: fewer percent the larger the cluster. */
export function enoughNodes(nodes: number): number {
  if (nodes < ENOUGH_NODES) return nodes;
  const percent = Math.max(LEAST_PERCENT, 50 - Math.floor(nodes / 125));
  return Math.max(ENOUGH_NODES, Math.floor((nodes * percent) / 100));
}

/**
 * @param start the node to begin with, so that each has its turn where not all are looked at
 */
export function schedule(snapshot: Snapshot, pod: PodInfo, random: Random, start = 0): Placement {
  const { nodes } = snapshot;
  const check = nodeCheck(snapshot, pod);
  const nominated = pod.pod.status?.nominatedNodeName;
  if (nominated) {
    // Room was made for it there.
    const node = nodes.find((n) => n.name === nominated);
    if (node !== undefined && check(node) === undefined) return { nodeName: nominated, examined: 0 };
  }
  const refusals = new Map<string, NodeRefusal>();
  const fitting: NodeInfo[] = [];
  const enough = enoughNodes(nodes.length);
  let examined = 0;
  for (; examined < nodes.length && fitting.length < enough; examined++) {
    // The index is within the array.
    const node = nodes[(start + examined) % nodes.length] as NodeInfo;
    const refusal = check(node);
    if (refusal === undefined) fitting.push(node);
    else refusals.set(node.name, refusal);
  }
  const [first] = fitting;
  if (first === undefined) return { nodeName: undefined, refusals, examined };
  const best = fitting.length === 1 ? first : bestOf(fitting, snapshot, pod, random);
  return { nodeName: best.name, examined };
}

/** A function that says why the pod cannot run on a node, or undefined where it can. */
export function nodeCheck(snapshot: Snapshot, pod: PodInfo): (node: NodeInfo) => NodeRefusal | undefined {
  const plain = plainCheck(snapshot, pod);
  return (node) => {
    // Pods for which room is being made come first, where they matter as much; but they may yet go elsewhere.
    const nominated = snapshot.nominated.get(node.name);
    const coming = nominated?.filter((other) => other.priority >= pod.priority && other.uid !== pod.uid) ?? [];
    if (coming.length > 0) {
      const later = node.with(...coming);
      const refusal = plainCheck(withNode(snapshot, later), pod)(later);
      if (refusal !== undefined) return refusal;
    }
    return plain(node);
  };
}

function plainCheck(snapshot: Snapshot, pod: PodInfo): (node: NodeInfo) => NodeRefusal | undefined {
  const filters: { name: string; filter: NodeFilter }[] = [];
  for (const { plugin } of DEFAULT_PROFILE) {
    const filter = plugin.filter?.(pod, snapshot);
    if (typeof filter === 'function') filters.push({ name: plugin.name, filter });
    else if (filter !== undefined) {
      const refusal = { ...filter, plugin: plugin.name };
      return () => refusal;
    }
  }
  return (node) => {
    for (const { name, filter } of filters) {
      const refusal = filter(node);
      if (refusal !== undefined) return { ...refusal, plugin: name };
    }
    return undefined;
  };
}

function bestOf(nodes: readonly NodeInfo[], snapshot: Snapshot, pod: PodInfo, random: Random): NodeInfo {
  const totals = totalScores(nodes, snapshot, pod);
  const highest = Math.max(...totals);
  const best = nodes.filter((_, i) => totals[i] === highest);
  // There is at least one.
  return best[random.integer(best.length)] as NodeInfo;
}

/** The weighted sum of all plugins' scores, in the order of the nodes. */
export function totalScores(nodes: readonly NodeInfo[], snapshot: Snapshot, pod: PodInfo): number[] {
  const totals = nodes.map(() => 0);
  for (const { plugin, weight = 0 } of DEFAULT_PROFILE) {
    const score = plugin.score?.(pod, snapshot, nodes);
    if (score === undefined) continue;
    const raw = nodes.map((node) => score.of(node));
    const scores = score.normalize?.(raw, nodes) ?? raw;
    for (const [i, value] of scores.entries()) totals[i] = (totals[i] ?? 0) + weight * value;
  }
  return totals;
}
