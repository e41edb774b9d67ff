/**
 * The quality of service class of a pod.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
import { compareQuantities, quantityOf } from '../../machinery/quantity.ts';
import type { ResourceRequirements } from './container.ts';
import type { PodSpec } from './podSpec.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'] as const;

export function qosClassOf(spec: PodSpec): QosClass {
  const all: (ResourceRequirements | undefined)[] = spec.resources
    ? [spec.resources]
    : [...(spec.initContainers ?? []), ...spec.containers].map((c) => c.resources);
  let any = false;
  let guaranteed = true;
  for (const resources of all) {
    for (const name of COUNTED) {
      const request = positive(resources?.requests?.[name]);
      const limit = positive(resources?.limits?.[name]);
      if (request !== undefined || limit !== undefined) any = true;
      if (limit === undefined || (request !== undefined && compareQuantities(request, limit) !== 0)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function positive(quantity: string | undefined): string | undefined {
  return quantity === undefined || quantityOf(quantity).nano === 0n ? undefined : quantity;
}
