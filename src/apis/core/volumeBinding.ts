/**
 * What claims and volumes say to each other: the annotations by which all who bind them agree, and which volume suits
 * which claim.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import type { StorageClass } from '../storage/storageClass.ts';
import type { Node } from './node.ts';
import { matchesNodeSelectorTerm } from './nodeSelection.ts';
import { classOfVolume, type PersistentVolume } from './persistentVolume.ts';
import { classOfClaim, type PersistentVolumeClaim } from './persistentVolumeClaim.ts';
import type { Pod } from './pod.ts';

/** On a claim: it and its volume name each other, and that is final. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** On a claim or a volume: nobody asked for just this one, it was found. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** On a volume: who made it, and so deletes it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** On a claim: the node of its first pod, where its volume must be reachable. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** On a claim: who is to make its volume. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
/** The provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

type Claim = Stored<PersistentVolumeClaim>;
type Volume = Stored<PersistentVolume>;

/** The name of the claim that is made for an ephemeral volume of a pod. */
export const ephemeralClaimName = (podName: string, volumeName: string) => `${podName}-${volumeName}`;

/** Whether a claim was made for just this pod. */
export function isMadeFor(claim: PersistentVolumeClaim, pod: Pod): boolean {
  const { uid } = pod.metadata ?? {};
  return (claim.metadata?.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid);
}

/** Whether claims of the class wait for the first pod that uses them. */
export const isDelayed = (storageClass: StorageClass | undefined) =>
  storageClass?.volumeBindingMode === 'WaitForFirstConsumer';

/** Whether the claim has its volume for good. */
export function isBound(claim: PersistentVolumeClaim): boolean {
  return !!claim.spec?.volumeName && claim.metadata?.annotations?.[BIND_COMPLETED] !== undefined;
}

/** Whether the volume names the claim already, by hand or by what was done before. */
export function isKeptFor(volume: PersistentVolume, claim: Claim): boolean {
  const ref = volume.spec?.claimRef;
  const { name, namespace, uid } = claim.metadata;
  return ref !== undefined && ref.name === name && ref.namespace === namespace && (!ref.uid || ref.uid === uid);
}

/** Whether class, mode, access and size are what the claim asks for. */
export function suits(volume: Volume, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  const { spec } = volume;
  if (classOfVolume(volume) !== (classOfClaim(claim) ?? '')) return false;
  if ((spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) return false;
  if ((spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? '')) return false;
  if (!(claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode))) return false;
  return compareQuantities(volumeSize(volume), claimSize(claim)) >= 0;
}

/** The volume that is kept for the claim alone, else all free ones that will do, the smallest first. */
export function volumesFor(claim: Claim, volumes: readonly Volume[]): readonly Volume[] {
  const free: Volume[] = [];
  const selector = claim.spec?.selector === undefined ? undefined : selectorFrom(claim.spec.selector);
  for (const volume of volumes) {
    if (isKeptFor(volume, claim)) {
      if (suits(volume, claim)) return [volume];
      continue;
    }
    if (volume.spec?.claimRef !== undefined || volume.status?.phase !== 'Available') continue;
    if (claim.spec?.selector !== undefined) {
      if (selector === undefined || !matchesLabels(selector, volume.metadata.labels)) continue;
    }
    if (suits(volume, claim)) free.push(volume);
  }
  return free.sort((a, b) => compareQuantities(volumeSize(a), volumeSize(b)));
}

/** Whether the volume can be reached from the node. */
export function isReachable(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** Whether volumes of the class may be made for the node: any of its topologies holds, or it has none. */
export function isAllowedTopology(storageClass: StorageClass, node: Node): boolean {
  const terms = storageClass.allowedTopologies ?? [];
  const labels = node.metadata?.labels ?? {};
  return (
    terms.length === 0 ||
    terms.some((term) =>
      (term.matchLabelExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? '')),
    )
  );
}

export const claimSize = (claim: PersistentVolumeClaim) => claim.spec?.resources?.requests?.storage ?? '0';
export const volumeSize = (volume: PersistentVolume) => volume.spec?.capacity?.storage ?? '0';
