/**
 * Which victims of a preemption would break a disruption budget: those stay where others can go instead.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#poddisruptionbudget-is-supported-but-not-guaranteed
 */
import type { PodDisruptionBudget } from '../apis/policy/podDisruptionBudget.ts';
import type { Stored } from '../machinery/kind.ts';
import { matchesLabels, type Selector, selectorFrom } from '../machinery/labelSelector.ts';
import type { PodInfo } from './podInfo.ts';

/** The budgets of a namespace. */
export type BudgetsOf = (namespace: string) => readonly Stored<PodDisruptionBudget>[];

interface Budget {
  readonly selector: Selector;
  readonly namespace: string | undefined;
  /** pods that are on their way out and were counted already */
  readonly disrupted: Readonly<Record<string, unknown>>;
  left: number;
}

/** Those of `victims` whose going, after that of the ones before them, is more than a budget allows. */
export function breakingBudgets(victims: readonly PodInfo[], budgetsOf: BudgetsOf): ReadonlySet<PodInfo> {
  const namespaces = new Set(victims.map((victim) => victim.namespace));
  const budgets = [...namespaces].flatMap((namespace) => budgetsOf(namespace).flatMap(budgetOf));
  const breaking = new Set<PodInfo>();
  if (budgets.length === 0) return breaking;
  for (const victim of victims) {
    for (const budget of budgets) {
      if (budget.namespace !== victim.namespace || Object.hasOwn(budget.disrupted, victim.name)) continue;
      if (!matchesLabels(budget.selector, victim.labels)) continue;
      budget.left--;
      if (budget.left < 0) breaking.add(victim);
    }
  }
  return breaking;
}

/** None for a budget that is about all pods, or none: the scheduler heeds those with a selector only. */
function budgetOf({ metadata, spec, status }: Stored<PodDisruptionBudget>): Budget[] {
  const selector = spec?.selector === undefined ? undefined : selectorFrom(spec.selector);
  if (selector === undefined || selector.length === 0) return [];
  const { disruptedPods = {}, disruptionsAllowed = 0 } = status ?? {};
  return [{ selector, namespace: metadata.namespace, disrupted: disruptedPods, left: disruptionsAllowed }];
}
