/** Volumes as folders of this machine's disk. */
import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LocalStorage, LocalStorageError } from './storage.ts';

/** The names of volumes that are made here; nothing else is ever removed. */
const VOLUME = /^pvc-[0-9a-f-]{36}$/;
/** Containers run as any user; who may use a volume is told by who may claim it. */
const MODE = 0o777;

/** Limits how much a folder may hold. */
export interface FolderLimits {
  /** Limits it, or changes its limit. @throws Error */
  limit(folder: string, bytes: number): Promise<void>;
}

/**
 * @param root holds a folder for each volume
 * @param limits absent: the file system cannot limit folders, and a volume may grow as large as the disk
 */
export function localFolders(root: string, limits: FolderLimits | undefined): LocalStorage {
  const folderOf = (volume: string) => {
    if (!VOLUME.test(volume)) throw new LocalStorageError(`${JSON.stringify(volume)} is no volume that was made here`);
    return join(root, volume);
  };
  return {
    make: (volume, bytes) =>
      explained('make', async () => {
        const folder = folderOf(volume);
        await mkdir(root, { recursive: true, mode: 0o711 });
        await mkdir(folder, { recursive: true });
        await chmod(folder, MODE);
        await limits?.limit(folder, bytes);
        return folder;
      }),
    resize: (volume, bytes) =>
      explained('resize', async () => {
        const folder = folderOf(volume);
        await stat(folder);
        await limits?.limit(folder, bytes);
      }),
    remove: (volume) => explained('remove', () => rm(folderOf(volume), { recursive: true, force: true })),
  };
}

async function explained<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LocalStorageError) throw error;
    throw new LocalStorageError(`could not ${what} the folder of the volume: ${(error as Error).message}`);
  }
}
