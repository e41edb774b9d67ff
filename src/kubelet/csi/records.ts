/** What was published for pods, on the disk: after a crash it is known what is to be taken away, and by which driver. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface VolumeRecord {
  readonly driver: string;
  readonly handle: string;
  /** where the driver put it for the pod */
  readonly target: string;
  readonly attachRequired: boolean;
}

const CSI = 'kubernetes.io~csi';
const FILE = 'vol_data.json';

export class VolumeRecords {
  readonly #pods: string;

  /** @param pods the folder that holds a folder for each pod, by uid */
  constructor(pods: string) {
    this.#pods = pods;
  }

  /** The folder of one volume of a pod. */
  dir(uid: string, name: string): string {
    return join(this.#pods, uid, 'volumes', CSI, name);
  }

  async write(uid: string, name: string, record: VolumeRecord): Promise<void> {
    await writeRecord(join(this.dir(uid, name), FILE), record);
  }

  async remove(uid: string, name: string): Promise<void> {
    await rm(this.dir(uid, name), { recursive: true, force: true });
  }

  /** The volumes of a pod, by name. */
  async of(uid: string): Promise<Map<string, VolumeRecord>> {
    const found = new Map<string, VolumeRecord>();
    for (const name of await names(join(this.#pods, uid, 'volumes', CSI))) {
      const record = await readRecord<VolumeRecord>(join(this.dir(uid, name), FILE));
      if (record !== undefined) found.set(name, record);
    }
    return found;
  }

  /** Those of all pods. */
  async all(): Promise<VolumeRecord[]> {
    const found: VolumeRecord[] = [];
    for (const uid of await names(this.#pods)) found.push(...(await this.of(uid)).values());
    return found;
  }
}

/** What was staged on the node. */
export interface StagedRecord {
  readonly driver: string;
  readonly handle: string;
}

/** Beside the path at which the driver stages the volume. */
const stagedFile = (path: string) => join(dirname(path), FILE);

export const writeStaged = (path: string, record: StagedRecord) => writeRecord(stagedFile(path), record);

export const readStaged = (path: string) => readRecord<StagedRecord>(stagedFile(path));

export const removeStaged = (path: string) => rm(dirname(path), { recursive: true, force: true });

async function writeRecord(path: string, record: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await writeFile(path, JSON.stringify(record), { flush: true });
}

async function readRecord<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Cut short by a crash: nothing was asked of the driver before it was whole.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The names in a folder. */
export const names = (dir: string) => readdir(dir).catch(() => [] as string[]);
