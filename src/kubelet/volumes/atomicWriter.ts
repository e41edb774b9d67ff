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
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface FileToProject {
  readonly data: Buffer;
  readonly mode: number;
  /** owner, where it is not root */
  readonly uid?: number;
}

const DATA = '..data';

/** Brings a folder to hold just `files` (by relative path). Returns whether anything changed. */
export async function writeAtomically(
  dir: string,
  files: ReadonlyMap<string, FileToProject>,
  fsGroup?: number,
): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const current = await readlink(join(dir, DATA)).catch(() => undefined);
  if (current !== undefined && (await holdsJust(join(dir, current), files))) return false;

  const name = `..${stamp(files)}`;
  const target = join(dir, name === current ? `${name}_` : name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o755 });
  for (const [path, file] of files) {
    const at = join(target, path);
    await mkdir(dirname(at), { recursive: true, mode: 0o755 });
    await writeFile(at, file.data);
    await chmod(at, fsGroup === undefined ? file.mode : file.mode | 0o040);
    if (fsGroup !== undefined || file.uid !== undefined) await chown(at, file.uid ?? 0, fsGroup ?? 0);
  }
  const link = join(dir, '..data_tmp');
  await rm(link, { force: true });
  await symlink(target.slice(dir.length + 1), link);
  await rename(link, join(dir, DATA));

  const tops = new Set([...files.keys()].map((path) => path.split('/')[0] as string));
  for (const top of tops) {
    if ((await lstat(join(dir, top)).catch(() => undefined)) === undefined)
      await symlink(join(DATA, top), join(dir, top));
  }
  for (const entry of await readdir(dir)) {
    if (!entry.startsWith('..') && !tops.has(entry)) await rm(join(dir, entry), { force: true });
  }
  if (current !== undefined) await rm(join(dir, current), { recursive: true, force: true });
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

/** A name that differs whenever the content does. */
function stamp(files: ReadonlyMap<string, FileToProject>): string {
  let hash = 0x811c9dc5;
  for (const [path, { data }] of files) {
    for (const byte of Buffer.concat([Buffer.from(path), data])) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return `data_${hash.toString(16)}`;
}
