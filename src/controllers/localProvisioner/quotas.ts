/**
 * Limits of folders by project quotas, where the file system has them: XFS mounted with `prjquota` (and xfs_quota), ext4
 * with the feature `project` mounted with `prjquota` (and setquota).
 *
 * Source: https://man7.org/linux/man-pages/man8/xfs_quota.8.html, https://man7.org/linux/man-pages/man8/setquota.8.html
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FolderLimits } from './folders.ts';

export type Run = (program: string, args: readonly string[]) => Promise<unknown>;

/** Low numbers are taken by people, who write them into /etc/projects. */
const FIRST_PROJECT = 0x4000_0000;
const PROJECTS = 0x3fff_ffff;
const KIB = 1024;
const OPTION = /(^|,)(prjquota|pquota)(,|$)/;

const execute: Run = (program, args) => promisify(execFile)(program, [...args]);

/** Undefined where the file system of the folder, or this machine, has no project quotas. */
export async function projectQuotas(
  root: string,
  mounts?: string,
  run: Run = execute,
): Promise<FolderLimits | undefined> {
  const table = mounts ?? (await readFile('/proc/self/mounts', 'utf8').catch(() => ''));
  const mount = mountOf(root, table);
  if (mount === undefined || !OPTION.test(mount.options)) return undefined;
  const set = setterOf(mount, run);
  if (set === undefined) return undefined;
  const there = await run(mount.type === 'xfs' ? 'xfs_quota' : 'setquota', ['-V']).catch((error: { code?: unknown }) =>
    error.code === 'ENOENT' ? 'missing' : undefined,
  );
  return there === 'missing' ? undefined : { limit: (folder, bytes) => set(folder, projectOf(folder), bytes) };
}

interface MountEntry {
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

type SetLimit = (folder: string, project: number, bytes: number) => Promise<void>;

function setterOf({ type, point }: MountEntry, run: Run): SetLimit | undefined {
  if (type === 'xfs') {
    return async (folder, project, bytes) => {
      await run('xfs_quota', ['-x', '-c', `project -s -p ${folder} ${project}`, point]);
      await run('xfs_quota', ['-x', '-c', `limit -p bhard=${bytes} ${project}`, point]);
    };
  }
  if (type === 'ext4') {
    return async (folder, project, bytes) => {
      // What is made in it belongs to the same project.
      await run('chattr', ['-p', String(project), '+P', folder]);
      await run('setquota', ['-P', String(project), '0', String(Math.ceil(bytes / KIB)), '0', '0', point]);
    };
  }
  return undefined;
}

/** The same for a folder each time: nothing need be remembered. */
function projectOf(folder: string): number {
  return FIRST_PROJECT + (createHash('sha256').update(folder).digest().readUInt32BE() % PROJECTS);
}

/** The mount on which the path lies: the deepest, and of several the last. */
function mountOf(path: string, mounts: string): MountEntry | undefined {
  let best: MountEntry | undefined;
  for (const line of mounts.split('\n')) {
    const [, escaped, type = '', options = ''] = line.split(' ');
    if (escaped === undefined) continue;
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_all, code: string) => String.fromCharCode(parseInt(code, 8)));
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, type, options };
  }
  return best;
}
