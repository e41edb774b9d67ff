/**
 * What is done from time to time for volumes that pods have: drivers that want to publish again do, and volumes that
 * were made larger get larger file systems.
 *
 * Sources: https://kubernetes-csi.github.io/docs/csi-driver-object.html
 * and https://kubernetes.io/docs/concepts/storage/persistent-volumes/#resizing-an-in-use-persistentvolumeclaim
 */
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { volumeSize } from '../../apis/core/volumeBinding.ts';
import type { Client } from '../../client/client.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { compareQuantities, wholeValue } from '../../machinery/quantity.ts';
import { type ClaimedVolume, type ClaimSources, claimedVolume } from '../volumes/claims.ts';
import { type CsiSource, sourceOfInline, sourceOfPersistent } from './source.ts';
import type { CsiVolumes } from './volumes.ts';

export interface RefreshOptions {
  readonly client: Client;
  readonly volumes: CsiVolumes;
  readonly events: EventRecorder;
  readonly sources: ClaimSources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
}

const EVERY_MS = 15_000;
const PENDING = 'FileSystemResizePending';
/** Steps of a resize that are the node's. */
const OF_NODE: ReadonlySet<string> = new Set(['NodeResizePending', 'NodeResizeInProgress']);

/** Runs until the signal ends it. */
export async function refreshVolumes(options: RefreshOptions): Promise<void> {
  const { clock, signal, log, pods } = options;
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => {});
    for (const pod of pods()) {
      if (signal.aborted || pod.metadata?.deletionTimestamp !== undefined || pod.status?.phase !== 'Running') continue;
      await refreshPod(options, pod).catch((err: unknown) => {
        log.debug('the volumes of a pod could not be looked after', { err, pod: pod.metadata?.name });
      });
    }
  }
}

async function refreshPod(options: RefreshOptions, pod: Pod): Promise<void> {
  for (const volume of pod.spec?.volumes ?? []) {
    const inline = sourceOfInline(pod, volume);
    if (inline !== undefined) await options.volumes.refresh(pod, inline);
    if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) continue;
    const claimed = await claimedVolume(pod, volume, options.sources);
    const source = claimed === undefined ? undefined : sourceOfPersistent(claimed.volume, claimed.readOnly);
    if (claimed === undefined || source === undefined) continue;
    await options.volumes.refresh(pod, source);
    if (needsExpansion(claimed)) await expand(options, pod, claimed, source);
  }
}

function needsExpansion({ claim, volume }: ClaimedVolume): boolean {
  const { capacity, conditions = [], allocatedResourceStatuses } = claim.status ?? {};
  if (compareQuantities(volumeSize(volume), capacity?.storage ?? '0') <= 0) return false;
  return (
    OF_NODE.has(allocatedResourceStatuses?.storage ?? '') ||
    conditions.some((c) => c.type === PENDING && c.status === 'True')
  );
}

async function expand(
  { client, volumes, events }: RefreshOptions,
  pod: Pod,
  { claim, volume }: ClaimedVolume,
  source: CsiSource,
): Promise<void> {
  const size = volumeSize(volume);
  const name = JSON.stringify(volume.metadata.name);
  try {
    await volumes.expand(pod, source, wholeValue(size));
  } catch (error) {
    const message = `MountVolume.NodeExpandVolume failed for volume ${name} : ${(error as Error).message}`;
    events.event(referenceTo(pod), 'Warning', 'VolumeResizeFailed', message);
    throw error;
  }
  await client.update(persistentVolumeClaims, expanded(claim, size), { subresource: 'status' });
  const message = `MountVolume.NodeExpandVolume succeeded for volume ${name}`;
  events.event(referenceTo(pod), 'Normal', 'FileSystemResizeSuccessful', message);
}

function expanded(claim: ClaimedVolume['claim'], size: string): ClaimedVolume['claim'] {
  const { conditions = [], allocatedResourceStatuses, ...status } = claim.status ?? {};
  const { storage: _storage, ...others } = allocatedResourceStatuses ?? {};
  const left = conditions.filter((c) => c.type !== PENDING && c.type !== 'Resizing');
  const told: NonNullable<PersistentVolumeClaim['status']> = {
    ...status,
    capacity: { ...status.capacity, storage: size },
    ...(left.length === 0 ? {} : { conditions: left }),
    ...(Object.keys(others).length === 0 ? {} : { allocatedResourceStatuses: others }),
  };
  return { ...claim, status: told };
}
