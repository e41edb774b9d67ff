/**
 * Which volume a claim gets.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import { classOfClaim, type PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';
import { compareQuantities } from '../../machinery/quantity.ts';

/** The volume that is kept for this claim, else the smallest that will do. */
export function bestVolume(
  claim: Stored<PersistentVolumeClaim>,
  volumes: readonly Stored<PersistentVolume>[],
): Stored<PersistentVolume> | undefined {
  let best: Stored<PersistentVolume> | undefined;
  for (const volume of volumes) {
    if (isKeptFor(volume, claim) && suits(volume, claim)) return volume;
    if (volume.spec?.claimRef !== undefined || !suits(volume, claim)) continue;
    if (volume.status?.phase !== 'Available' || !isSelected(volume, claim)) continue;
    if (best === undefined || compareQuantities(sizeOf(volume), sizeOf(best)) < 0) best = volume;
  }
  return best;
}

/** Whether the volume names the claim already, by hand or by what was done before. */
export function isKeptFor(volume: PersistentVolume, claim: Stored<PersistentVolumeClaim>): boolean {
  const ref = volume.spec?.claimRef;
  const { name, namespace, uid } = claim.metadata;
  return ref !== undefined && ref.name === name && ref.namespace === namespace && (!ref.uid || ref.uid === uid);
}

/** Whether class, mode, access and size are what the claim asks for. */
export function suits(volume: Stored<PersistentVolume>, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  const { spec } = volume;
  if ((spec?.storageClassName ?? '') !== (classOfClaim(claim) ?? '')) return false;
  if ((spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return false;
  if ((spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? '')) return false;
  if (!(claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode))) return false;
  return compareQuantities(sizeOf(volume), claim.spec?.resources?.requests?.storage ?? '0') >= 0;
}

function isSelected(volume: Stored<PersistentVolume>, claim: PersistentVolumeClaim): boolean {
  if (claim.spec?.selector === undefined) return true;
  const selector = selectorFrom(claim.spec.selector);
  return selector !== undefined && matchesLabels(selector, volume.metadata.labels);
}

const sizeOf = (volume: PersistentVolume) => volume.spec?.capacity?.storage ?? '0';
