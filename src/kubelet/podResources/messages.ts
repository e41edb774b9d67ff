/**
 * What those who ask the kubelet who has which device say and hear, with the wire numbers.
 * Source: v1, https://github.com/kubernetes/kubelet/blob/master/pkg/apis/podresources/v1/api.proto
 */
import { type Infer, int64, list, object, opt, str } from '../../machinery/schema/types.ts';

const TopologyInfo = object('podresources.v1.TopologyInfo', () => ({
  nodes: opt(1, list(object('podresources.v1.NUMANode', () => ({ ID: opt(1, int64) })))),
}));

const ContainerDevices = object('podresources.v1.ContainerDevices', () => ({
  resource_name: opt(1, str),
  device_ids: opt(2, list(str)),
  topology: opt(3, TopologyInfo),
}));

const ContainerMemory = object('podresources.v1.ContainerMemory', () => ({
  memory_type: opt(1, str),
  size: opt(2, int64),
  topology: opt(3, TopologyInfo),
}));

const ContainerResources = object('podresources.v1.ContainerResources', () => ({
  name: opt(1, str),
  devices: opt(2, list(ContainerDevices)),
  cpu_ids: opt(3, list(int64)),
  memory: opt(4, list(ContainerMemory)),
}));
export interface ContainerResources extends Infer<typeof ContainerResources> {}

const PodResources = object('podresources.v1.PodResources', () => ({
  name: opt(1, str),
  namespace: opt(2, str),
  containers: opt(3, list(ContainerResources)),
}));
export interface PodResources extends Infer<typeof PodResources> {}

const LISTER = '/v1.PodResourcesLister/';
const Empty = object('podresources.v1.Empty', () => ({}));

/** Each call with the message that comes in and the one that goes out. */
export const POD_RESOURCES_CALLS = {
  list: {
    path: `${LISTER}List`,
    request: Empty,
    response: object('podresources.v1.ListPodResourcesResponse', () => ({ pod_resources: opt(1, list(PodResources)) })),
  },
  getAllocatableResources: {
    path: `${LISTER}GetAllocatableResources`,
    request: Empty,
    response: object('podresources.v1.AllocatableResourcesResponse', () => ({
      devices: opt(1, list(ContainerDevices)),
      cpu_ids: opt(2, list(int64)),
      memory: opt(3, list(ContainerMemory)),
    })),
  },
  get: {
    path: `${LISTER}Get`,
    request: object('podresources.v1.GetPodResourcesRequest', () => ({
      pod_name: opt(1, str),
      pod_namespace: opt(2, str),
    })),
    response: object('podresources.v1.GetPodResourcesResponse', () => ({ pod_resources: opt(1, PodResources) })),
  },
} as const;
