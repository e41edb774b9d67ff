/**
 * The calls of the Container Runtime Interface that the kubelet makes.
 *
 * Source: runtime.v1, https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
 */
import { bool, bytes, type Infer, int32, int64, list, object, opt, str } from '../../machinery/schema/types.ts';
import {
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  Image,
  ImageSpec,
  LinuxContainerResources,
  labels,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStats,
  PodSandboxStatus,
  strings,
  UInt64Value,
} from './messages.ts';

const Empty = object('runtime.v1.Empty', () => ({}));
const sandboxId = object('runtime.v1.PodSandboxId', () => ({ pod_sandbox_id: opt(1, str) }));
const containerId = object('runtime.v1.ContainerId', () => ({ container_id: opt(1, str) }));
const url = object('runtime.v1.Url', () => ({ url: opt(1, str) }));
const imageRequest = object('runtime.v1.ImageRequest', () => ({ image: opt(1, ImageSpec) }));
const condition = object('runtime.v1.RuntimeCondition', () => ({
  type: opt(1, str),
  status: opt(2, bool),
  reason: opt(3, str),
  message: opt(4, str),
}));

const RuntimeHandler = object('runtime.v1.RuntimeHandler', () => ({
  name: opt(1, str),
  features: opt(
    2,
    object('runtime.v1.RuntimeHandlerFeatures', () => ({
      recursive_read_only_mounts: opt(1, bool),
      user_namespaces: opt(2, bool),
    })),
  ),
}));
export interface RuntimeHandler extends Infer<typeof RuntimeHandler> {}

const FilesystemUsage = object('runtime.v1.ImageFilesystemUsage', () => ({
  timestamp: opt(1, int64),
  fs_id: opt(
    2,
    object('runtime.v1.FilesystemIdentifier', () => ({ mountpoint: opt(1, str) })),
  ),
  used_bytes: opt(3, UInt64Value),
  inodes_used: opt(4, UInt64Value),
}));

const RUNTIME = '/runtime.v1.RuntimeService/';
const IMAGES = '/runtime.v1.ImageService/';

/** Each call with the message that goes out and the one that comes back. */
export const CALLS = {
  version: {
    path: `${RUNTIME}Version`,
    request: object('runtime.v1.VersionRequest', () => ({ version: opt(1, str) })),
    response: object('runtime.v1.VersionResponse', () => ({
      version: opt(1, str),
      runtime_name: opt(2, str),
      runtime_version: opt(3, str),
      runtime_api_version: opt(4, str),
    })),
  },
  status: {
    path: `${RUNTIME}Status`,
    request: object('runtime.v1.StatusRequest', () => ({ verbose: opt(1, bool) })),
    response: object('runtime.v1.StatusResponse', () => ({
      status: opt(
        1,
        object('runtime.v1.RuntimeStatus', () => ({ conditions: opt(1, list(condition)) })),
      ),
      info: opt(2, labels),
      runtime_handlers: opt(3, list(RuntimeHandler)),
      features: opt(
        4,
        object('runtime.v1.RuntimeFeatures', () => ({ supplemental_groups_policy: opt(1, bool) })),
      ),
    })),
  },
  runPodSandbox: {
    path: `${RUNTIME}RunPodSandbox`,
    request: object('runtime.v1.RunPodSandboxRequest', () => ({
      config: opt(1, PodSandboxConfig),
      runtime_handler: opt(2, str),
    })),
    response: sandboxId,
  },
  stopPodSandbox: { path: `${RUNTIME}StopPodSandbox`, request: sandboxId, response: Empty },
  removePodSandbox: { path: `${RUNTIME}RemovePodSandbox`, request: sandboxId, response: Empty },
  podSandboxStatus: {
    path: `${RUNTIME}PodSandboxStatus`,
    request: sandboxId,
    response: object('runtime.v1.PodSandboxStatusResponse', () => ({ status: opt(1, PodSandboxStatus) })),
  },
  listPodSandbox: {
    path: `${RUNTIME}ListPodSandbox`,
    request: Empty,
    response: object('runtime.v1.ListPodSandboxResponse', () => ({ items: opt(1, list(PodSandbox)) })),
  },
  createContainer: {
    path: `${RUNTIME}CreateContainer`,
    request: object('runtime.v1.CreateContainerRequest', () => ({
      pod_sandbox_id: opt(1, str),
      config: opt(2, ContainerConfig),
      sandbox_config: opt(3, PodSandboxConfig),
    })),
    response: containerId,
  },
  startContainer: { path: `${RUNTIME}StartContainer`, request: containerId, response: Empty },
  stopContainer: {
    path: `${RUNTIME}StopContainer`,
    request: object('runtime.v1.StopContainerRequest', () => ({ container_id: opt(1, str), timeout: opt(2, int64) })),
    response: Empty,
  },
  updateContainerResources: {
    path: `${RUNTIME}UpdateContainerResources`,
    request: object('runtime.v1.UpdateContainerResourcesRequest', () => ({
      container_id: opt(1, str),
      linux: opt(2, LinuxContainerResources),
    })),
    response: Empty,
  },
  reopenContainerLog: { path: `${RUNTIME}ReopenContainerLog`, request: containerId, response: Empty },
  removeContainer: { path: `${RUNTIME}RemoveContainer`, request: containerId, response: Empty },
  listContainers: {
    path: `${RUNTIME}ListContainers`,
    request: Empty,
    response: object('runtime.v1.ListContainersResponse', () => ({ containers: opt(1, list(Container)) })),
  },
  containerStatus: {
    path: `${RUNTIME}ContainerStatus`,
    request: containerId,
    response: object('runtime.v1.ContainerStatusResponse', () => ({ status: opt(1, ContainerStatus) })),
  },
  containerStats: {
    path: `${RUNTIME}ContainerStats`,
    request: containerId,
    response: object('runtime.v1.ContainerStatsResponse', () => ({ stats: opt(1, ContainerStats) })),
  },
  listContainerStats: {
    path: `${RUNTIME}ListContainerStats`,
    request: Empty,
    response: object('runtime.v1.ListContainerStatsResponse', () => ({ stats: opt(1, list(ContainerStats)) })),
  },
  listPodSandboxStats: {
    path: `${RUNTIME}ListPodSandboxStats`,
    request: Empty,
    response: object('runtime.v1.ListPodSandboxStatsResponse', () => ({ stats: opt(1, list(PodSandboxStats)) })),
  },
  execSync: {
    path: `${RUNTIME}ExecSync`,
    request: object('runtime.v1.ExecSyncRequest', () => ({
      container_id: opt(1, str),
      cmd: opt(2, strings),
      timeout: opt(3, int64),
    })),
    response: object('runtime.v1.ExecSyncResponse', () => ({
      stdout: opt(1, bytes),
      stderr: opt(2, bytes),
      exit_code: opt(3, int32),
    })),
  },
  exec: {
    path: `${RUNTIME}Exec`,
    request: object('runtime.v1.ExecRequest', () => ({
      container_id: opt(1, str),
      cmd: opt(2, strings),
      tty: opt(3, bool),
      stdin: opt(4, bool),
      stdout: opt(5, bool),
      stderr: opt(6, bool),
    })),
    response: url,
  },
  attach: {
    path: `${RUNTIME}Attach`,
    request: object('runtime.v1.AttachRequest', () => ({
      container_id: opt(1, str),
      stdin: opt(2, bool),
      tty: opt(3, bool),
      stdout: opt(4, bool),
      stderr: opt(5, bool),
    })),
    response: url,
  },
  portForward: {
    path: `${RUNTIME}PortForward`,
    request: object('runtime.v1.PortForwardRequest', () => ({
      pod_sandbox_id: opt(1, str),
      port: opt(2, list(int32)),
    })),
    response: url,
  },
  listImages: {
    path: `${IMAGES}ListImages`,
    request: Empty,
    response: object('runtime.v1.ListImagesResponse', () => ({ images: opt(1, list(Image)) })),
  },
  imageStatus: {
    path: `${IMAGES}ImageStatus`,
    request: imageRequest,
    response: object('runtime.v1.ImageStatusResponse', () => ({ image: opt(1, Image) })),
  },
  pullImage: {
    path: `${IMAGES}PullImage`,
    request: object('runtime.v1.PullImageRequest', () => ({
      image: opt(1, ImageSpec),
      auth: opt(2, AuthConfig),
      sandbox_config: opt(3, PodSandboxConfig),
    })),
    response: object('runtime.v1.PullImageResponse', () => ({ image_ref: opt(1, str) })),
  },
  imageFsInfo: {
    path: `${IMAGES}ImageFsInfo`,
    request: Empty,
    response: object('runtime.v1.ImageFsInfoResponse', () => ({ image_filesystems: opt(1, list(FilesystemUsage)) })),
  },
  removeImage: { path: `${IMAGES}RemoveImage`, request: imageRequest, response: Empty },
} as const;

export type CallName = keyof typeof CALLS;
export type CallRequest<N extends CallName> = Infer<(typeof CALLS)[N]['request']>;
export type CallResponse<N extends CallName> = Infer<(typeof CALLS)[N]['response']>;
