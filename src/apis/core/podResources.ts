/**
 * What a pod asks for in all: sums over its containers. The scheduler, the kubelet and quotas count with these.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
import { addQuantities, compareQuantities } from '../../machinery/quantity.ts';
import type { Container } from './container.ts';
import type { Pod } from './pod.ts';
import type { PodSpec } from './podSpec.ts';
import type { ContainerStatus } from './podStatus.ts';

/** Amounts by resource name, e.g. `{cpu: '500m', memory: '128Mi'}`. */
export type ResourceList = Record<string, string>;

/**
 * The pod's spec with the requests that count for it while its resources change: of each container the most of what
 * is wished for, what was granted and what it has. A wish that the node can never grant does not count.
 *
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
export function heldSpec({ spec = { containers: [] }, status }: Pod): PodSpec {
  const { containerStatuses = [], initContainerStatuses = [] } = status ?? {};
  if (containerStatuses.length + initContainerStatuses.length === 0) return spec;
  const infeasible = status?.conditions?.some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible');
  const of = (containers: Container[], statuses: readonly ContainerStatus[]) => {
    const held = containers.map((c) => heldContainer(c, statuses, infeasible === true));
    return held.every((container, i) => container === containers[i]) ? containers : held;
  };
  const containers = of(spec.containers, containerStatuses);
  const initContainers = spec.initContainers && of(spec.initContainers, initContainerStatuses);
  if (containers === spec.containers && initContainers === spec.initContainers) return spec;
  return { ...spec, containers, ...(initContainers === undefined ? {} : { initContainers }) };
}

/** The container itself where its spec says all. */
function heldContainer(container: Container, statuses: readonly ContainerStatus[], infeasible: boolean): Container {
  const told = statuses.find((s) => s.name === container.name);
  if (told?.resources === undefined) return container;
  const { resources } = container;
  const requests: ResourceList = {};
  if (!infeasible) raiseTo(requests, resources?.requests ?? {});
  raiseTo(requests, told.resources.requests ?? {});
  raiseTo(requests, told.allocatedResources ?? {});
  const wished = resources?.requests ?? {};
  const names = new Set([...Object.keys(wished), ...Object.keys(requests)]);
  const same = [...names].every((name) => compareQuantities(wished[name] ?? '0', requests[name] ?? '0') === 0);
  return same ? container : { ...container, resources: { ...resources, requests } };
}

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
