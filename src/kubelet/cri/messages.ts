/**
 * The messages of the Container Runtime Interface that the kubelet uses, with their wire numbers.
 * Enumerations are numbers, as on the wire.
 *
 * Source: runtime.v1, https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
 */
import { bool, type Infer, int32, int64, list, map, object, opt, str } from '../../machinery/schema/types.ts';

export const strings = list(str);
export const labels = map(str);

export const SANDBOX_READY = 0;
export const CONTAINER_STATE = { created: 0, running: 1, exited: 2, unknown: 3 } as const;
export const NAMESPACE_MODE = { pod: 0, container: 1, node: 2, target: 3 } as const;
export const PROFILE_TYPE = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
export const PROPAGATION = { private: 0, hostToContainer: 1, bidirectional: 2 } as const;
export const PROTOCOL: Readonly<Record<string, number>> = { TCP: 0, UDP: 1, SCTP: 2 };

const PodSandboxMetadata = object('runtime.v1.PodSandboxMetadata', () => ({
  name: opt(1, str),
  uid: opt(2, str),
  namespace: opt(3, str),
  attempt: opt(4, int32),
}));

const Int64Value = object('runtime.v1.Int64Value', () => ({ value: opt(1, int64) }));

const NamespaceOption = object('runtime.v1.NamespaceOption', () => ({
  network: opt(1, int32),
  pid: opt(2, int32),
  ipc: opt(3, int32),
  target_id: opt(4, str),
}));

const SELinuxOption = object('runtime.v1.SELinuxOption', () => ({
  user: opt(1, str),
  role: opt(2, str),
  type: opt(3, str),
  level: opt(4, str),
}));

const SecurityProfile = object('runtime.v1.SecurityProfile', () => ({
  profile_type: opt(1, int32),
  localhost_ref: opt(2, str),
}));

const LinuxSandboxSecurityContext = object('runtime.v1.LinuxSandboxSecurityContext', () => ({
  namespace_options: opt(1, NamespaceOption),
  selinux_options: opt(2, SELinuxOption),
  run_as_user: opt(3, Int64Value),
  run_as_group: opt(8, Int64Value),
  readonly_rootfs: opt(4, bool),
  supplemental_groups: opt(5, list(int64)),
  privileged: opt(6, bool),
  seccomp: opt(9, SecurityProfile),
  apparmor: opt(10, SecurityProfile),
  supplemental_groups_policy: opt(11, int32),
}));

export const LinuxContainerResources = object('runtime.v1.LinuxContainerResources', () => ({
  cpu_period: opt(1, int64),
  cpu_quota: opt(2, int64),
  cpu_shares: opt(3, int64),
  memory_limit_in_bytes: opt(4, int64),
  oom_score_adj: opt(5, int64),
  cpuset_cpus: opt(6, str),
  cpuset_mems: opt(7, str),
  hugepage_limits: opt(
    8,
    list(object('runtime.v1.HugepageLimit', () => ({ page_size: opt(1, str), limit: opt(2, int64) }))),
  ),
  unified: opt(9, labels),
}));
export interface LinuxContainerResources extends Infer<typeof LinuxContainerResources> {}

export const PodSandboxConfig = object('runtime.v1.PodSandboxConfig', () => ({
  metadata: opt(1, PodSandboxMetadata),
  hostname: opt(2, str),
  log_directory: opt(3, str),
  dns_config: opt(
    4,
    object('runtime.v1.DNSConfig', () => ({
      servers: opt(1, strings),
      searches: opt(2, strings),
      options: opt(3, strings),
    })),
  ),
  port_mappings: opt(
    5,
    list(
      object('runtime.v1.PortMapping', () => ({
        protocol: opt(1, int32),
        container_port: opt(2, int32),
        host_port: opt(3, int32),
        host_ip: opt(4, str),
      })),
    ),
  ),
  labels: opt(6, labels),
  annotations: opt(7, labels),
  linux: opt(
    8,
    object('runtime.v1.LinuxPodSandboxConfig', () => ({
      cgroup_parent: opt(1, str),
      security_context: opt(2, LinuxSandboxSecurityContext),
      sysctls: opt(3, labels),
      overhead: opt(4, LinuxContainerResources),
      resources: opt(5, LinuxContainerResources),
    })),
  ),
}));
export interface PodSandboxConfig extends Infer<typeof PodSandboxConfig> {}

export const PodSandbox = object('runtime.v1.PodSandbox', () => ({
  id: opt(1, str),
  metadata: opt(2, PodSandboxMetadata),
  state: opt(3, int32),
  created_at: opt(4, int64),
  labels: opt(5, labels),
  annotations: opt(6, labels),
}));
export interface PodSandbox extends Infer<typeof PodSandbox> {}

const PodIP = object('runtime.v1.PodIP', () => ({ ip: opt(1, str) }));

export const PodSandboxStatus = object('runtime.v1.PodSandboxStatus', () => ({
  id: opt(1, str),
  metadata: opt(2, PodSandboxMetadata),
  state: opt(3, int32),
  created_at: opt(4, int64),
  network: opt(
    5,
    object('runtime.v1.PodSandboxNetworkStatus', () => ({ ip: opt(1, str), additional_ips: opt(2, list(PodIP)) })),
  ),
}));
export interface PodSandboxStatus extends Infer<typeof PodSandboxStatus> {}

export const ImageSpec = object('runtime.v1.ImageSpec', () => ({
  image: opt(1, str),
  annotations: opt(2, labels),
  user_specified_image: opt(18, str),
}));

const ContainerMetadata = object('runtime.v1.ContainerMetadata', () => ({ name: opt(1, str), attempt: opt(2, int32) }));

export const Mount = object('runtime.v1.Mount', () => ({
  container_path: opt(1, str),
  host_path: opt(2, str),
  readonly: opt(3, bool),
  selinux_relabel: opt(4, bool),
  propagation: opt(5, int32),
  recursive_read_only: opt(8, bool),
  image: opt(9, ImageSpec),
  image_sub_path: opt(10, str),
}));
export interface Mount extends Infer<typeof Mount> {}

export const LinuxContainerSecurityContext = object('runtime.v1.LinuxContainerSecurityContext', () => ({
  capabilities: opt(
    1,
    object('runtime.v1.Capability', () => ({ add_capabilities: opt(1, strings), drop_capabilities: opt(2, strings) })),
  ),
  privileged: opt(2, bool),
  namespace_options: opt(3, NamespaceOption),
  selinux_options: opt(4, SELinuxOption),
  run_as_user: opt(5, Int64Value),
  run_as_group: opt(12, Int64Value),
  run_as_username: opt(6, str),
  readonly_rootfs: opt(7, bool),
  supplemental_groups: opt(8, list(int64)),
  no_new_privs: opt(11, bool),
  masked_paths: opt(13, strings),
  readonly_paths: opt(14, strings),
  seccomp: opt(15, SecurityProfile),
  apparmor: opt(16, SecurityProfile),
  supplemental_groups_policy: opt(17, int32),
}));
export interface LinuxContainerSecurityContext extends Infer<typeof LinuxContainerSecurityContext> {}

export const ContainerConfig = object('runtime.v1.ContainerConfig', () => ({
  metadata: opt(1, ContainerMetadata),
  image: opt(2, ImageSpec),
  command: opt(3, strings),
  args: opt(4, strings),
  working_dir: opt(5, str),
  envs: opt(6, list(object('runtime.v1.KeyValue', () => ({ key: opt(1, str), value: opt(2, str) })))),
  mounts: opt(7, list(Mount)),
  devices: opt(8, list(Device)),
  labels: opt(9, labels),
  annotations: opt(10, labels),
  log_path: opt(11, str),
  stdin: opt(12, bool),
  stdin_once: opt(13, bool),
  tty: opt(14, bool),
  linux: opt(
    15,
    object('runtime.v1.LinuxContainerConfig', () => ({
      resources: opt(1, LinuxContainerResources),
      security_context: opt(2, LinuxContainerSecurityContext),
    })),
  ),
  CDI_devices: opt(17, list(object('runtime.v1.CDIDevice', () => ({ name: opt(1, str) })))),
  stop_signal: opt(18, int32),
}));
export interface ContainerConfig extends Infer<typeof ContainerConfig> {}

export const Device = object('runtime.v1.Device', () => ({
  container_path: opt(1, str),
  host_path: opt(2, str),
  permissions: opt(3, str),
}));
export interface Device extends Infer<typeof Device> {}

export const Container = object('runtime.v1.Container', () => ({
  id: opt(1, str),
  pod_sandbox_id: opt(2, str),
  metadata: opt(3, ContainerMetadata),
  image: opt(4, ImageSpec),
  image_ref: opt(5, str),
  state: opt(6, int32),
  created_at: opt(7, int64),
  labels: opt(8, labels),
  annotations: opt(9, labels),
}));
export interface Container extends Infer<typeof Container> {}

export const ContainerStatus = object('runtime.v1.ContainerStatus', () => ({
  id: opt(1, str),
  metadata: opt(2, ContainerMetadata),
  state: opt(3, int32),
  created_at: opt(4, int64),
  started_at: opt(5, int64),
  finished_at: opt(6, int64),
  exit_code: opt(7, int32),
  image: opt(8, ImageSpec),
  image_ref: opt(9, str),
  reason: opt(10, str),
  message: opt(11, str),
  labels: opt(12, labels),
  annotations: opt(13, labels),
  log_path: opt(15, str),
  user: opt(
    18,
    object('runtime.v1.ContainerUser', () => ({
      linux: opt(
        1,
        object('runtime.v1.LinuxContainerUser', () => ({
          uid: opt(1, int64),
          gid: opt(2, int64),
          supplemental_groups: opt(3, list(int64)),
        })),
      ),
    })),
  ),
  stop_signal: opt(19, int32),
}));
export interface ContainerStatus extends Infer<typeof ContainerStatus> {}

export const UInt64Value = object('runtime.v1.UInt64Value', () => ({ value: opt(1, int64) }));

export const ContainerStats = object('runtime.v1.ContainerStats', () => ({
  attributes: opt(
    1,
    object('runtime.v1.ContainerAttributes', () => ({
      id: opt(1, str),
      metadata: opt(2, ContainerMetadata),
      labels: opt(3, labels),
      annotations: opt(4, labels),
    })),
  ),
  cpu: opt(
    2,
    object('runtime.v1.CpuUsage', () => ({ timestamp: opt(1, int64), usage_core_nano_seconds: opt(2, UInt64Value) })),
  ),
  memory: opt(
    3,
    object('runtime.v1.MemoryUsage', () => ({
      timestamp: opt(1, int64),
      working_set_bytes: opt(2, UInt64Value),
      available_bytes: opt(3, UInt64Value),
      usage_bytes: opt(4, UInt64Value),
      rss_bytes: opt(5, UInt64Value),
      page_faults: opt(6, UInt64Value),
      major_page_faults: opt(7, UInt64Value),
    })),
  ),
  writable_layer: opt(
    4,
    object('runtime.v1.FilesystemUsage', () => ({
      timestamp: opt(1, int64),
      used_bytes: opt(3, UInt64Value),
      inodes_used: opt(4, UInt64Value),
    })),
  ),
}));
export interface ContainerStats extends Infer<typeof ContainerStats> {}

const NetworkInterfaceUsage = object('runtime.v1.NetworkInterfaceUsage', () => ({
  name: opt(1, str),
  rx_bytes: opt(2, UInt64Value),
  rx_errors: opt(3, UInt64Value),
  tx_bytes: opt(4, UInt64Value),
  tx_errors: opt(5, UInt64Value),
}));
export interface NetworkInterfaceUsage extends Infer<typeof NetworkInterfaceUsage> {}

export const PodSandboxStats = object('runtime.v1.PodSandboxStats', () => ({
  attributes: opt(
    1,
    object('runtime.v1.PodSandboxAttributes', () => ({ id: opt(1, str), metadata: opt(2, PodSandboxMetadata) })),
  ),
  linux: opt(
    2,
    object('runtime.v1.LinuxPodSandboxStats', () => ({
      network: opt(
        3,
        object('runtime.v1.NetworkUsage', () => ({
          timestamp: opt(1, int64),
          default_interface: opt(2, NetworkInterfaceUsage),
          interfaces: opt(3, list(NetworkInterfaceUsage)),
        })),
      ),
      process: opt(
        4,
        object('runtime.v1.ProcessUsage', () => ({ timestamp: opt(1, int64), process_count: opt(2, UInt64Value) })),
      ),
    })),
  ),
}));
export interface PodSandboxStats extends Infer<typeof PodSandboxStats> {}

export const Image = object('runtime.v1.Image', () => ({
  id: opt(1, str),
  repo_tags: opt(2, strings),
  repo_digests: opt(3, strings),
  size: opt(4, int64),
  uid: opt(5, Int64Value),
  username: opt(6, str),
  pinned: opt(8, bool),
}));
export interface Image extends Infer<typeof Image> {}

export const AuthConfig = object('runtime.v1.AuthConfig', () => ({
  username: opt(1, str),
  password: opt(2, str),
  auth: opt(3, str),
  server_address: opt(4, str),
  identity_token: opt(5, str),
  registry_token: opt(6, str),
}));
export interface AuthConfig extends Infer<typeof AuthConfig> {}
