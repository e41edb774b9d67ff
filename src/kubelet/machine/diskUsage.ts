/** What a folder holds, on its own file system only: what others mounted in it is not the pod's. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskUsage {
  readonly bytes: number;
  readonly inodes: number;
}

const BLOCK_BYTES = 512;
/** A file with several names is counted once. */
const SEVERAL = 1;

/** Nothing for a folder that is not there; what goes while it is counted is left out. Never throws. */
export async function diskUsageOf(dir: string): Promise<DiskUsage> {
  const root = await lstat(dir).catch(() => undefined);
  if (root === undefined) return { bytes: 0, inodes: 0 };
  let bytes = root.blocks * BLOCK_BYTES;
  let inodes = 1;
  const seen = new Set<number>();
  const folders = [dir];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const parent = folder;
    for (const name of await readdir(parent).catch(() => [])) {
      const path = join(parent, name);
      const entry = await lstat(path).catch(() => undefined);
      if (entry === undefined || entry.dev !== root.dev) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.nlink > SEVERAL) {
        if (seen.has(entry.ino)) continue;
        seen.add(entry.ino);
      }
      bytes += entry.blocks * BLOCK_BYTES;
      inodes++;
    }
  }
  return { bytes, inodes };
}
