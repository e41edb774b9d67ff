/**
 * Binds claims to volumes, and says of both how they are.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#lifecycle-of-a-volume-and-claim
 */
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import {
  classOfClaim,
  type PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  persistentVolumeClaims,
} from '../../apis/core/persistentVolumeClaim.ts';
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  isDelayed,
  isKeptFor,
  NO_PROVISIONER,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  suits,
  volumesFor,
} from '../../apis/core/volumeBinding.ts';
import type { StorageClass } from '../../apis/storage/storageClass.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Action, type EventAction, statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';

const OLD_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
const GROWING = 'waiting for an external controller to expand this PVC';
/** A claim that found no volume is looked at again, though nothing may have happened. */
const RETRY_MS = 15_000;

export interface ClaimWorld {
  readonly claim: Stored<PersistentVolumeClaim>;
  readonly volumes: readonly Stored<PersistentVolume>[];
  readonly storageClass: Stored<StorageClass> | undefined;
  /** for claims that name no class */
  readonly defaultClass: string | undefined;
  /** names of the pods that use the claim and have no node yet */
  readonly waiting: readonly string[];
  /** The node that was chosen for it is gone, and so is whoever would make the volume there. */
  readonly nodeIsGone?: boolean;
}

export function planClaim(world: ClaimWorld): Plan {
  const { claim, volumes, storageClass, defaultClass, waiting } = world;
  const { volumeName } = claim.spec ?? {};
  const bound = claim.metadata.annotations?.[BIND_COMPLETED] !== undefined;
  const named = volumeName ? volumes.find((v) => v.metadata.name === volumeName) : undefined;
  if (bound) {
    if (named === undefined) {
      return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
    }
    if (named.spec?.claimRef !== undefined && !isKeptFor(named, claim)) {
      return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
    }
    const plan = bindTogether(claim, named);
    return growsByOthers(claim) ? { actions: [...plan.actions, note(claim, 'ExternalExpanding', GROWING)] } : plan;
  }
  if (volumeName) {
    if (named === undefined) return pending(claim);
    if (named.spec?.claimRef === undefined) {
      return suits(named, claim)
        ? bindTogether(claim, named)
        : pending(
            claim,
            warning(
              claim,
              'VolumeMismatch',
              `Cannot bind to requested volume ${JSON.stringify(volumeName)}: it does not suit`,
            ),
          );
    }
    return isKeptFor(named, claim) ? bindTogether(claim, named) : pending(claim);
  }
  if (defaultClass !== undefined && classOfClaim(claim) === undefined) {
    // It was made when there was no default; with its class it is looked at again.
    const object: PersistentVolumeClaim = { ...claim, spec: { ...claim.spec, storageClassName: defaultClass } };
    return { actions: [{ verb: 'update', kind: persistentVolumeClaims as Kind, object }] };
  }
  const delayed = isDelayed(storageClass);
  const [best] = volumesFor(claim, volumes);
  // Where the pod's node matters, only the scheduler knows which of the free ones will do.
  if (best !== undefined && (!delayed || isKeptFor(best, claim))) return bindTogether(claim, best);
  if (delayed && world.nodeIsGone) {
    const { [SELECTED_NODE]: _gone, ...annotations } = claim.metadata.annotations ?? {};
    // The scheduler chooses another.
    const object: PersistentVolumeClaim = { ...claim, metadata: { ...claim.metadata, annotations } };
    return { actions: [{ verb: 'update', kind: persistentVolumeClaims as Kind, object }] };
  }
  if (delayed && claim.metadata.annotations?.[SELECTED_NODE] === undefined) {
    if (waiting.length > 0) {
      const message = `waiting for pod ${waiting.join(',')} to be scheduled`;
      return pending(claim, note(claim, 'WaitForPodScheduled', message));
    }
    const message = 'waiting for first consumer to be created before binding';
    return pending(claim, note(claim, 'WaitForFirstConsumer', message));
  }
  return provisioned(claim, storageClass);
}

/** It asks for more than it has, and whoever made its volume has not begun. */
function growsByOthers({ spec, status }: Stored<PersistentVolumeClaim>): boolean {
  const has = status?.capacity?.storage;
  if (status?.phase !== 'Bound' || has === undefined || status.allocatedResources?.storage !== undefined) return false;
  return compareQuantities(spec?.resources?.requests?.storage ?? '0', has) > 0;
}

/** No volume there is will do: whoever makes volumes of the class is asked for one. */
function provisioned(claim: Stored<PersistentVolumeClaim>, storageClass: Stored<StorageClass> | undefined): Plan {
  const name = classOfClaim(claim) ?? '';
  if (name === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return pending(claim, note(claim, 'FailedBinding', message));
  }
  if (storageClass === undefined) {
    const message = `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`;
    return pending(claim, warning(claim, 'ProvisioningFailed', message));
  }
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) return pending(claim);
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  const told = note(claim, 'ExternalProvisioning', message);
  if (claim.metadata.annotations?.[STORAGE_PROVISIONER] === provisioner) return pending(claim, told);
  const annotations = { [STORAGE_PROVISIONER]: provisioner, [OLD_PROVISIONER]: provisioner };
  const object = withAnnotations(claim, annotations);
  // With what was written the next look tells the status.
  return {
    actions: [{ verb: 'update', kind: persistentVolumeClaims as Kind, object }, told],
    againMs: RETRY_MS,
  };
}

/** Both name each other, the volume first: a claim that names a volume may be used. */
function bindTogether(claim: Stored<PersistentVolumeClaim>, volume: Stored<PersistentVolume>): Plan {
  const actions: Action[] = [];
  const { name, namespace, uid } = claim.metadata;
  if (volume.spec?.claimRef?.uid !== uid) {
    const byHand = volume.spec?.claimRef !== undefined;
    const claimRef = {
      kind: persistentVolumeClaims.kind,
      apiVersion: 'v1',
      namespace,
      name,
      uid,
      resourceVersion: claim.metadata.resourceVersion,
    };
    const marked = byHand ? volume : withAnnotations(volume, { [BOUND_BY_CONTROLLER]: 'yes' });
    const object: PersistentVolume = { ...marked, spec: { ...marked.spec, claimRef } };
    actions.push({ verb: 'update', kind: persistentVolumes as Kind, object });
  }
  const completed = claim.metadata.annotations?.[BIND_COMPLETED] !== undefined;
  if (claim.spec?.volumeName !== volume.metadata.name || !completed) {
    const byHand = claim.spec?.volumeName === volume.metadata.name;
    const annotations = { [BIND_COMPLETED]: 'yes', ...(byHand ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }) };
    const marked = withAnnotations(claim, annotations);
    const object: PersistentVolumeClaim = { ...marked, spec: { ...marked.spec, volumeName: volume.metadata.name } };
    actions.push({ verb: 'update', kind: persistentVolumeClaims as Kind, object });
    // The next look, with what was written, tells the status.
    return { actions };
  }
  const status: PersistentVolumeClaimStatus = {
    ...claim.status,
    phase: 'Bound',
    accessModes: [...(volume.spec?.accessModes ?? [])],
    // While a claim grows, its size is told by whoever makes it grow.
    capacity: claim.status?.phase === 'Bound' ? (claim.status.capacity ?? {}) : { ...volume.spec?.capacity },
    ...(claim.spec?.volumeAttributesClassName
      ? { currentVolumeAttributesClassName: claim.spec.volumeAttributesClassName }
      : {}),
  };
  if (!semanticEqual(PersistentVolumeClaimStatus, claim.status, status))
    actions.push(statusUpdate(persistentVolumeClaims, { ...claim, status }));
  return { actions };
}

function pending(claim: Stored<PersistentVolumeClaim>, event?: EventAction): Plan {
  const told = claim.status?.phase === 'Pending';
  const update = statusUpdate(persistentVolumeClaims, { ...claim, status: { ...claim.status, phase: 'Pending' } });
  return { actions: [...(told ? [] : [update]), ...(event === undefined ? [] : [event])], againMs: RETRY_MS };
}

function lost(claim: Stored<PersistentVolumeClaim>, reason: string, message: string): Plan {
  if (claim.status?.phase === 'Lost') return { actions: [] };
  const { capacity: _capacity, accessModes: _accessModes, ...rest } = claim.status ?? {};
  const update = statusUpdate(persistentVolumeClaims, { ...claim, status: { ...rest, phase: 'Lost' } });
  return { actions: [update, warning(claim, reason, message)] };
}

export interface VolumeWorld {
  readonly volume: Stored<PersistentVolume>;
  /** that the volume names, where it is there */
  readonly claim: Stored<PersistentVolumeClaim> | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

export function planVolume({ volume, claim, now }: VolumeWorld): Plan {
  const ref = volume.spec?.claimRef;
  if (ref === undefined || !ref.uid) return { actions: phase(volume, 'Available', now) };
  const isIts = claim?.metadata.uid === ref.uid;
  if (isIts && (claim.spec?.volumeName === volume.metadata.name || !claim.spec?.volumeName)) {
    // Until the claim names it too, it is as good as bound.
    return { actions: claim.spec?.volumeName ? phase(volume, 'Bound', now) : [] };
  }
  if (isIts && volume.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined) {
    // The claim took another one in the meantime: this one is free again.
    const { [BOUND_BY_CONTROLLER]: _bound, ...annotations } = volume.metadata.annotations;
    const { claimRef: _claimRef, ...spec } = volume.spec ?? {};
    const object: PersistentVolume = { ...volume, metadata: { ...volume.metadata, annotations }, spec };
    return { actions: [{ verb: 'update', kind: persistentVolumes as Kind, object }] };
  }
  // Whoever provisioned it deletes it, where it is to be deleted.
  if (volume.spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    return {
      actions: phase(volume, 'Failed', now, 'RecyclingNotSupported', 'volumes are not recycled; use Delete or Retain'),
    };
  }
  const actions = phase(volume, 'Released', now);
  if (
    volume.spec?.persistentVolumeReclaimPolicy === 'Delete' &&
    volume.metadata.annotations?.[PROVISIONED_BY] === undefined &&
    volume.status?.phase === 'Bound'
  ) {
    const message = 'error getting deleter volume plugin for volume: no deletable volume plugin matched';
    return {
      actions: [
        ...phase(volume, 'Failed', now, 'VolumeFailedDelete', message),
        { verb: 'event', regarding: volume, type: 'Warning', reason: 'VolumeFailedDelete', message },
      ],
    };
  }
  return { actions };
}

function phase(
  volume: Stored<PersistentVolume>,
  wanted: string,
  now: number,
  reason?: string,
  message?: string,
): Action[] {
  const { status } = volume;
  if (status?.phase === wanted || (wanted === 'Released' && status?.phase === 'Failed')) return [];
  const told = {
    phase: wanted,
    lastPhaseTransitionTime: formatTime(now),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
  return [statusUpdate(persistentVolumes, { ...volume, status: told })];
}

function withAnnotations<T extends Stored<KubeObject>>(object: T, changes: Readonly<Record<string, string>>): T {
  const annotations = { ...object.metadata.annotations, ...changes };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

const note = (regarding: PersistentVolumeClaim, reason: string, message: string): EventAction => ({
  verb: 'event',
  regarding,
  type: 'Normal',
  reason,
  message,
});
const warning = (regarding: PersistentVolumeClaim, reason: string, message: string): EventAction => ({
  ...note(regarding, reason, message),
  type: 'Warning',
});
