/**
 * emptyDir: a folder that lives as long as its pod.
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
 */
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import type { Pod } from '../../apis/core/pod.ts';
import type { EmptyDirVolumeSource } from '../../apis/core/volumes.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import { podTotals } from '../resources/limits.ts';
import { isMounted, mountShare, mountTmpfs } from './mounts.ts';
import { VolumeError } from './sources.ts';

/** Set-group-ID, so that what is made in it belongs to the group. */
const SET_GROUP = 0o2000;
/** `HugePages`, or with a size: `HugePages-2Mi` */
const HUGE = 'HugePages';

/** What a volume in memory may hold at most, in bytes: as much as the pod may have, or pods of the node. */
export function memoryFor(pod: Pod, allocatable: Readonly<Record<string, string>>): number {
  const { memoryLimit } = podTotals(pod);
  return Math.min(limitOf(allocatable.memory), memoryLimit || Number.MAX_SAFE_INTEGER);
}

/** 0 is no limit. */
const limitOf = (quantity: string | undefined) =>
  (quantity === undefined ? 0 : wholeValue(quantity)) || Number.MAX_SAFE_INTEGER;

/**
 * Does nothing where it is there already.
 * @param mostMemory what it may hold at most where it is in memory, in bytes
 * @throws VolumeError
 */
export async function setUpEmptyDir(
  dir: string,
  { medium = '', sizeLimit }: EmptyDirVolumeSource,
  fsGroup: number | undefined,
  mostMemory: number,
): Promise<void> {
  if (medium !== '' && medium !== 'Memory' && !medium.startsWith(HUGE))
    throw new VolumeError(`the medium ${medium} of an emptyDir is not supported`);
  const there = (await stat(dir).catch(() => undefined)) !== undefined;
  // After the machine started again the folder is there and the memory is not.
  if (there && (medium === '' || isMounted(dir))) return;
  await mkdir(dir, { recursive: true });
  if (medium === 'Memory')
    await mountTmpfs(dir, { mode: '1777', size: String(Math.min(mostMemory, limitOf(sizeLimit))) });
  if (medium.startsWith(HUGE)) {
    // Without a size: that which the machine has by default.
    const size = medium.slice(HUGE.length + 1).replace('i', '');
    await mountShare('hugetlbfs', 'nodev', dir, size === '' ? [] : [`pagesize=${size}`]);
  }
  if (fsGroup !== undefined) await chown(dir, 0, fsGroup);
  await chmod(dir, (medium === 'Memory' ? 0o1777 : 0o777) | (fsGroup === undefined ? 0 : SET_GROUP));
}
