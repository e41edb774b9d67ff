/**
 * What a pod's failure means by the job's rules.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
import type { Job, PodFailurePolicyRule } from '../../apis/batch/job.ts';
import type { Pod } from '../../apis/core/pod.ts';

export type Verdict =
  | { readonly action: 'Count' | 'Ignore' | 'FailIndex' }
  | { readonly action: 'FailJob'; readonly message: string };

const COUNTED: Verdict = { action: 'Count' };

/** The first rule that fits decides; without one the failure counts. */
export function verdictOn(job: Job, pod: Pod): Verdict {
  for (const [i, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = matched(rule, pod);
    if (why === undefined) continue;
    if (rule.action === 'FailJob') {
      const { namespace = '', name = '' } = pod.metadata ?? {};
      return { action: 'FailJob', message: `${why} for pod ${namespace}/${name} matching FailJob rule at index ${i}` };
    }
    if (rule.action === 'Ignore' || rule.action === 'FailIndex') return { action: rule.action };
    return COUNTED;
  }
  return COUNTED;
}

/** What of the pod the rule fits; undefined where it does not. */
function matched({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [], conditions = [] } = pod.status ?? {};
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    for (const { name, state } of [...containerStatuses, ...initContainerStatuses]) {
      const code = state?.terminated?.exitCode ?? 0;
      if (code === 0 || (containerName && containerName !== name)) continue;
      if (values.includes(code) === (operator === 'In')) return `Container ${name} failed with exit code ${code}`;
    }
    return undefined;
  }
  for (const { type, status = 'True' } of onPodConditions ?? []) {
    if (conditions.some((c) => c.type === type && c.status === status)) return `Pod has condition ${type} matching`;
  }
  return undefined;
}
