/** From a pod's volume that names a claim to the volume that the claim has. */
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { ephemeralClaimName, isBound, isKeptFor, isMadeFor } from '../../apis/core/volumeBinding.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import type { Stored } from '../../machinery/kind.ts';
import { VolumeError } from './sources.ts';

/** Claims and volumes as the kubelet asks for them. */
export interface ClaimSources {
  claim(namespace: string, name: string): Promise<Stored<PersistentVolumeClaim> | undefined>;
  persistentVolume(name: string): Promise<Stored<PersistentVolume> | undefined>;
}

/** The volume that a pod has through a claim. */
export interface ClaimedVolume {
  readonly claim: Stored<PersistentVolumeClaim>;
  readonly volume: Stored<PersistentVolume>;
  /** The pod asks for no more than to read it. */
  readonly readOnly: boolean;
}

/** The name of the claim of a pod's volume; undefined where it has none. */
export function claimNameOf(pod: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  if (persistentVolumeClaim !== undefined) return persistentVolumeClaim.claimName;
  return ephemeral === undefined ? undefined : ephemeralClaimName(pod.metadata?.name ?? '', name);
}

/** Undefined for a volume that names no claim. @throws VolumeError where the claim has no volume, or not for this pod */
export async function claimedVolume(
  pod: Pod,
  volume: Volume,
  sources: ClaimSources,
): Promise<ClaimedVolume | undefined> {
  const claimName = claimNameOf(pod, volume);
  if (claimName === undefined) return undefined;
  const namespace = pod.metadata?.namespace ?? '';
  const refuse = (why: string) => {
    const list = `[${volume.name}]`;
    const error = `error processing PVC ${namespace}/${claimName}: ${why}`;
    return new VolumeError(
      `Unable to attach or mount volumes: unmounted volumes=${list}, unattached volumes=[], failed to process volumes=${list}: ${error}`,
    );
  };
  const claim = await sources.claim(namespace, claimName);
  if (claim === undefined) throw refuse(`persistentvolumeclaim ${JSON.stringify(claimName)} not found`);
  if (volume.ephemeral !== undefined && !isMadeFor(claim, pod)) {
    const of = `${namespace}/${pod.metadata?.name ?? ''}`;
    throw refuse(`PVC ${namespace}/${claimName} was not created for pod ${of} (pod is not owner)`);
  }
  if (claim.status?.phase !== 'Bound' || !isBound(claim)) throw refuse('PVC is not bound');
  const volumeName = claim.spec?.volumeName ?? '';
  const found = await sources.persistentVolume(volumeName);
  if (found === undefined) throw refuse(`failed to fetch PV ${JSON.stringify(volumeName)} from API server: not found`);
  if (!isKeptFor(found, claim)) throw refuse(`PV ${JSON.stringify(volumeName)} is bound to another claim`);
  return {
    claim,
    volume: found,
    readOnly: volume.persistentVolumeClaim?.readOnly === true,
  };
}
