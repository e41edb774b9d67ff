import {
  bool,
  type Infer,
  int32,
  int64,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { ResourceRequirements } from './container.ts';

export const PodStatus = object('io.k8s.api.core.v1.PodStatus', () => ({
  phase: opt(1, str),
  conditions: opt(2, list(PodCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  message: opt(3, str),
  reason: opt(4, str),
  hostIP: opt(5, str),
  podIP: opt(6, str),
  startTime: opt(7, time, { pointer: true }),
  containerStatuses: opt(8, list(ContainerStatus)),
  qosClass: opt(9, str),
  initContainerStatuses: opt(10, list(ContainerStatus)),
  nominatedNodeName: opt(11, str),
  podIPs: opt(12, list(PodIP, { type: 'map', keys: ['ip'], patch: 'merge', mergeKey: 'ip' })),
  ephemeralContainerStatuses: opt(13, list(ContainerStatus)),
  resize: opt(14, str),
  resourceClaimStatuses: opt(
    15,
    list(PodResourceClaimStatus, { type: 'map', keys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  ),
  hostIPs: opt(16, list(HostIP, { patch: 'merge', mergeKey: 'ip' })),
  observedGeneration: opt(17, int64, { pointer: false }),
  extendedResourceClaimStatus: opt(18, PodExtendedResourceClaimStatus),
  allocatedResources: opt(19, map(quantity)),
  resources: opt(20, ResourceRequirements),
  nodeAllocatableResourceClaimStatuses: opt(21, list(NodeAllocatableResourceClaimStatus)),
}));
export interface PodStatus extends Infer<typeof PodStatus> {}

export const PodResourceClaimStatus = object('io.k8s.api.core.v1.PodResourceClaimStatus', () => ({
  name: req(1, str),
  resourceClaimName: opt(2, str, { pointer: true }),
}));
export interface PodResourceClaimStatus extends Infer<typeof PodResourceClaimStatus> {}

export const PodIP = object('io.k8s.api.core.v1.PodIP', () => ({
  ip: req(1, str),
}));
export interface PodIP extends Infer<typeof PodIP> {}

export const NodeAllocatableResourceClaimStatus = object(
  'io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus',
  () => ({
    resourceClaimName: req(1, str),
    containers: opt(2, list(str, { type: 'set' })),
    resources: req(3, map(quantity)),
  }),
);
export interface NodeAllocatableResourceClaimStatus extends Infer<typeof NodeAllocatableResourceClaimStatus> {}

export const HostIP = object('io.k8s.api.core.v1.HostIP', () => ({
  ip: req(1, str),
}));
export interface HostIP extends Infer<typeof HostIP> {}

export const PodExtendedResourceClaimStatus = object('io.k8s.api.core.v1.PodExtendedResourceClaimStatus', () => ({
  requestMappings: req(1, list(ContainerExtendedResourceRequest)),
  resourceClaimName: req(2, str),
}));
export interface PodExtendedResourceClaimStatus extends Infer<typeof PodExtendedResourceClaimStatus> {}

export const ContainerExtendedResourceRequest = object('io.k8s.api.core.v1.ContainerExtendedResourceRequest', () => ({
  containerName: req(1, str),
  resourceName: req(2, str),
  requestName: req(3, str),
}));
export interface ContainerExtendedResourceRequest extends Infer<typeof ContainerExtendedResourceRequest> {}

export const ContainerStatus = object('io.k8s.api.core.v1.ContainerStatus', () => ({
  name: req(1, str),
  state: opt(2, ContainerState, { pointer: false }),
  lastState: opt(3, ContainerState, { pointer: false }),
  ready: req(4, bool),
  restartCount: req(5, int32),
  image: req(6, str),
  imageID: req(7, str),
  containerID: opt(8, str),
  started: opt(9, bool),
  allocatedResources: opt(10, map(quantity)),
  resources: opt(11, ResourceRequirements),
  volumeMounts: opt(
    12,
    list(VolumeMountStatus, { type: 'map', keys: ['mountPath'], patch: 'merge', mergeKey: 'mountPath' }),
  ),
  user: opt(13, ContainerUser),
  allocatedResourcesStatus: opt(
    14,
    list(ResourceStatus, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' }),
  ),
  stopSignal: opt(15, str, { pointer: true }),
}));
export interface ContainerStatus extends Infer<typeof ContainerStatus> {}

export const VolumeMountStatus = object('io.k8s.api.core.v1.VolumeMountStatus', () => ({
  name: req(1, str),
  mountPath: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  recursiveReadOnly: opt(4, str, { pointer: true }),
  volumeStatus: opt(5, VolumeStatus),
}));
export interface VolumeMountStatus extends Infer<typeof VolumeMountStatus> {}

export const VolumeStatus = object('io.k8s.api.core.v1.VolumeStatus', () => ({
  image: opt(1, ImageVolumeStatus),
}));
export interface VolumeStatus extends Infer<typeof VolumeStatus> {}

export const ImageVolumeStatus = object('io.k8s.api.core.v1.ImageVolumeStatus', () => ({
  imageRef: req(1, str),
}));
export interface ImageVolumeStatus extends Infer<typeof ImageVolumeStatus> {}

export const ContainerUser = object('io.k8s.api.core.v1.ContainerUser', () => ({
  linux: opt(1, LinuxContainerUser),
}));
export interface ContainerUser extends Infer<typeof ContainerUser> {}

export const LinuxContainerUser = object('io.k8s.api.core.v1.LinuxContainerUser', () => ({
  uid: req(1, int64),
  gid: req(2, int64),
  supplementalGroups: opt(3, list(int64)),
}));
export interface LinuxContainerUser extends Infer<typeof LinuxContainerUser> {}

export const ContainerState = object('io.k8s.api.core.v1.ContainerState', () => ({
  waiting: opt(1, ContainerStateWaiting),
  running: opt(2, ContainerStateRunning),
  terminated: opt(3, ContainerStateTerminated),
}));
export interface ContainerState extends Infer<typeof ContainerState> {}

export const ContainerStateWaiting = object('io.k8s.api.core.v1.ContainerStateWaiting', () => ({
  reason: opt(1, str),
  message: opt(2, str),
}));
export interface ContainerStateWaiting extends Infer<typeof ContainerStateWaiting> {}

export const ContainerStateTerminated = object('io.k8s.api.core.v1.ContainerStateTerminated', () => ({
  exitCode: req(1, int32),
  signal: opt(2, int32, { pointer: false }),
  reason: opt(3, str),
  message: opt(4, str),
  startedAt: opt(5, time),
  finishedAt: opt(6, time),
  containerID: opt(7, str),
}));
export interface ContainerStateTerminated extends Infer<typeof ContainerStateTerminated> {}

export const ContainerStateRunning = object('io.k8s.api.core.v1.ContainerStateRunning', () => ({
  startedAt: opt(1, time),
}));
export interface ContainerStateRunning extends Infer<typeof ContainerStateRunning> {}

export const ResourceStatus = object('io.k8s.api.core.v1.ResourceStatus', () => ({
  name: req(1, str),
  resources: opt(2, list(ResourceHealth, { type: 'map', keys: ['resourceID'] })),
}));
export interface ResourceStatus extends Infer<typeof ResourceStatus> {}

export const ResourceHealth = object('io.k8s.api.core.v1.ResourceHealth', () => ({
  resourceID: req(1, str),
  health: opt(2, str),
  message: opt(6, str, { pointer: true }),
}));
export interface ResourceHealth extends Infer<typeof ResourceHealth> {}

export const PodCondition = object('io.k8s.api.core.v1.PodCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
  observedGeneration: opt(7, int64, { pointer: false }),
}));
export interface PodCondition extends Infer<typeof PodCondition> {}
