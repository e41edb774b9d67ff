/**
 * Requests and limits in the kernel's terms.
 * Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-limits-are-run
 */
import type { Container, ResourceRequirements } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { milliValue, wholeValue } from '../../machinery/quantity.ts';
import type { LinuxContainerResources } from '../cri/messages.ts';

const SHARES_PER_CPU = 1024;
const MIN_SHARES = 2;
export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

const GUARANTEED_OOM = -997;
const BEST_EFFORT_OOM = 1000;

export function cpuShares(milli: number): number {
  return Math.max(MIN_SHARES, Math.floor((milli * SHARES_PER_CPU) / 1000));
}

export function cpuQuota(milli: number): number {
  return Math.max(MIN_QUOTA_US, Math.floor((milli * CPU_PERIOD_US) / 1000));
}

export function containerResources(pod: Pod, container: Container, memoryCapacity: number): LinuxContainerResources {
  const { requests, limits } = container.resources ?? {};
  return {
    cpu_period: CPU_PERIOD_US,
    cpu_shares: cpuShares(requests?.cpu === undefined ? 0 : milliValue(requests.cpu)),
    ...(limits?.cpu === undefined ? {} : { cpu_quota: cpuQuota(milliValue(limits.cpu)) }),
    ...(limits?.memory === undefined ? {} : { memory_limit_in_bytes: wholeValue(limits.memory) }),
    oom_score_adj: oomScoreAdj(pod, container, memoryCapacity),
  };
}

/** The less of what it uses it has asked for, the sooner a container goes when memory is short. */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacity: number): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_000_000) return GUARANTEED_OOM;
  switch (qosClassOf(pod.spec ?? { containers: [] })) {
    case 'Guaranteed':
      return GUARANTEED_OOM;
    case 'BestEffort':
      return BEST_EFFORT_OOM;
    default: {
      const request = container.resources?.requests?.memory;
      const score = 1000 - Math.floor((1000 * (request === undefined ? 0 : wholeValue(request))) / memoryCapacity);
      return Math.min(BEST_EFFORT_OOM - 1, Math.max(1000 + GUARANTEED_OOM, score));
    }
  }
}

/** The sum over a pod's containers; undefined limits where one container has none. */
export function podTotals(pod: Pod): { cpuRequest: number; cpuLimit?: number; memoryLimit?: number } {
  const all: (ResourceRequirements | undefined)[] = (pod.spec?.containers ?? []).map((c) => c.resources);
  const sum = (pick: (r: ResourceRequirements | undefined) => number | undefined): number | undefined => {
    let total = 0;
    for (const r of all) {
      const value = pick(r);
      if (value === undefined) return undefined;
      total += value;
    }
    return total;
  };
  const cpuLimit = sum((r) => (r?.limits?.cpu === undefined ? undefined : milliValue(r.limits.cpu)));
  const memoryLimit = sum((r) => (r?.limits?.memory === undefined ? undefined : wholeValue(r.limits.memory)));
  return {
    cpuRequest: sum((r) => (r?.requests?.cpu === undefined ? 0 : milliValue(r.requests.cpu))) ?? 0,
    ...(cpuLimit === undefined ? {} : { cpuLimit }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
  };
}
