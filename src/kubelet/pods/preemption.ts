/**
 * Which pods have to go so that a critical one finds room on its node. Pure.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/
 */
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { isCriticalPod, isStaticPod } from '../eviction/ranking.ts';
import { type Amounts, amountsOf } from './admission.ts';

/** A pod and what it asks for. */
interface Candidate {
  readonly pod: Pod;
  readonly amounts: Amounts;
}

/**
 * As few and as lowly ones as are enough; undefined where none may be asked to go, or all would not be enough.
 * @param missing what is lacking, by resource
 */
export function preemptionVictims(pod: Pod, others: readonly Pod[], missing: Amounts): Pod[] | undefined {
  if (!isCriticalPod(pod)) return undefined;
  const candidates = others
    .filter((other) => mayPreempt(pod, other))
    .map((other): Candidate => ({ pod: other, amounts: { pods: 1, ...amountsOf(other) } }));
  if (!isEmpty(lessThan(missing, candidates))) return undefined;
  const of = (qos: string) => candidates.filter((c) => qosClassOf(c.pod.spec ?? { containers: [] }) === qos);
  const [lowest, middle, highest] = [of('BestEffort'), of('Burstable'), of('Guaranteed')];
  // Of a higher class only what the lower ones together do not make up for.
  const high = nearest(highest, lessThan(missing, [...lowest, ...middle]));
  const mid = nearest(middle, lessThan(missing, [...lowest, ...high]));
  const low = nearest(lowest, lessThan(missing, [...mid, ...high]));
  return [...low, ...mid, ...high].map((c) => c.pod);
}

function mayPreempt(pod: Pod, other: Pod): boolean {
  if (isStaticPod(pod) !== isStaticPod(other)) return isStaticPod(pod);
  return (pod.spec?.priority ?? 0) > (other.spec?.priority ?? 0);
}

/** What is still missing once these have gone. */
function lessThan(missing: Amounts, gone: readonly Candidate[]): Amounts {
  const left: Record<string, number> = {};
  for (const [name, amount] of Object.entries(missing)) {
    const rest = gone.reduce((sum, { amounts }) => sum - (amounts[name] ?? 0), amount);
    if (rest > 0) left[name] = rest;
  }
  return left;
}

/** Takes the one that comes nearest to what is missing, again and again. */
function nearest(from: readonly Candidate[], missing: Amounts): Candidate[] {
  const chosen: Candidate[] = [];
  let rest = missing;
  while (!isEmpty(rest)) {
    const [best] = from
      .filter((c) => !chosen.includes(c))
      .sort((a, b) => distance(rest, a) - distance(rest, b) || sizeOf(a) - sizeOf(b));
    if (best === undefined) break;
    chosen.push(best);
    rest = lessThan(missing, chosen);
  }
  return chosen;
}

/** How much would still be missing, as the sum of the squares of its shares. */
function distance(missing: Amounts, { amounts }: Candidate): number {
  return Object.entries(missing).reduce((sum, [name, amount]) => {
    const rest = amount - (amounts[name] ?? 0);
    return rest > 0 ? sum + (rest / amount) ** 2 : sum;
  }, 0);
}

const sizeOf = ({ amounts }: Candidate) => (amounts.memory ?? 0) + (amounts.cpu ?? 0);
const isEmpty = (amounts: Amounts) => Object.keys(amounts).length === 0;
