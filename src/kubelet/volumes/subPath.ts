/**
 * A part of a volume as a mount of its own. A container that shares the volume may put links where the
 * kubelet looks, at any moment: so each step is opened without following links, and what was opened is
 * what is mounted.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ContainerConfigError } from '../pods/environment.ts';
import { bindMount, unmount } from './mounts.ts';

/** Open a place without opening what is there; from <fcntl.h>, the same on all architectures that Node runs on. */
const O_PATH = 0o10000000;

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
  for (const part of parts) {
    const path = `/proc/self/fd/${place.fd}/${part}`;
    try {
      const next = await step(path, create);
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

async function step(path: string, create: boolean): Promise<FileHandle> {
  try {
    return await open(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (!create || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(path, { mode: 0o750 });
    return open(path, O_PATH | constants.O_NOFOLLOW);
  }
}

function leadsOut(sub: string): ContainerConfigError {
  return new ContainerConfigError(`subPath ${JSON.stringify(sub)} leads out of the volume`);
}
