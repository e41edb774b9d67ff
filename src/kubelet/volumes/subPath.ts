/**
 * A part of a volume as a mount of its own. A container that shares the volume may put links where the
 * kubelet looks, at any moment: so each step is opened without following links, and what was opened is
 * what is mounted.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath
 */
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, mkdir, open, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { VolumeMount } from '../../apis/core/container.ts';
import { ContainerConfigError, expand } from '../pods/environment.ts';
import { bindMount, unmount } from './mounts.ts';

/** The path within its volume that a mount asks for; '' is the volume itself. @throws ContainerConfigError */
export function subPathOf(
  { subPath = '', subPathExpr = '' }: Pick<VolumeMount, 'subPath' | 'subPathExpr'>,
  env: ReadonlyMap<string, string>,
): string {
  const missing = new Set<string>();
  const get = (name: string) => {
    const value = env.get(name) ?? '';
    if (value === '') missing.add(name);
    return value;
  };
  const path = subPathExpr === '' ? subPath : expand(subPathExpr, { get });
  if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].sort().join(', ')}`);
  if (path.startsWith('/'))
    throw new ContainerConfigError(`error SubPath ${JSON.stringify(path)} must not be an absolute path`);
  if (path.split('/').includes('..'))
    throw new ContainerConfigError(`unable to provision SubPath ${JSON.stringify(path)}: must not contain '..'`);
  return path;
}

/** Open a place without opening what is there; from <fcntl.h>, the same on all architectures that Node runs on. */
const O_PATH = 0o10000000;

/** A text that is read from a volume is no longer. */
const MAX_TEXT_BYTES = 1 << 20;

/**
 * Mounts `sub` of the folder `base` at `target` and returns `target`.
 * @param create whether a folder is made where there is nothing
 * @throws ContainerConfigError where the path leads out of the volume
 */
export async function bindSubPath(base: string, sub: string, target: string, create: boolean): Promise<string> {
  const root = await realpath(base).catch((error: Error) => {
    throw new ContainerConfigError(`the volume of subPath ${JSON.stringify(sub)} cannot be opened: ${error.message}`);
  });
  const parts = await partsOf(root, sub);
  const place = await walk(root, parts, sub, create);
  try {
    await unmount(target);
    await rm(target, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    if ((await place.stat()).isDirectory()) await mkdir(target, { mode: 0o750 });
    else await writeFile(target, '', { mode: 0o640 });
    await bindMount(place.fd, target);
  } finally {
    await place.close();
  }
  return target;
}

/**
 * The text of a file of a volume that a container may write at the same time; undefined where there is none.
 * @throws ContainerConfigError where the path leads out of the volume, or to what is no file or too large
 */
export async function readWithin(base: string, path: string): Promise<string | undefined> {
  const root = await realpath(base).catch(() => undefined);
  if (root === undefined) return undefined;
  const parts = await partsOf(root, path);
  if ((await stat(join(root, ...parts)).catch(() => undefined)) === undefined) return undefined;
  const place = await walk(root, parts, path, false);
  try {
    const about = await place.stat();
    if (!about.isFile()) throw new ContainerConfigError(`${JSON.stringify(path)} is not a file`);
    if (about.size > MAX_TEXT_BYTES) throw new ContainerConfigError(`the file ${JSON.stringify(path)} is too large`);
    // The same file, now opened to be read.
    const file = await open(`/proc/self/fd/${place.fd}`, constants.O_RDONLY);
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_TEXT_BYTES) });
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } finally {
    await place.close();
  }
}

/** The steps to the path, with the links in it followed once. */
async function partsOf(root: string, sub: string): Promise<string[]> {
  const wanted = join(root, sub);
  const inside = (path: string) => path === root || path.startsWith(`${root}/`);
  const real = await realpath(wanted).catch(() => undefined);
  const path = real ?? wanted;
  if (!inside(path)) throw leadsOut(sub);
  return relative(root, path)
    .split('/')
    .filter((part) => part !== '');
}

/** @throws ContainerConfigError where a step is a link */
async function walk(root: string, parts: readonly string[], sub: string, create: boolean): Promise<FileHandle> {
  let place = await open(root, O_PATH | constants.O_DIRECTORY);
  // What is made belongs to those that the volume belongs to.
  const { mode, gid } = await place.stat();
  const made = create ? { mode: mode & 0o7777, gid } : undefined;
  for (const part of parts) {
    const path = `/proc/self/fd/${place.fd}/${part}`;
    try {
      const next = await step(path, made);
      if ((await next.stat()).isSymbolicLink()) {
        await next.close();
        throw leadsOut(sub);
      }
      await place.close();
      place = next;
    } catch (error) {
      await place.close();
      if (error instanceof ContainerConfigError) throw error;
      throw new ContainerConfigError(`failed to prepare subPath ${JSON.stringify(sub)}: ${(error as Error).message}`);
    }
  }
  return place;
}

/** @param made how a folder is made where there is nothing; undefined: it is not */
async function step(path: string, made: { mode: number; gid: number } | undefined): Promise<FileHandle> {
  try {
    return await open(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (made === undefined || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(path, { mode: 0o700 });
    const folder = await open(path, O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY);
    try {
      // Through what was opened: what lies at the path may have been put there meanwhile.
      const self = `/proc/self/fd/${folder.fd}`;
      await chown(self, 0, made.gid);
      await chmod(self, made.mode);
    } catch (failure) {
      await folder.close();
      throw failure;
    }
    return folder;
  }
}

function leadsOut(sub: string): ContainerConfigError {
  return new ContainerConfigError(`subPath ${JSON.stringify(sub)} leads out of the volume`);
}
