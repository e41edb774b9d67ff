/** How full the volumes of claims are, under the names that alerts know. */
import type { Family } from '../../lib/exposition.ts';
import type { VolumeReading } from './reading.ts';

const METRICS = [
  ['capacity_bytes', 'Capacity in bytes of the volume', ({ capacityBytes }) => capacityBytes],
  ['available_bytes', 'Number of available bytes in the volume', ({ availableBytes }) => availableBytes],
  ['used_bytes', 'Number of used bytes in the volume', ({ usedBytes }) => usedBytes],
  ['inodes', 'Maximum number of inodes in the volume', ({ inodes }) => inodes],
  ['inodes_free', 'Number of free inodes in the volume', ({ inodesFree }) => inodesFree],
  ['inodes_used', 'Number of used inodes in the volume', ({ inodesUsed }) => inodesUsed],
] as const satisfies readonly (readonly [string, string, (reading: VolumeReading) => number])[];

/** A claim that several pods use is told of once. */
export function volumeFamilies(readings: readonly VolumeReading[]): Family[] {
  const claims = new Map<string, VolumeReading>();
  for (const reading of readings)
    if (reading.claim !== undefined) claims.set(`${reading.namespace}/${reading.claim}`, reading);
  return METRICS.map(([name, help, value]) => ({
    name: `kubelet_volume_stats_${name}`,
    help: `[STABLE] ${help}`,
    type: 'gauge',
    samples: [...claims.values()].map((reading) => ({
      labels: { namespace: reading.namespace, persistentvolumeclaim: reading.claim ?? '' },
      value: value(reading),
    })),
  }));
}
