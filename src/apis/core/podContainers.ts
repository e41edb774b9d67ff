/** The containers of a pod, of whatever sort. */
import type { Container } from './container.ts';
import type { PodSpec } from './podSpec.ts';
import type { ContainerStatus, PodStatus } from './podStatus.ts';

/** In the order of their importance: regular ones, init containers, ephemeral ones. Names are unique among all. */
export function containersOf(spec: PodSpec): readonly Container[] {
  return [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** What is told of them. */
export function containerStatusesOf(status: PodStatus): readonly ContainerStatus[] {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status;
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
}
