/**
 * Claims that ask for more than they have: their volumes grow while they are in use.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import {
  type PersistentVolumeClaim,
  type PersistentVolumeClaimCondition,
  persistentVolumeClaims,
} from '../../apis/core/persistentVolumeClaim.ts';
import { claimSize, isBound, isKeptFor, volumeSize } from '../../apis/core/volumeBinding.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { compareQuantities, wholeValue } from '../../machinery/quantity.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';
import { note } from './provision.ts';
import type { LocalStorage } from './storage.ts';

type Claim = Stored<PersistentVolumeClaim>;

const RESIZING = 'Resizing';
const IN_PROGRESS = 'ControllerResizeInProgress';

export interface ExpandWorld {
  readonly claim: Claim;
  readonly volume: Stored<PersistentVolume>;
  readonly storage: LocalStorage;
  /** milliseconds since the epoch */
  readonly now: number;
}

export function planExpand({ claim, volume, storage, now }: ExpandWorld): Plan | undefined {
  if (!isBound(claim) || !isKeptFor(volume, claim) || claim.status?.phase !== 'Bound') return undefined;
  const wanted = claimSize(claim);
  if (compareQuantities(wanted, claim.status.capacity?.storage ?? '0') <= 0) return undefined;
  const { name } = volume.metadata;
  if (!isBegun(claim, wanted)) {
    const begun = note(claim, 'Normal', RESIZING, `External resizer is resizing volume ${name}`);
    return { actions: [statusUpdate(persistentVolumeClaims, begin(claim, wanted, now)), begun] };
  }
  const run = async (): Promise<Action[]> => {
    await storage.resize(name, wholeValue(wanted));
    const spec = { ...volume.spec, capacity: { ...volume.spec?.capacity, storage: wanted } };
    const object: PersistentVolume = { ...volume, spec };
    const told: Action[] = [
      statusUpdate(persistentVolumeClaims, end(claim, wanted)),
      note(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded'),
    ];
    const larger = compareQuantities(volumeSize(volume), wanted) < 0;
    return larger ? [{ verb: 'update', kind: persistentVolumes as Kind, object }, ...told] : told;
  };
  return {
    actions: [{ verb: 'work', run }],
    after: (failure) =>
      failure?.name === 'LocalStorageError'
        ? [note(claim, 'Warning', 'VolumeResizeFailed', `resize volume ${name} failed: ${failure.message}`)]
        : [],
  };
}

const isBegun = ({ status }: Claim, wanted: string) =>
  status?.allocatedResources?.storage === wanted && status.allocatedResourceStatuses?.storage === IN_PROGRESS;

function begin(claim: Claim, wanted: string, now: number): Claim {
  const condition: PersistentVolumeClaimCondition = {
    type: RESIZING,
    status: 'True',
    lastTransitionTime: formatTime(now),
  };
  const others = (claim.status?.conditions ?? []).filter((c) => c.type !== RESIZING);
  return {
    ...claim,
    status: {
      ...claim.status,
      conditions: [...others, condition],
      allocatedResources: { ...claim.status?.allocatedResources, storage: wanted },
      allocatedResourceStatuses: { ...claim.status?.allocatedResourceStatuses, storage: IN_PROGRESS },
    },
  };
}

function end(claim: Claim, wanted: string): Claim {
  const { conditions = [], allocatedResourceStatuses, ...status } = claim.status ?? {};
  const { storage: _storage, ...others } = allocatedResourceStatuses ?? {};
  const left = conditions.filter((c) => c.type !== RESIZING && c.type !== 'FileSystemResizePending');
  return {
    ...claim,
    status: {
      ...status,
      capacity: { ...status.capacity, storage: wanted },
      ...(left.length === 0 ? {} : { conditions: left }),
      ...(Object.keys(others).length === 0 ? {} : { allocatedResourceStatuses: others }),
    },
  };
}
