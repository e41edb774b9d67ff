/**
 * Requests and limits in the kernel's terms.
 * Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#how-pods-with-resource-limits-are-run
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { isSidecar, containerResources as sumOf } from '../../apis/core/podResources.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { milliValue, wholeValue } from '../../machinery/quantity.ts';
import type { LinuxContainerResources } from '../cri/messages.ts';

const SHARES_PER_CPU = 1024;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

const GUARANTEED_OOM = -997;
const BEST_EFFORT_OOM = 1000;

export function cpuShares(milli: number): number {
  return Math.max(MIN_SHARES, Math.floor((milli * SHARES_PER_CPU) / 1000));
}

/** Shares of 2 to 262144 in cgroup version 2's scale of 1 to 10000. */
export function cpuWeight(milli: number): number {
  const shares = Math.min(MAX_SHARES, cpuShares(milli));
  return 1 + Math.floor(((shares - MIN_SHARES) * 9999) / (MAX_SHARES - MIN_SHARES));
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
    ...hugePagesOf(limits),
  };
}

const HUGE = 'hugepages-';
/** The kernel's names of sizes have a B, and no i. */
const hugePageSize = (name: string) => name.slice(HUGE.length).replace('i', 'B');

function hugePagesOf(limits: Readonly<Record<string, string>> = {}): Pick<LinuxContainerResources, 'hugepage_limits'> {
  const own = Object.entries(limits).filter(([name]) => name.startsWith(HUGE));
  if (own.length === 0) return {};
  return { hugepage_limits: own.map(([name, limit]) => ({ page_size: hugePageSize(name), limit: wholeValue(limit) })) };
}

/**
 * The less of what it uses it has asked for, the sooner a container goes when memory is short. What its pod has asked
 * for beyond its containers, they share; a sidecar goes no sooner than the containers that it serves.
 */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacity: number): number {
  const spec = pod.spec ?? { containers: [] };
  if ((spec.priority ?? 0) >= 2_000_000_000) return GUARANTEED_OOM;
  switch (qosClassOf(spec)) {
    case 'Guaranteed':
      return GUARANTEED_OOM;
    case 'BestEffort':
      return BEST_EFFORT_OOM;
    default: {
      const served = isSidecar(container) ? Math.min(...spec.containers.map(memoryRequest)) : 0;
      const asked = Math.max(memoryRequest(container), served) + sharedMemory(spec);
      const score = 1000 - Math.floor((1000 * asked) / memoryCapacity);
      return Math.min(BEST_EFFORT_OOM - 1, Math.max(1000 + GUARANTEED_OOM, score));
    }
  }
}

const memoryRequest = ({ resources }: Container) => wholeValue(resources?.requests?.memory ?? 0);

/** What each container has, in bytes, of what is asked for the pod as a whole and for none of them. */
function sharedMemory(spec: PodSpec): number {
  const whole = spec.resources?.requests?.memory;
  if (whole === undefined) return 0;
  const left = wholeValue(whole) - wholeValue(sumOf(spec, 'requests').memory ?? 0);
  return Math.floor(left / (spec.containers.length + (spec.initContainers?.length ?? 0)));
}

/** What a pod as a whole may use; a limit is undefined where one of its containers has none. */
export interface PodTotals {
  /** in thousandths of a CPU */
  readonly cpuRequest: number;
  readonly cpuLimit?: number;
  /** in bytes */
  readonly memoryLimit?: number;
}

export function podTotals(pod: Pod): PodTotals {
  const spec = pod.spec ?? { containers: [] };
  const own = spec.resources;
  const requests = { ...sumOf(spec, 'requests'), ...own?.requests };
  const limits = sumOf(spec, 'limits');
  const limitOf = (name: 'cpu' | 'memory') => {
    const limit = own?.limits?.[name];
    if (limit !== undefined) return limit;
    const all = [...spec.containers, ...(spec.initContainers ?? [])];
    return all.every((c) => c.resources?.limits?.[name] !== undefined) ? limits[name] : undefined;
  };
  const cpuLimit = limitOf('cpu');
  const memoryLimit = limitOf('memory');
  // What the pod costs beside its containers is within its limits, where it has some.
  const over = { cpu: milliValue(spec.overhead?.cpu ?? 0), memory: wholeValue(spec.overhead?.memory ?? 0) };
  return {
    cpuRequest: milliValue(requests.cpu ?? 0) + over.cpu,
    ...(cpuLimit === undefined ? {} : { cpuLimit: milliValue(cpuLimit) + over.cpu }),
    ...(memoryLimit === undefined ? {} : { memoryLimit: wholeValue(memoryLimit) + over.memory }),
  };
}
