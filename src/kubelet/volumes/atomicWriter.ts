/**
 * Writes a set of files so that a reader sees either all of the old ones or all of the new ones: the
 * files lie in a folder of their own, `..data` points to it, and the names that readers use point
 * through `..data`. An update makes a new folder and moves the one link.
 */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatTime } from '../../machinery/time.ts';
import { giveToGroup } from './ownership.ts';

export interface FileToProject {
  readonly data: Buffer;
  readonly mode: number;
  /** owner, where it is not root */
  readonly uid?: number;
}

const DATA = '..data';

/**
 * Brings a folder to hold just `files` (by relative path). Returns whether anything changed.
 * @param now ms since the epoch
 */
export async function writeAtomically(
  dir: string,
  files: ReadonlyMap<string, FileToProject>,
  now: number,
  fsGroup?: number,
): Promise<boolean> {
  // A mask must not take anything away.
  if ((await mkdir(dir, { recursive: true })) !== undefined) await chmod(dir, 0o777);
  const current = await readlink(join(dir, DATA)).catch(() => undefined);
  if (current !== undefined && (await holdsJust(join(dir, current), files))) return false;

  const target = await mkdtemp(join(dir, `..${stamp(now)}.`));
  await chmod(target, 0o755);
  for (const [path, file] of files) {
    const at = join(target, path);
    await mkdir(dirname(at), { recursive: true, mode: 0o755 });
    await writeFile(at, file.data);
    await chmod(at, file.mode);
    if (file.uid !== undefined) await chown(at, file.uid, 0);
  }
  await giveToGroup(dir, { ...(fsGroup === undefined ? {} : { fsGroup }) }, true);
  const link = join(dir, '..data_tmp');
  await rm(link, { force: true });
  await symlink(basename(target), link);
  await rename(link, join(dir, DATA));

  const tops = new Set([...files.keys()].map((path) => path.split('/')[0] as string));
  for (const top of tops) {
    if ((await lstat(join(dir, top)).catch(() => undefined)) === undefined)
      await symlink(join(DATA, top), join(dir, top));
  }
  for (const entry of await readdir(dir)) {
    if (!entry.startsWith('..') && !tops.has(entry)) await rm(join(dir, entry), { force: true });
  }
  // A writer that died may have left some.
  for (const entry of await readdir(dir)) {
    if (entry.startsWith('..') && entry !== DATA && entry !== basename(target))
      await rm(join(dir, entry), { recursive: true, force: true });
  }
  return true;
}

async function holdsJust(dir: string, files: ReadonlyMap<string, FileToProject>): Promise<boolean> {
  const there = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (there === undefined) return false;
  if (there.filter((e) => e.isFile()).length !== files.size) return false;
  for (const [path, file] of files) {
    const content = await readFile(join(dir, path)).catch(() => undefined);
    if (content === undefined || !content.equals(file.data)) return false;
  }
  return true;
}

/** A moment as it stands in the name of a folder: `2026_01_02_03_04_05` */
function stamp(now: number): string {
  return formatTime(now).replace(/[-:T]/g, '_').replace('Z', '');
}
