/**
 * Claims and volumes that are in use do not go: their finalizer is taken away only when nobody needs them.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { ephemeralClaimName } from '../../apis/core/volumeBinding.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import type { Action } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { isFinished } from '../podState.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';
/** pods by the keys of their claims */
export const BY_CLAIM = 'claim';

/** The claims that a pod uses, as keys: those that it names, and those made for its ephemeral volumes. */
export function claimKeysOf(pod: Pod): string[] {
  const { namespace, name = '' } = pod.metadata ?? {};
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [refKey(namespace, volume.persistentVolumeClaim.claimName)];
    return volume.ephemeral === undefined ? [] : [refKey(namespace, ephemeralClaimName(name, volume.name))];
  });
}

export function startClaimProtectionController(context: ControllerContext): void {
  const claims = context.informers.of(persistentVolumeClaims);
  const podInformer = context.informers.of(pods);
  podInformer.addIndex(BY_CLAIM, claimKeysOf);
  const loop = startLoop({
    name: 'pvc-protection-controller',
    context,
    reads: [claims, podInformer],
    plan(key) {
      const claim = claims.byKey(key);
      if (claim === undefined || !isHeld(claim, CLAIM_FINALIZER)) return undefined;
      const used = podInformer.byIndex(BY_CLAIM, key).some((pod) => needs(pod));
      return used ? undefined : { actions: [releaseOf(persistentVolumeClaims as Kind, claim, CLAIM_FINALIZER)] };
    },
  });
  const tell = (claim: Stored<PersistentVolumeClaim>) => {
    if (isHeld(claim, CLAIM_FINALIZER)) loop.enqueue(keyOf(claim));
  };
  claims.handle({ onAdd: tell, onUpdate: tell });
  const tellOf = (pod: Stored<Pod>) => {
    for (const key of claimKeysOf(pod)) loop.enqueue(key);
  };
  podInformer.handle({
    onUpdate(pod, old) {
      if (isFinished(pod) !== isFinished(old)) tellOf(pod);
    },
    onDelete: tellOf,
  });
}

/** A pod without a node uses nothing yet, but will; one that is over uses nothing any more. */
const needs = (pod: Pod) => !isFinished(pod) && (pod.spec?.nodeName || pod.metadata?.deletionTimestamp === undefined);

export function startVolumeProtectionController(context: ControllerContext): void {
  const volumes = context.informers.of(persistentVolumes);
  const loop = startLoop({
    name: 'pv-protection-controller',
    context,
    reads: [volumes],
    plan(name) {
      const volume = volumes.byKey(name);
      if (volume === undefined || !isHeld(volume, VOLUME_FINALIZER) || volume.status?.phase === 'Bound')
        return undefined;
      return { actions: [releaseOf(persistentVolumes as Kind, volume, VOLUME_FINALIZER)] };
    },
  });
  const tell = (volume: Stored<PersistentVolume>) => {
    if (isHeld(volume, VOLUME_FINALIZER)) loop.enqueue(volume.metadata.name);
  };
  volumes.handle({ onAdd: tell, onUpdate: tell });
}

function isHeld(object: Stored<KubeObject>, finalizer: string): boolean {
  return object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).includes(finalizer);
}

function releaseOf(kind: Kind, object: Stored<KubeObject>, finalizer: string): Action {
  const finalizers = (object.metadata.finalizers ?? []).filter((f) => f !== finalizer);
  return { verb: 'update', kind, object: { ...object, metadata: { ...object.metadata, finalizers } } };
}
