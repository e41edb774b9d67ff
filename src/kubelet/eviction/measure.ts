/** What pods use now: asked of the runtime and the machine when somebody may have to go, and not before. */
import type { Pod } from '../../apis/core/pod.ts';
import { containersOf } from '../../apis/core/podContainers.ts';
import type { Machine } from '../machine/machine.ts';
import type { ContainerReading, NodeReading } from '../stats/reading.ts';
import type { PodMeasures } from './evictor.ts';

/** @param statistics what the containers use. @throws what it throws */
export async function measurePods(
  pods: readonly Pod[],
  machine: Machine,
  statistics: () => Promise<NodeReading>,
): Promise<Map<string, PodMeasures>> {
  const readings = new Map<string, ContainerReading[]>();
  for (const reading of (await statistics()).containers) {
    const of = readings.get(reading.podUid);
    if (of === undefined) readings.set(reading.podUid, [reading]);
    else of.push(reading);
  }
  const measured = new Map<string, PodMeasures>();
  // One after the other: to walk the folders of all of them at once helps nobody when the disk is short.
  for (const pod of pods) {
    const uid = pod.metadata?.uid ?? '';
    measured.set(uid, await measure(pod, readings.get(uid) ?? [], machine));
  }
  return measured;
}

async function measure(pod: Pod, own: readonly ContainerReading[], machine: Machine): Promise<PodMeasures> {
  const { logs, volumes } = await machine.podFiles(pod);
  const containers = containersOf(pod.spec ?? { containers: [] }).map(({ name }) => {
    const reading = own.find((r) => r.container === name);
    const written = { bytes: reading?.writtenBytes ?? 0, inodes: reading?.writtenInodes ?? 0 };
    const said = logs.get(name) ?? { bytes: 0, inodes: 0 };
    const disk = { bytes: written.bytes + said.bytes, inodes: written.inodes + said.inodes };
    return { name, disk, memoryBytes: reading?.workingSetBytes ?? 0 };
  });
  return {
    memoryBytes: containers.reduce((sum, c) => sum + c.memoryBytes, 0),
    processes: machine.processesOf(pod),
    files: { containers: new Map(containers.map((c) => [c.name, c.disk])), volumes },
    containers: containers.map(({ name, disk, memoryBytes }) => ({ name, memoryBytes, diskBytes: disk.bytes })),
  };
}
