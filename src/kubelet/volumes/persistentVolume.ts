/**
 * Persistent volumes on the node: folders and devices of the node itself, and shares of file servers.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#types-of-persistent-volumes
 */
import { mkdir, stat } from 'node:fs/promises';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { PodSecurityContext } from '../../apis/core/podSpec.ts';
import type { NFSVolumeSource } from '../../apis/core/volumes.ts';
import { checkHostPath } from './hostPath.ts';
import { bindFolder, isMounted, mountDevice, mountShare } from './mounts.ts';
import { giveToGroup } from './ownership.ts';
import { VolumeError } from './sources.ts';

/** What containers get of a volume. */
export interface VolumeOnNode {
  /** a folder or file to mount; or else */
  readonly path?: string;
  /** a block device to have */
  readonly device?: string;
  readonly readOnly: boolean;
}

export interface PersistentMount {
  readonly volume: PersistentVolume;
  readonly readOnly: boolean;
  /** where it may be mounted for the pod */
  readonly dir: string;
  readonly securityContext: PodSecurityContext;
}

/** Makes a volume ready for a pod; what is mounted for it is mounted below `dir`. @throws VolumeError */
export async function setUpPersistent(mount: PersistentMount): Promise<VolumeOnNode> {
  const { volume, dir } = mount;
  const { hostPath, local, nfs, volumeMode } = volume.spec ?? {};
  if (volumeMode === 'Block') return { device: await blockDevice(volume), readOnly: mount.readOnly };
  if (local !== undefined) return setUpLocal(mount, local.path, local.fsType);
  if (hostPath !== undefined) {
    await checkHostPath(hostPath);
    return { path: hostPath.path, readOnly: mount.readOnly };
  }
  if (nfs !== undefined) return setUpNfs(nfs, dir, volume.spec?.mountOptions ?? [], mount.readOnly);
  throw new VolumeError(`the volume type ${typeOf(volume)} is not supported`);
}

/** A share of an NFS server, of a pod itself or of a persistent volume. @throws VolumeError */
export async function setUpNfs(
  { server, path, readOnly = false }: NFSVolumeSource,
  dir: string,
  options: readonly string[],
  asksReadOnly: boolean,
): Promise<VolumeOnNode> {
  const only = readOnly || asksReadOnly;
  if (!isMounted(dir)) {
    await mkdir(dir, { recursive: true, mode: 0o750 });
    await mountShare('nfs', `${server}:${path}`, dir, only ? [...options, 'ro'] : options);
  }
  return { path: dir, readOnly: only };
}

async function setUpLocal(
  { volume, dir, readOnly, securityContext }: PersistentMount,
  source: string,
  fsType: string | undefined,
): Promise<VolumeOnNode> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) throw new VolumeError(`path ${JSON.stringify(source)} does not exist`);
  const options = volume.spec?.mountOptions ?? [];
  let path = source;
  // A folder without options is mounted as it is: what is not mounted need not be unmounted.
  if (found.isBlockDevice() || options.length > 0) {
    path = dir;
    if (!isMounted(dir)) {
      await mkdir(dir, { recursive: true, mode: 0o750 });
      if (found.isBlockDevice()) await mountDevice(source, dir, fsType || 'ext4', options);
      else await bindFolder(source, dir, options);
    }
  } else if (!found.isDirectory())
    throw new VolumeError(`${JSON.stringify(source)} is neither a folder nor a block device`);
  // Whoever only reads it takes it as it is.
  if (!readOnly) await giveToGroup(path, securityContext, false);
  return { path, readOnly };
}

async function blockDevice(volume: PersistentVolume): Promise<string> {
  const { local } = volume.spec ?? {};
  if (local === undefined) throw new VolumeError(`the volume type ${typeOf(volume)} has no block devices`);
  const found = await stat(local.path).catch(() => undefined);
  if (found?.isBlockDevice() !== true) throw new VolumeError(`${JSON.stringify(local.path)} is no block device`);
  return local.path;
}

const GENERAL: ReadonlySet<string> = new Set([
  'capacity',
  'accessModes',
  'claimRef',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'mountOptions',
  'volumeMode',
  'nodeAffinity',
  'volumeAttributesClassName',
]);

const typeOf = ({ spec = {} }: PersistentVolume) => Object.keys(spec).find((field) => !GENERAL.has(field)) ?? 'unknown';
