/**
 * fsGroup: all that is in a volume belongs to the pod's group, which may write it. Containers that share the volume may
 * put links where the kubelet looks, at any moment: so each step is opened without following links, and what was opened
 * is what is changed.
 *
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
 */
import { constants, type Stats } from 'node:fs';
import { chmod, chown, lchown, open, opendir } from 'node:fs/promises';
import type { PodSecurityContext } from '../../apis/core/podSpec.ts';

const READ_WRITE = 0o660;
const READ_ONLY = 0o440;
/** what folders need besides: to be entered, and so that what is made in them belongs to the group */
const FOLDER = 0o2110;
const MODE_BITS = 0o7777;
/** Open a place without opening what is there; from <fcntl.h>, the same on all architectures that Node runs on. */
const O_PATH = 0o10000000;

/** Gives a volume to the group that the pod asks for, if it asks for one. @throws the file system's error */
export async function giveToGroup(
  dir: string,
  { fsGroup, fsGroupChangePolicy }: Pick<PodSecurityContext, 'fsGroup' | 'fsGroupChangePolicy'>,
  readOnly: boolean,
): Promise<void> {
  if (fsGroup === undefined) return;
  const rights = readOnly ? READ_ONLY : READ_WRITE;
  const root = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { gid, mode } = await root.stat();
    const wanted = rights | FOLDER;
    if (fsGroupChangePolicy === 'OnRootMismatch' && gid === fsGroup && (mode & wanted) === wanted) return;
    await giveBelow(root.fd, fsGroup, rights);
    // Last, so that a root that is right says that all below it is.
    await give(root.fd, await root.stat(), fsGroup, rights);
  } finally {
    await root.close();
  }
}

async function giveBelow(folder: number, group: number, rights: number): Promise<void> {
  for await (const { name } of await opendir(byHandle(folder))) {
    try {
      await giveEntry(`${byHandle(folder)}/${name}`, group, rights);
    } catch (error) {
      // Another pod that uses the volume may have removed it meanwhile, or put something else there.
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

async function giveEntry(path: string, group: number, rights: number): Promise<void> {
  const entry = await open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = await entry.stat();
    if (stats.isSymbolicLink()) {
      if (stats.gid !== group) await lchown(path, stats.uid, group);
      return;
    }
    if (stats.isDirectory()) {
      const folder = await open(byHandle(entry.fd), constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await giveBelow(folder.fd, group, rights);
      } finally {
        await folder.close();
      }
    }
    await give(entry.fd, stats, group, rights);
  } finally {
    await entry.close();
  }
}

async function give(fd: number, stats: Stats, group: number, rights: number): Promise<void> {
  const mode = stats.mode & MODE_BITS;
  if (stats.gid !== group) await chown(byHandle(fd), stats.uid, group);
  const wanted = mode | rights | (stats.isDirectory() ? FOLDER : 0);
  // Another group may have cleared the set-group-ID bit.
  if (wanted !== mode || stats.gid !== group) await chmod(byHandle(fd), wanted);
}

/** The path by which the kernel finds what is open. */
const byHandle = (fd: number) => `/proc/self/fd/${fd}`;
