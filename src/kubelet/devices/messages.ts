/**
 * What device plugins and the kubelet say to each other, with the wire numbers.
 * Source: v1beta1, https://github.com/kubernetes/kubelet/blob/master/pkg/apis/deviceplugin/v1beta1/api.proto
 */
import { bool, type Infer, int32, int64, list, map, object, opt, str } from '../../machinery/schema/types.ts';

const Empty = object('v1beta1.Empty', () => ({}));

const DevicePluginOptions = object('v1beta1.DevicePluginOptions', () => ({
  pre_start_required: opt(1, bool),
  get_preferred_allocation_available: opt(2, bool),
}));

export const RegisterRequest = object('v1beta1.RegisterRequest', () => ({
  version: opt(1, str),
  endpoint: opt(2, str),
  resource_name: opt(3, str),
  options: opt(4, DevicePluginOptions),
}));
export interface RegisterRequest extends Infer<typeof RegisterRequest> {}
export const RegisterResponse = Empty;

const PluginDevice = object('v1beta1.Device', () => ({
  ID: opt(1, str),
  health: opt(2, str),
  topology: opt(
    3,
    object('v1beta1.TopologyInfo', () => ({
      nodes: opt(1, list(object('v1beta1.NUMANode', () => ({ ID: opt(1, int64) })))),
    })),
  ),
}));
export interface PluginDevice extends Infer<typeof PluginDevice> {}

export const ListAndWatchResponse = object('v1beta1.ListAndWatchResponse', () => ({
  devices: opt(1, list(PluginDevice)),
}));
export interface ListAndWatchResponse extends Infer<typeof ListAndWatchResponse> {}

/** What a container gets with its devices. */
export const ContainerAllocateResponse = object('v1beta1.ContainerAllocateResponse', () => ({
  envs: opt(1, map(str)),
  mounts: opt(
    2,
    list(
      object('v1beta1.Mount', () => ({
        container_path: opt(1, str),
        host_path: opt(2, str),
        read_only: opt(3, bool),
      })),
    ),
  ),
  devices: opt(
    3,
    list(
      object('v1beta1.DeviceSpec', () => ({
        container_path: opt(1, str),
        host_path: opt(2, str),
        permissions: opt(3, str),
      })),
    ),
  ),
  annotations: opt(4, map(str)),
  cdi_devices: opt(5, list(object('v1beta1.CDIDevice', () => ({ name: opt(1, str) })))),
}));
export interface ContainerAllocateResponse extends Infer<typeof ContainerAllocateResponse> {}

const ContainerAllocateRequest = object('v1beta1.ContainerAllocateRequest', () => ({ devicesIDs: opt(1, list(str)) }));

const PLUGIN = '/v1beta1.DevicePlugin/';
export const REGISTER = '/v1beta1.Registration/Register';
export const LIST_AND_WATCH = `${PLUGIN}ListAndWatch`;
export const ListAndWatchRequest = Empty;

/** Each call of a plugin with the message that goes out and the one that comes back. */
export const DEVICE_CALLS = {
  getDevicePluginOptions: { path: `${PLUGIN}GetDevicePluginOptions`, request: Empty, response: DevicePluginOptions },
  getPreferredAllocation: {
    path: `${PLUGIN}GetPreferredAllocation`,
    request: object('v1beta1.PreferredAllocationRequest', () => ({
      container_requests: opt(
        1,
        list(
          object('v1beta1.ContainerPreferredAllocationRequest', () => ({
            available_deviceIDs: opt(1, list(str)),
            must_include_deviceIDs: opt(2, list(str)),
            allocation_size: opt(3, int32),
          })),
        ),
      ),
    })),
    response: object('v1beta1.PreferredAllocationResponse', () => ({
      container_responses: opt(
        1,
        list(object('v1beta1.ContainerPreferredAllocationResponse', () => ({ deviceIDs: opt(1, list(str)) }))),
      ),
    })),
  },
  allocate: {
    path: `${PLUGIN}Allocate`,
    request: object('v1beta1.AllocateRequest', () => ({ container_requests: opt(1, list(ContainerAllocateRequest)) })),
    response: object('v1beta1.AllocateResponse', () => ({
      container_responses: opt(1, list(ContainerAllocateResponse)),
    })),
  },
  preStartContainer: {
    path: `${PLUGIN}PreStartContainer`,
    request: object('v1beta1.PreStartContainerRequest', () => ({ devicesIDs: opt(1, list(str)) })),
    response: Empty,
  },
} as const;

export type DeviceCall = keyof typeof DEVICE_CALLS;
export type DeviceRequest<N extends DeviceCall> = Infer<(typeof DEVICE_CALLS)[N]['request']>;
export type DeviceResponse<N extends DeviceCall> = Infer<(typeof DEVICE_CALLS)[N]['response']>;
