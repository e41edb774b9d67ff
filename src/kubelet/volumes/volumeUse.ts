/** How full a volume is. */
import { statfs } from 'node:fs/promises';
import { diskUsageOf } from '../machine/diskUsage.ts';

export interface VolumeUse {
  /** as the pod names it */
  readonly name: string;
  /** the claim that it is there for */
  readonly claim?: string;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
  readonly inodesUsed: number;
}

/** Asks file systems; a file server that is away is asked once, not again and again. */
export class VolumeUses {
  readonly #asked = new Set<string>();

  /**
   * @param part the folder is a part of a file system that others use, too: what it holds is counted
   * @returns undefined for what is not there, or has not answered before
   */
  async of(path: string, part: boolean): Promise<Omit<VolumeUse, 'name'> | undefined> {
    if (this.#asked.has(path)) return undefined;
    this.#asked.add(path);
    try {
      const fs = await statfs(path);
      const held = part ? await diskUsageOf(path) : undefined;
      return {
        capacityBytes: fs.blocks * fs.bsize,
        availableBytes: fs.bavail * fs.bsize,
        usedBytes: held?.bytes ?? (fs.blocks - fs.bfree) * fs.bsize,
        inodes: fs.files,
        inodesFree: fs.ffree,
        inodesUsed: held?.inodes ?? fs.files - fs.ffree,
      };
    } catch {
      return undefined;
    } finally {
      this.#asked.delete(path);
    }
  }
}
