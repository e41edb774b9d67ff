/**
 * The provisioner of a node's folders: volumes for claims of classes that name it, as external provisioners make them.
 * It runs where its nodes run.
 */
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import {
  classOfClaim,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '../../apis/core/persistentVolumeClaim.ts';
import { STORAGE_PROVISIONER } from '../../apis/core/volumeBinding.ts';
import { storageClasses } from '../../apis/storage/storageClass.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { planExpand } from './expand.ts';
import { LOCAL_PROVISIONER, planProvision, volumeNameFor } from './provision.ts';
import { isOwn, planReclaim } from './reclaim.ts';
import type { LocalStorage } from './storage.ts';

export interface LocalProvisionerOptions {
  /** whose volumes it makes; a node's name is its hostname */
  readonly nodeNames: readonly string[];
  readonly storage: LocalStorage;
}

export function startLocalProvisioner(context: ControllerContext, options: LocalProvisionerOptions): void {
  const { storage } = options;
  const nodeNames = new Set(options.nodeNames);
  const claims = context.informers.of(persistentVolumeClaims);
  const volumes = context.informers.of(persistentVolumes);
  const classes = context.informers.of(storageClasses);
  const client = context.clientFor(LOCAL_PROVISIONER);
  const ofClaims = startLoop({
    name: LOCAL_PROVISIONER,
    context,
    reads: [claims, volumes, classes],
    plan(key) {
      const claim = claims.byKey(key);
      if (claim === undefined) return undefined;
      const volume = volumes.get(undefined, claim.spec?.volumeName ?? '');
      if (volume !== undefined) {
        if (!isOwn(volume, nodeNames)) return undefined;
        return planExpand({ claim, volume, storage, now: context.clock.now() });
      }
      // Its volume is there, and whoever binds them does that.
      if (volumes.byKey(volumeNameFor(claim)) !== undefined) return undefined;
      const storageClass = classes.get(undefined, classOfClaim(claim) ?? '');
      return planProvision({ claim, storageClass, nodeNames, storage, client });
    },
  });
  const ofVolumes = startLoop({
    name: LOCAL_PROVISIONER,
    context,
    reads: [volumes],
    plan(name) {
      const volume = volumes.byKey(name);
      return volume === undefined || !isOwn(volume, nodeNames) ? undefined : planReclaim(volume, storage);
    },
  });
  const look = (claim: Stored<PersistentVolumeClaim>) => {
    if (claim.metadata.annotations?.[STORAGE_PROVISIONER] === LOCAL_PROVISIONER) ofClaims.enqueue(keyOf(claim));
  };
  claims.handle({ onAdd: look, onUpdate: look });
  const lookAtVolume = (volume: Stored<PersistentVolume>) => {
    ofVolumes.enqueue(volume.metadata.name);
    const ref = volume.spec?.claimRef;
    if (ref !== undefined) ofClaims.enqueue(refKey(ref.namespace, ref.name ?? ''));
  };
  volumes.handle({ onAdd: lookAtVolume, onUpdate: lookAtVolume });
  // A claim whose class did not suit waits until there is one that does.
  const lookAtAll = () => {
    for (const claim of claims.list()) if (!claim.spec?.volumeName) look(claim);
  };
  classes.handle({ onAdd: lookAtAll, onUpdate: lookAtAll });
}
