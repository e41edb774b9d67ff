/**
 * Volumes whose claim is gone are removed with all that is in them, where they are not to be kept.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
 */
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { PROVISIONED_BY } from '../../apis/core/volumeBinding.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { Action } from '../action.ts';
import type { Plan } from '../loop.ts';
import { HOSTNAME, LOCAL_PROVISIONER, note, VOLUME_FINALIZER } from './provision.ts';
import type { LocalStorage } from './storage.ts';

type Volume = Stored<PersistentVolume>;

/** Whether the volume was made here, on one of the nodes. */
export function isOwn({ metadata, spec }: Volume, hostnames: ReadonlySet<string>): boolean {
  if (metadata.annotations?.[PROVISIONED_BY] !== LOCAL_PROVISIONER || spec?.local === undefined) return false;
  const [term] = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hostname = term?.matchExpressions?.find(({ key }) => key === HOSTNAME)?.values?.[0];
  return hostname !== undefined && hostnames.has(hostname);
}

export function planReclaim(volume: Volume, storage: LocalStorage): Plan | undefined {
  const { metadata, spec, status } = volume;
  const held = (metadata.finalizers ?? []).includes(VOLUME_FINALIZER);
  const going = metadata.deletionTimestamp !== undefined;
  // Whoever wished to keep it has the folder now.
  if (spec?.persistentVolumeReclaimPolicy !== 'Delete')
    return held && going ? { actions: [released(volume)] } : undefined;
  if (status?.phase !== 'Released' || (going && !held)) return undefined;
  const run = async (): Promise<Action[]> => {
    await storage.remove(metadata.name);
    return going ? [released(volume)] : [{ verb: 'delete', kind: persistentVolumes as Kind, object: volume }];
  };
  return {
    actions: [{ verb: 'work', run }],
    after: (failure) => (failure === undefined ? [] : [note(volume, 'Warning', 'VolumeFailedDelete', failure.message)]),
  };
}

function released(volume: Volume): Action {
  const finalizers = (volume.metadata.finalizers ?? []).filter((f) => f !== VOLUME_FINALIZER);
  const object = { ...volume, metadata: { ...volume.metadata, finalizers } };
  return { verb: 'update', kind: persistentVolumes as Kind, object };
}
