/**
 * What a pod asks of a node, in numbers: millicores of cpu, bytes of memory, units of anything else.
 *
 * Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
import type { Container } from '../apis/core/container.ts';
import { isPodLevelResource } from '../apis/core/podLevelResources.ts';
import { containerResources, isSidecar, type ResourceList } from '../apis/core/podResources.ts';
import type { PodSpec } from '../apis/core/podSpec.ts';
import { milliValue, wholeValue } from '../machinery/quantity.ts';

/** By resource name. What is absent is zero. */
export type Amounts = ReadonlyMap<string, number>;

/** A container that asks for nothing counts as this much where nodes are compared, or all such pods would pile up. */
const ASSUMED_MILLICORES = 100;
const ASSUMED_MEMORY_BYTES = 200 * 1024 * 1024;

/** Millicores of cpu, whole units of all else. */
export function amountOf(resource: string, quantity: string): number {
  return resource === 'cpu' ? milliValue(quantity) : wholeValue(quantity);
}

export function amountsOf(list: Readonly<ResourceList> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const resource in list) amounts.set(resource, amountOf(resource, list[resource] as string));
  return amounts;
}

/** What must be free on a node: the containers' requests, or the pod's own where it has some, and the overhead. */
export function podRequests(spec: PodSpec): Amounts {
  const requests = amountsOf(containerResources(spec, 'requests'));
  for (const [resource, amount] of amountsOf(spec.resources?.requests)) {
    if (isPodLevelResource(resource)) requests.set(resource, amount);
  }
  return add(requests, amountsOf(spec.overhead));
}

/** As `podRequests`, cpu and memory only, with something assumed for containers that ask for none. */
export function assumedRequests(spec: PodSpec): { readonly cpu: number; readonly memory: number } {
  const overhead = amountsOf(spec.overhead);
  const own = amountsOf(spec.resources?.requests);
  const assumed = (resource: 'cpu' | 'memory', otherwise: number) =>
    (own.get(resource) ?? containersAssume(spec, resource, otherwise)) + (overhead.get(resource) ?? 0);
  return { cpu: assumed('cpu', ASSUMED_MILLICORES), memory: assumed('memory', ASSUMED_MEMORY_BYTES) };
}

function containersAssume(spec: PodSpec, resource: string, otherwise: number): number {
  const asks = (container: Container) => {
    const quantity = container.resources?.requests?.[resource];
    return quantity === undefined ? otherwise : amountOf(resource, quantity);
  };
  let running = 0;
  for (const container of spec.containers) running += asks(container);
  let sidecars = 0;
  let starting = 0;
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars += asks(container);
      starting = Math.max(starting, sidecars);
    } else starting = Math.max(starting, sidecars + asks(container));
  }
  return Math.max(running + sidecars, starting);
}

/** Adds to `sum`, which it changes and returns. @param sign -1 to subtract */
export function add(sum: Map<string, number>, amounts: Amounts, sign: 1 | -1 = 1): Map<string, number> {
  for (const [resource, amount] of amounts) sum.set(resource, (sum.get(resource) ?? 0) + sign * amount);
  return sum;
}
