/**
 * Which limit of the node's disk a pod has passed. Pure.
 * Source: https://kubernetes.io/docs/concepts/storage/ephemeral-storage/#resource-emphemeralstorage-consumption
 */
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources } from '../../apis/core/podResources.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import type { DiskUsage } from '../machine/diskUsage.ts';

/** What a pod has on the node's disk, or in memory in the way of a disk. */
export interface PodFiles {
  /** by container: its file system and its logs */
  readonly containers: ReadonlyMap<string, DiskUsage>;
  /** by name: those that go with the pod */
  readonly volumes: ReadonlyMap<string, DiskUsage>;
}

const EPHEMERAL = 'ephemeral-storage';

/** Whether anything of it need be measured. */
export function hasDiskLimits({ spec }: Pod): boolean {
  if (spec === undefined) return false;
  if ((spec.volumes ?? []).some((v) => v.emptyDir?.sizeLimit !== undefined)) return true;
  if (spec.resources?.limits?.[EPHEMERAL] !== undefined) return true;
  return [...spec.containers, ...(spec.initContainers ?? [])].some((c) => c.resources?.limits?.[EPHEMERAL]);
}

/** Why the pod must go; undefined where it keeps within its limits. */
export function passedDiskLimit(pod: Pod, files: PodFiles): string | undefined {
  return passedVolume(pod, files) ?? passedPod(pod, files) ?? passedContainer(pod, files);
}

/** All that it has on the disk, in bytes and files. */
export function totalOf(pod: Pod, files: PodFiles): DiskUsage {
  const inMemory = new Set((pod.spec?.volumes ?? []).filter((v) => v.emptyDir?.medium === 'Memory').map((v) => v.name));
  const all = [
    ...files.containers.values(),
    ...[...files.volumes].filter(([name]) => !inMemory.has(name)).map(([, usage]) => usage),
  ];
  return all.reduce((sum, one) => ({ bytes: sum.bytes + one.bytes, inodes: sum.inodes + one.inodes }), {
    bytes: 0,
    inodes: 0,
  });
}

function passedVolume({ spec }: Pod, { volumes }: PodFiles): string | undefined {
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || wholeValue(limit) === 0) continue;
    if ((volumes.get(name)?.bytes ?? 0) > wholeValue(limit))
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `;
  }
  return undefined;
}

function passedPod(pod: Pod, files: PodFiles): string | undefined {
  const { spec } = pod;
  if (spec === undefined) return undefined;
  const limit = spec.resources?.limits?.[EPHEMERAL] ?? containerResources(spec, 'limits')[EPHEMERAL];
  if (limit === undefined || totalOf(pod, files).bytes <= wholeValue(limit)) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
}

function passedContainer({ spec }: Pod, { containers }: PodFiles): string | undefined {
  for (const { name, resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const limit = resources?.limits?.[EPHEMERAL];
    if (limit !== undefined && (containers.get(name)?.bytes ?? 0) > wholeValue(limit))
      return `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(limit)}. `;
  }
  return undefined;
}
