/**
 * Which pods of lower priority must go so that a pod fits: a pure function.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
import type { Random } from '../lib/random.ts';
import { parseTime } from '../machinery/time.ts';
import { type BudgetsOf, breakingBudgets } from './disruptionBudgets.ts';
import type { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import { type NodeRefusal, nodeCheck } from './schedule.ts';
import { type Snapshot, withNode } from './snapshot.ts';

export interface Preemption {
  readonly nodeName: string;
  readonly victims: readonly PodInfo[];
  /** how many of the victims break a disruption budget */
  readonly broken: number;
}

export type PreemptionPlan =
  | { readonly preemption: Preemption }
  /** why not: by node, or for a reason that concerns the pod itself */
  | { readonly preemption: undefined; readonly reasons: ReadonlyMap<string, readonly string[]> | string };

/** Room is looked for on this share of the nodes, but on no fewer than so many. */
const SHARE_OF_NODES = 0.1;
const LEAST_NODES = 100;
const NO_BUDGETS: BudgetsOf = () => [];
const NOT_HELPFUL = ['Preemption is not helpful for scheduling'];
const NO_VICTIMS = ['No preemption victims found for incoming pod'];

/** @param refusals why the pod fits on no node, by node */
export function planPreemption(
  snapshot: Snapshot,
  pod: PodInfo,
  refusals: ReadonlyMap<string, NodeRefusal>,
  random: Random,
  budgetsOf: BudgetsOf = NO_BUDGETS,
): PreemptionPlan {
  const ineligible = whyNotEligible(snapshot, pod, refusals);
  if (ineligible !== undefined) return { preemption: undefined, reasons: ineligible };
  const reasons = new Map<string, readonly string[]>();
  const possible: NodeInfo[] = [];
  for (const node of snapshot.nodes) {
    if (refusals.get(node.name)?.resolvable === false) reasons.set(node.name, NOT_HELPFUL);
    else possible.push(node);
  }
  const enough = Math.max(LEAST_NODES, Math.floor(snapshot.nodes.length * SHARE_OF_NODES));
  const start = possible.length === 0 ? 0 : random.integer(possible.length);
  const candidates: Preemption[] = [];
  let unbroken = 0;
  for (let i = 0; i < possible.length && (candidates.length < enough || unbroken === 0); i++) {
    // The index is within the array.
    const node = possible[(start + i) % possible.length] as NodeInfo;
    const chosen = chooseVictims(snapshot, pod, node, budgetsOf);
    if ('victims' in chosen) {
      candidates.push({ nodeName: node.name, ...chosen });
      if (chosen.broken === 0) unbroken++;
    } else reasons.set(node.name, chosen.reasons);
  }
  const [first, ...others] = candidates;
  if (first === undefined) return { preemption: undefined, reasons };
  return { preemption: others.reduce((best, other) => (isLighter(other, best) ? other : best), first) };
}

function whyNotEligible(
  snapshot: Snapshot,
  pod: PodInfo,
  refusals: ReadonlyMap<string, NodeRefusal>,
): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.pod.status?.nominatedNodeName;
  if (!nominated || refusals.get(nominated)?.resolvable === false) return undefined;
  // Room is being made for it already: one set of victims is enough.
  const node = snapshot.nodes.find((n) => n.name === nominated);
  const going = node?.pods.some((other) => other.terminating && other.priority < pod.priority);
  return going ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}

/** The fewest and least important pods of a node without which the pod fits there. */
function chooseVictims(
  snapshot: Snapshot,
  pod: PodInfo,
  node: NodeInfo,
  budgetsOf: BudgetsOf,
): { victims: PodInfo[]; broken: number } | { reasons: readonly string[] } {
  const lower = node.pods.filter((other) => other.priority < pod.priority).sort(moreImportantFirst);
  if (lower.length === 0) return { reasons: NO_VICTIMS };
  const refusalWithout = (gone: ReadonlySet<PodInfo>) => {
    const changed = node.without(gone);
    return nodeCheck(withNode(snapshot, changed), pod)(changed);
  };
  const victims = new Set(lower);
  const refusal = refusalWithout(victims);
  if (refusal !== undefined) return { reasons: refusal.reasons };
  // Each may stay if the pod fits all the same: first those that break budgets, of each the most important first.
  const breaking = breakingBudgets(lower, budgetsOf);
  let broken = 0;
  for (const other of [...breaking, ...lower.filter((o) => !breaking.has(o))]) {
    victims.delete(other);
    if (refusalWithout(victims) === undefined) continue;
    victims.add(other);
    if (breaking.has(other)) broken++;
  }
  return { victims: [...victims].sort(moreImportantFirst), broken };
}

/** Higher priority first; among equals those that have run longer. */
function moreImportantFirst(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b);
}

function startOf({ pod }: PodInfo): number {
  return parseTime(pod.status?.startTime) ?? Number.POSITIVE_INFINITY;
}

/** Whether `a` costs less than `b`: fewer broken budgets, victims of lower priority, then a smaller sum of them, then fewer, then younger. */
function isLighter(a: Preemption, b: Preemption): boolean {
  const measures: ((p: Preemption) => number)[] = [
    (p) => p.broken,
    highestPriority,
    sumOfPriorities,
    (p) => p.victims.length,
  ];
  for (const measure of measures) {
    const difference = measure(a) - measure(b);
    if (difference !== 0) return difference < 0;
  }
  return earliestStart(a) > earliestStart(b);
}

const highestPriority = ({ victims }: Preemption) => Math.max(...victims.map((v) => v.priority));

/** Shifted so that every victim counts, those of negative priority too. */
const sumOfPriorities = ({ victims }: Preemption) => victims.reduce((sum, v) => sum + v.priority + 2 ** 31, 0);

/** When the first of the most important victims began. */
function earliestStart(preemption: Preemption): number {
  const highest = highestPriority(preemption);
  return Math.min(...preemption.victims.filter((v) => v.priority === highest).map(startOf));
}
