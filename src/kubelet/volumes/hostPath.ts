/**
 * hostPath: a file or folder of the node.
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
 */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { HostPathVolumeSource } from '../../apis/core/volumes.ts';
import { VolumeError } from './sources.ts';

/** @throws VolumeError where the path is not of the type that the pod wants */
export async function checkHostPath({ path, type = '' }: HostPathVolumeSource): Promise<void> {
  if (type === '') return;
  const found = await stat(path).catch(() => undefined);
  if (type === 'DirectoryOrCreate' && found === undefined) {
    await makeFolders(path);
    return;
  }
  if (type === 'FileOrCreate' && found === undefined) {
    await (await open(path, 'a', 0o644)).close();
    return;
  }
  const is =
    found !== undefined &&
    ((type.startsWith('Directory') && found.isDirectory()) ||
      (type.startsWith('File') && found.isFile()) ||
      (type === 'Socket' && found.isSocket()) ||
      (type === 'CharDevice' && found.isCharacterDevice()) ||
      (type === 'BlockDevice' && found.isBlockDevice()));
  if (!is) throw new VolumeError(`hostPath type check failed: ${path} is not a ${KINDS[type] ?? type}`);
}

/**
 * Makes the folder and those that it is in, one by one: asked to make all of them, Node goes on for ever where a file
 * system lets nobody make one and says that it is not there, as /proc does.
 */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  for (let dir = resolve(path); dir !== dirname(dir); dir = dirname(dir)) {
    if (await stat(dir).catch(() => undefined)) break;
    missing.push(dir);
  }
  for (const dir of missing.reverse()) {
    await mkdir(dir, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw new VolumeError(`hostPath ${path} cannot be made: ${error.message}`);
    });
  }
}

const KINDS: Readonly<Record<string, string>> = {
  Directory: 'directory',
  DirectoryOrCreate: 'directory',
  File: 'file',
  FileOrCreate: 'file',
  Socket: 'socket',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};
