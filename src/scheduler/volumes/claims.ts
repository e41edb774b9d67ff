/** The claims of a pod, told apart by what must happen before the pod can run. */
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import { classOfClaim } from '../../apis/core/persistentVolumeClaim.ts';
import { isBound, isDelayed, isMadeFor } from '../../apis/core/volumeBinding.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { PodInfo } from '../podInfo.ts';
import type { VolumeView } from './view.ts';

export type Claim = Stored<PersistentVolumeClaim>;

export interface PodClaims {
  /** these have their volumes */
  readonly bound: readonly Claim[];
  /** these get theirs on the node that the pod gets */
  readonly delayed: readonly Claim[];
}

/** @returns why the pod cannot be scheduled anywhere, where that is so */
export function podClaims(pod: PodInfo, view: VolumeView): PodClaims | string {
  const bound: Claim[] = [];
  const delayed: Claim[] = [];
  let unbound = false;
  for (const { claimName, ephemeral } of pod.claims) {
    const claim = view.claim(pod.namespace, claimName);
    const quoted = JSON.stringify(claimName);
    if (claim === undefined) {
      return ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`;
    }
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim ${quoted} is being deleted`;
    if (claim.status?.phase === 'Lost') {
      const volume = JSON.stringify(claim.spec?.volumeName ?? '');
      return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`;
    }
    if (ephemeral && !isMadeFor(claim, pod.pod)) {
      const of = `${pod.namespace}/${pod.name}`;
      return `PVC ${pod.namespace}/${claimName} was not created for pod ${of} (pod is not owner)`;
    }
    if (isBound(claim)) bound.push(claim);
    else if (claim.spec?.volumeName) unbound = true;
    else {
      const className = classOfClaim(claim) ?? '';
      // A class that is not there delays nothing; what is wrong with it is told of the claim.
      const storageClass = className === '' ? undefined : view.storageClass(className);
      if (isDelayed(storageClass)) delayed.push(claim);
      else unbound = true;
    }
  }
  return unbound ? 'pod has unbound immediate PersistentVolumeClaims' : { bound, delayed };
}
