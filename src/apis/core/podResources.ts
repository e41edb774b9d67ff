/**
 * What a pod asks for in all: sums over its containers. The scheduler, the kubelet and quotas count with these.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
import { addQuantities, compareQuantities } from '../../machinery/quantity.ts';
import type { Container } from './container.ts';
import type { PodSpec } from './podSpec.ts';

/** Amounts by resource name, e.g. `{cpu: '500m', memory: '128Mi'}`. */
export type ResourceList = Record<string, string>;

/** An init container that runs on beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * The requests or limits of all containers: the sum of those that run together, or what the hungriest
 * init container needs beside the sidecars started before it, whichever is more.
 */
export function containerResources(spec: PodSpec, which: 'requests' | 'limits'): ResourceList {
  const running: ResourceList = {};
  for (const container of spec.containers ?? []) addTo(running, container.resources?.[which]);
  const sidecars: ResourceList = {};
  const starting: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[which];
    if (isSidecar(container)) {
      addTo(running, own);
      addTo(sidecars, own);
      raiseTo(starting, sidecars);
    } else {
      const now = { ...sidecars };
      addTo(now, own);
      raiseTo(starting, now);
    }
  }
  raiseTo(running, starting);
  return running;
}

function addTo(sum: ResourceList, amounts: Readonly<ResourceList> | undefined): void {
  for (const name in amounts) {
    const amount = amounts[name] as string;
    const before = Object.hasOwn(sum, name) ? sum[name] : undefined;
    sum[name] = before === undefined ? amount : addQuantities(before, amount);
  }
}

function raiseTo(most: ResourceList, amounts: Readonly<ResourceList>): void {
  for (const name in amounts) {
    const amount = amounts[name] as string;
    const before = Object.hasOwn(most, name) ? most[name] : undefined;
    if (before === undefined || compareQuantities(amount, before) > 0) most[name] = amount;
  }
}
