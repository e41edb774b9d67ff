/**
 * The messages of the Container Storage Interface that a node uses, and of the registration of plugins with a kubelet,
 * with their wire numbers. Enumerations are numbers, as on the wire.
 *
 * Sources: csi.v1, https://github.com/container-storage-interface/spec/blob/master/csi.proto
 * and pluginregistration, https://kubernetes.io/docs/reference/node/kubelet-files/#plugin-registration
 */
import { bool, type Infer, int32, int64, list, map, object, opt, str } from '../../machinery/schema/types.ts';

/** What a driver can do on a node. */
export const NODE_CAPABILITY = { stage: 1, expand: 3, singleNodeMultiWriter: 5, mountGroup: 6 } as const;

/** How a volume is used. */
export const ACCESS_MODE = {
  singleNodeWriter: 1,
  multiNodeReaderOnly: 3,
  multiNodeMultiWriter: 5,
  singleNodeSingleWriter: 6,
  singleNodeMultiWriter: 7,
} as const;

const texts = map(str);
const Empty = object('csi.v1.Empty', () => ({}));

export const VolumeCapability = object('csi.v1.VolumeCapability', () => ({
  block: opt(1, Empty),
  mount: opt(
    2,
    object('csi.v1.MountVolume', () => ({
      fs_type: opt(1, str),
      mount_flags: opt(2, list(str)),
      volume_mount_group: opt(3, str),
    })),
  ),
  access_mode: opt(
    3,
    object('csi.v1.AccessMode', () => ({ mode: opt(1, int32) })),
  ),
}));
export interface VolumeCapability extends Infer<typeof VolumeCapability> {}

const CapacityRange = object('csi.v1.CapacityRange', () => ({
  required_bytes: opt(1, int64),
  limit_bytes: opt(2, int64),
}));

const IDENTITY = '/csi.v1.Identity/';
const NODE = '/csi.v1.Node/';
const REGISTRATION = '/pluginregistration.Registration/';

export const PLUGIN_CALLS = {
  getInfo: {
    path: `${REGISTRATION}GetInfo`,
    request: Empty,
    response: object('pluginregistration.PluginInfo', () => ({
      type: opt(1, str),
      name: opt(2, str),
      endpoint: opt(3, str),
      supported_versions: opt(4, list(str)),
    })),
  },
  notifyRegistrationStatus: {
    path: `${REGISTRATION}NotifyRegistrationStatus`,
    request: object('pluginregistration.RegistrationStatus', () => ({
      plugin_registered: opt(1, bool),
      error: opt(2, str),
    })),
    response: Empty,
  },
  getPluginInfo: {
    path: `${IDENTITY}GetPluginInfo`,
    request: Empty,
    response: object('csi.v1.GetPluginInfoResponse', () => ({
      name: opt(1, str),
      vendor_version: opt(2, str),
      manifest: opt(3, texts),
    })),
  },
  nodeGetInfo: {
    path: `${NODE}NodeGetInfo`,
    request: Empty,
    response: object('csi.v1.NodeGetInfoResponse', () => ({
      node_id: opt(1, str),
      max_volumes_per_node: opt(2, int64),
      accessible_topology: opt(
        3,
        object('csi.v1.Topology', () => ({ segments: opt(1, texts) })),
      ),
    })),
  },
  nodeGetCapabilities: {
    path: `${NODE}NodeGetCapabilities`,
    request: Empty,
    response: object('csi.v1.NodeGetCapabilitiesResponse', () => ({
      capabilities: opt(
        1,
        list(
          object('csi.v1.NodeServiceCapability', () => ({
            rpc: opt(
              1,
              object('csi.v1.NodeServiceCapability.RPC', () => ({ type: opt(1, int32) })),
            ),
          })),
        ),
      ),
    })),
  },
  nodeStageVolume: {
    path: `${NODE}NodeStageVolume`,
    request: object('csi.v1.NodeStageVolumeRequest', () => ({
      volume_id: opt(1, str),
      publish_context: opt(2, texts),
      staging_target_path: opt(3, str),
      volume_capability: opt(4, VolumeCapability),
      secrets: opt(5, texts),
      volume_context: opt(6, texts),
    })),
    response: Empty,
  },
  nodeUnstageVolume: {
    path: `${NODE}NodeUnstageVolume`,
    request: object('csi.v1.NodeUnstageVolumeRequest', () => ({
      volume_id: opt(1, str),
      staging_target_path: opt(2, str),
    })),
    response: Empty,
  },
  nodePublishVolume: {
    path: `${NODE}NodePublishVolume`,
    request: object('csi.v1.NodePublishVolumeRequest', () => ({
      volume_id: opt(1, str),
      publish_context: opt(2, texts),
      staging_target_path: opt(3, str),
      target_path: opt(4, str),
      volume_capability: opt(5, VolumeCapability),
      readonly: opt(6, bool),
      secrets: opt(7, texts),
      volume_context: opt(8, texts),
    })),
    response: Empty,
  },
  nodeUnpublishVolume: {
    path: `${NODE}NodeUnpublishVolume`,
    request: object('csi.v1.NodeUnpublishVolumeRequest', () => ({
      volume_id: opt(1, str),
      target_path: opt(2, str),
    })),
    response: Empty,
  },
  nodeExpandVolume: {
    path: `${NODE}NodeExpandVolume`,
    request: object('csi.v1.NodeExpandVolumeRequest', () => ({
      volume_id: opt(1, str),
      volume_path: opt(2, str),
      capacity_range: opt(3, CapacityRange),
      staging_target_path: opt(4, str),
      volume_capability: opt(5, VolumeCapability),
      secrets: opt(6, texts),
    })),
    response: object('csi.v1.NodeExpandVolumeResponse', () => ({ capacity_bytes: opt(1, int64) })),
  },
} as const;

export type PluginCall = keyof typeof PLUGIN_CALLS;
export type PluginRequest<N extends PluginCall> = Infer<(typeof PLUGIN_CALLS)[N]['request']>;
export type PluginResponse<N extends PluginCall> = Infer<(typeof PLUGIN_CALLS)[N]['response']>;
