/**
 * emptyDir: a folder that lives as long as its pod.
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
 */
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import type { EmptyDirVolumeSource } from '../../apis/core/volumes.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import { isMounted, mountTmpfs } from './mounts.ts';
import { VolumeError } from './sources.ts';

/** Set-group-ID, so that what is made in it belongs to the group, and everything for everyone. */
const GROUP_MODE = 0o2777;

/** Does nothing where it is there already. @throws VolumeError */
export async function setUpEmptyDir(
  dir: string,
  { medium = '', sizeLimit }: EmptyDirVolumeSource,
  fsGroup: number | undefined,
): Promise<void> {
  if (medium !== '' && medium !== 'Memory')
    throw new VolumeError(`the medium ${medium} of an emptyDir is not supported`);
  const there = (await stat(dir).catch(() => undefined)) !== undefined;
  // After the machine started again the folder is there and the memory is not.
  if (there && (medium === '' || isMounted(dir))) return;
  await mkdir(dir, { recursive: true });
  if (medium === 'Memory')
    await mountTmpfs(dir, {
      mode: '0777',
      ...(sizeLimit === undefined ? {} : { size: String(wholeValue(sizeLimit)) }),
    });
  if (fsGroup !== undefined) await chown(dir, 0, fsGroup);
  await chmod(dir, fsGroup === undefined ? 0o777 : GROUP_MODE);
}
