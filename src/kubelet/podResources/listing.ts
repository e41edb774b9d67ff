/** Who has which devices, CPUs and memory of the node for itself. Pure. */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import { type Holdings, joined } from '../grants.ts';
import type { ContainerResources, PodResources } from './messages.ts';

/** What has been set aside, by whoever gives it out. */
export interface HoldingsSource {
  holdings(uid: string, container: string): Holdings;
  /** All that could be set aside. */
  holdable(): Holdings;
}

/** @param pods that have their place here */
export function podResourcesOf(pods: readonly Pod[], sources: readonly HoldingsSource[]): PodResources[] {
  return pods.map(({ metadata, spec }) => {
    const inits = (spec?.initContainers ?? []).filter(isSidecar);
    const containers = [...inits, ...(spec?.containers ?? [])];
    return {
      name: metadata?.name ?? '',
      namespace: metadata?.namespace ?? '',
      containers: containers.map(({ name }: Container) => ({
        name,
        ...messageOf(joined(sources.map((s) => s.holdings(metadata?.uid ?? '', name)))),
      })),
    };
  });
}

export const allocatableOf = (sources: readonly HoldingsSource[]) =>
  messageOf(joined(sources.map((s) => s.holdable())));

function messageOf({ devices = [], cpus = [], memory = [] }: Holdings): Omit<ContainerResources, 'name'> {
  const on = (nodes: readonly number[]) =>
    nodes.length === 0 ? {} : { topology: { nodes: nodes.map((ID) => ({ ID })) } };
  return {
    devices: devices.map(({ resource, id, nodes }) => ({ resource_name: resource, device_ids: [id], ...on(nodes) })),
    cpu_ids: [...cpus],
    memory: memory.map(({ bytes, nodes }) => ({ memory_type: 'memory', size: bytes, ...on(nodes) })),
  };
}
