/** The defaults of volumes. Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/ */
import { setClaimSpecDefaults } from './claimSpec.ts';
import { pullPolicyOf } from './imagePullPolicy.ts';
import type { DownwardAPIVolumeFile, Volume } from './volumes.ts';

/** rw-r--r-- */
const FILE_MODE = 0o644;

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** Fills in what a volume leaves out. A volume without a source is an empty directory. */
export function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).length <= 1) volume.emptyDir ??= {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.projected !== undefined) setProjectedDefaults(volume.projected);
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    setDownwardDefaults(volume.downwardAPI.items);
  }
  if (volume.image !== undefined) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference ?? '');
  if (volume.ephemeral?.volumeClaimTemplate?.spec !== undefined) {
    setClaimSpecDefaults(volume.ephemeral.volumeClaimTemplate.spec);
  }
  setVolumeSourceDefaults(volume);
}

/** Sources that pods and persistent volumes have in common. */
type SharedSource = Pick<Volume, 'hostPath' | 'azureDisk'> & {
  iscsi?: { iscsiInterface?: string };
  rbd?: { pool?: string; user?: string; keyring?: string };
  scaleIO?: { storageMode?: string; fsType?: string };
};

/** Fills in what the source of a volume leaves out, in pods and in persistent volumes. */
export function setVolumeSourceDefaults(volume: SharedSource): void {
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd !== undefined) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk !== undefined) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO !== undefined) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
}

function setProjectedDefaults(projected: NonNullable<Volume['projected']>): void {
  projected.defaultMode ??= FILE_MODE;
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= HOUR_SECONDS;
    if (source.podCertificate !== undefined) source.podCertificate.maxExpirationSeconds ??= DAY_SECONDS;
    setDownwardDefaults(source.downwardAPI?.items);
  }
}

function setDownwardDefaults(files: DownwardAPIVolumeFile[] | undefined): void {
  for (const file of files ?? []) {
    if (file.fieldRef !== undefined) file.fieldRef.apiVersion ||= 'v1';
    if (file.resourceFieldRef !== undefined) file.resourceFieldRef.divisor ||= '0';
  }
}
