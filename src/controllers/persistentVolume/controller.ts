/** Runs the plans of every claim and every persistent volume. */
import { nodes } from '../../apis/core/node.ts';
import { classOfVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import {
  classOfClaim,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '../../apis/core/persistentVolumeClaim.ts';
import { pods } from '../../apis/core/pod.ts';
import { BIND_COMPLETED, SELECTED_NODE, STORAGE_PROVISIONER } from '../../apis/core/volumeBinding.ts';
import { defaultOf } from '../../apis/defaultClass.ts';
import { isDefaultStorageClass, storageClasses } from '../../apis/storage/storageClass.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { LOCAL_PROVISIONER } from '../localProvisioner/provision.ts';
import { startLoop } from '../loop.ts';
import { planClaim, planVolume } from './plan.ts';
import { BY_CLAIM, claimKeysOf } from './protection.ts';

/** What may be meant by a key of the queue. */
const VOLUME = 'volume:';
const BY_TAKER = 'who may take it';

export function startPersistentVolumeController(context: ControllerContext): void {
  const claims = context.informers.of(persistentVolumeClaims);
  const volumes = context.informers.of(persistentVolumes);
  const classes = context.informers.of(storageClasses);
  const podInformer = context.informers.of(pods);
  podInformer.addIndex(BY_CLAIM, claimKeysOf);
  // Most volumes have their claims, and are no choice for others.
  volumes.addIndex(BY_TAKER, (volume) => {
    const ref = volume.spec?.claimRef;
    return [ref === undefined ? `class ${classOfVolume(volume)}` : `claim ${refKey(ref.namespace, ref.name ?? '')}`];
  });
  /** What it names, or else what it may get: few, of many volumes. */
  const candidatesFor = (claim: Stored<PersistentVolumeClaim>) => {
    const name = claim.spec?.volumeName;
    if (!name) {
      const kept = volumes.byIndex(BY_TAKER, `claim ${keyOf(claim)}`);
      return [...kept, ...volumes.byIndex(BY_TAKER, `class ${classOfClaim(claim) ?? ''}`)];
    }
    const named = volumes.byKey(name);
    return named === undefined ? [] : [named];
  };
  const nodeInformer = context.informers.of(nodes);
  /** Volumes of nodes are made on them; other provisioners see for themselves. */
  const isNodeGone = (claim: Stored<PersistentVolumeClaim>): boolean => {
    const node = claim.metadata.annotations?.[SELECTED_NODE];
    const provisioner = claim.metadata.annotations?.[STORAGE_PROVISIONER];
    return !!node && provisioner === LOCAL_PROVISIONER && nodeInformer.byKey(node) === undefined;
  };
  const loop = startLoop({
    name: 'persistent-volume-binder',
    context,
    reads: [claims, volumes, classes, podInformer, nodeInformer],
    // One after the other: of two claims that would take one volume, one sees what the other did.
    workers: 1,
    plan(key) {
      if (key.startsWith(VOLUME)) {
        const volume = volumes.byKey(key.slice(VOLUME.length));
        if (volume === undefined) return undefined;
        const ref = volume.spec?.claimRef;
        return planVolume({
          volume,
          claim: ref === undefined ? undefined : claims.get(ref.namespace, ref.name ?? ''),
          now: context.clock.now(),
        });
      }
      const claim = claims.byKey(key);
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return undefined;
      const waiting = podInformer
        .byIndex(BY_CLAIM, key)
        .filter((pod) => !pod.spec?.nodeName && pod.metadata.deletionTimestamp === undefined)
        .map((pod) => pod.metadata.name);
      return planClaim({
        claim,
        volumes: candidatesFor(claim),
        storageClass: classes.get(undefined, classOfClaim(claim) ?? ''),
        defaultClass: defaultOf(classes.list(), isDefaultStorageClass)?.metadata.name,
        waiting,
        nodeIsGone: isNodeGone(claim),
      });
    },
  });
  const tell = (claim: Stored<PersistentVolumeClaim>) => {
    loop.enqueue(keyOf(claim));
    if (claim.spec?.volumeName) loop.enqueue(VOLUME + claim.spec.volumeName);
  };
  claims.handle({ onAdd: tell, onUpdate: tell, onDelete: tell });
  const waiting = () => {
    for (const claim of claims.list())
      if (claim.metadata.annotations?.[BIND_COMPLETED] === undefined) loop.enqueue(keyOf(claim));
  };
  volumes.handle({
    onAdd(volume) {
      loop.enqueue(VOLUME + volume.metadata.name);
      const ref = volume.spec?.claimRef;
      if (ref !== undefined) loop.enqueue(refKey(ref.namespace, ref.name ?? ''));
      else waiting();
    },
    onUpdate(volume) {
      loop.enqueue(VOLUME + volume.metadata.name);
      const ref = volume.spec?.claimRef;
      if (ref !== undefined) loop.enqueue(refKey(ref.namespace, ref.name ?? ''));
      else waiting();
    },
    onDelete(volume) {
      const ref = volume.spec?.claimRef;
      if (ref !== undefined) loop.enqueue(refKey(ref.namespace, ref.name ?? ''));
    },
  });
  classes.handle({ onAdd: waiting, onUpdate: waiting });
  nodeInformer.handle({ onDelete: waiting });
}
