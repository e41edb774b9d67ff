/**
 * The quality of service class of a pod.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
import { compareQuantities } from '../../machinery/quantity.ts';
import type { ResourceRequirements } from './container.ts';
import type { PodSpec } from './podSpec.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

/** Guaranteed: limits for all, equal to the requests. BestEffort: neither. Burstable: what is between. */
export function qosClassOf(spec: PodSpec): QosClass {
  if (spec.resources !== undefined && isCounted(spec.resources)) {
    return isGuaranteed(spec.resources) ? 'Guaranteed' : 'Burstable';
  }
  let counted = false;
  let guaranteed = true;
  for (const containers of [spec.containers, spec.initContainers]) {
    for (const container of containers ?? []) {
      const resources = container.resources;
      if (resources !== undefined && isCounted(resources)) {
        counted = true;
        guaranteed &&= isGuaranteed(resources);
      } else guaranteed = false;
    }
  }
  if (!counted) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function isCounted(resources: ResourceRequirements): boolean {
  return COUNTED.some((name) => isPositive(resources.limits?.[name]) || isPositive(resources.requests?.[name]));
}

function isGuaranteed(resources: ResourceRequirements): boolean {
  return COUNTED.every((name) => {
    const limit = resources.limits?.[name];
    if (limit === undefined || !isPositive(limit)) return false;
    const request = resources.requests?.[name];
    return request === undefined || request === limit || compareQuantities(request, limit) === 0;
  });
}

function isPositive(amount: string | undefined): boolean {
  return amount !== undefined && compareQuantities(amount, 0) > 0;
}
