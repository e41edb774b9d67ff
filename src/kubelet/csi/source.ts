/** What a driver is told of a volume: from a persistent volume, or from a pod's own inline volume. */
import { createHash } from 'node:crypto';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import type { CSIDriver } from '../../apis/storage/csiDriver.ts';
import type { CsiDriverPlugin } from './drivers.ts';
import { ACCESS_MODE, NODE_CAPABILITY, type VolumeCapability } from './messages.ts';

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

export interface CsiSource {
  /** of the persistent volume, or of the pod's volume */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  readonly mode: 'Persistent' | 'Ephemeral';
  readonly isBlock: boolean;
  readonly readOnly: boolean;
  readonly fsType: string;
  readonly accessModes: readonly string[];
  readonly mountOptions: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly stageSecret?: SecretName;
  readonly publishSecret?: SecretName;
  readonly expandSecret?: SecretName;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The name of the object by which a volume is attached to a node; whoever attaches it makes the same. */
export const attachmentName = ({ handle, driver }: Pick<CsiSource, 'handle' | 'driver'>, nodeName: string) =>
  `csi-${sha256(`${handle}${driver}${nodeName}`)}`;

/** Under which a node's status names a volume. */
export const uniqueName = ({ driver, handle }: Pick<CsiSource, 'handle' | 'driver'>) =>
  `kubernetes.io/csi/${driver}^${handle}`;

/** A path may be only so long, whatever drivers call their volumes. */
export const folderOf = ({ handle }: Pick<CsiSource, 'handle'>) => sha256(handle);

/** Undefined for a volume of another type. */
export function sourceOfPersistent(volume: PersistentVolume, readOnly: boolean): CsiSource | undefined {
  const { csi, volumeMode, accessModes = [], mountOptions = [] } = volume.spec ?? {};
  if (csi === undefined) return undefined;
  const refs = [csi.nodeStageSecretRef, csi.nodePublishSecretRef, csi.nodeExpandSecretRef];
  const [stageSecret, publishSecret, expandSecret] = refs.map((ref) =>
    ref?.name ? { name: ref.name, namespace: ref.namespace ?? '' } : undefined,
  );
  return {
    name: volume.metadata?.name ?? '',
    driver: csi.driver,
    handle: csi.volumeHandle,
    mode: 'Persistent',
    isBlock: volumeMode === 'Block',
    readOnly: readOnly || csi.readOnly === true,
    fsType: csi.fsType ?? '',
    accessModes,
    mountOptions,
    attributes: csi.volumeAttributes ?? {},
    ...(stageSecret === undefined ? {} : { stageSecret }),
    ...(publishSecret === undefined ? {} : { publishSecret }),
    ...(expandSecret === undefined ? {} : { expandSecret }),
  };
}

/** Undefined for a volume of another type. */
export function sourceOfInline(pod: Pod, { name, csi }: Volume): CsiSource | undefined {
  if (csi === undefined) return undefined;
  const secret = csi.nodePublishSecretRef?.name;
  return {
    name,
    driver: csi.driver,
    handle: `csi-${sha256(`${pod.metadata?.uid ?? ''}${name}`)}`,
    mode: 'Ephemeral',
    isBlock: false,
    readOnly: csi.readOnly === true,
    fsType: csi.fsType ?? '',
    accessModes: ['ReadWriteOnce'],
    mountOptions: [],
    attributes: csi.volumeAttributes ?? {},
    ...(secret ? { publishSecret: { name: secret, namespace: pod.metadata?.namespace ?? '' } } : {}),
  };
}

/** How the driver is to give the volume. @param group that is to own it, where the driver itself sees to that */
export function capabilityOf(
  source: CsiSource,
  { capabilities }: Pick<CsiDriverPlugin, 'capabilities'>,
  group?: string,
): VolumeCapability {
  const { isBlock, fsType, mountOptions } = source;
  return {
    access_mode: { mode: modeOf(source.accessModes, capabilities.has(NODE_CAPABILITY.singleNodeMultiWriter)) },
    ...(isBlock
      ? { block: {} }
      : {
          mount: {
            fs_type: fsType,
            mount_flags: [...mountOptions],
            ...(group === undefined ? {} : { volume_mount_group: group }),
          },
        }),
  };
}

/** The widest of the modes that the volume has. */
function modeOf(modes: readonly string[], tellsWriters: boolean): number {
  if (modes.includes('ReadWriteMany')) return ACCESS_MODE.multiNodeMultiWriter;
  if (modes.includes('ReadOnlyMany') && !modes.includes('ReadWriteOnce')) return ACCESS_MODE.multiNodeReaderOnly;
  if (!tellsWriters) return ACCESS_MODE.singleNodeWriter;
  return modes.includes('ReadWriteOncePod') ? ACCESS_MODE.singleNodeSingleWriter : ACCESS_MODE.singleNodeMultiWriter;
}

/** What a driver is told of the pod, where it wants to know. */
export function podInfoOf(pod: Pod, { mode }: Pick<CsiSource, 'mode'>): Record<string, string> {
  const prefix = 'csi.storage.k8s.io';
  return {
    [`${prefix}/pod.name`]: pod.metadata?.name ?? '',
    [`${prefix}/pod.namespace`]: pod.metadata?.namespace ?? '',
    [`${prefix}/pod.uid`]: pod.metadata?.uid ?? '',
    [`${prefix}/serviceAccount.name`]: pod.spec?.serviceAccountName ?? '',
    [`${prefix}/ephemeral`]: String(mode === 'Ephemeral'),
  };
}

/** Whether the kubelet gives the volume's files to the group of the pod. */
export function isGivenToGroup(source: CsiSource, driver: CSIDriver | undefined): boolean {
  switch (driver?.spec?.fsGroupPolicy) {
    case 'None':
      return false;
    case 'File':
      return true;
    default:
      return source.fsType !== '' && source.accessModes.includes('ReadWriteOnce');
  }
}
