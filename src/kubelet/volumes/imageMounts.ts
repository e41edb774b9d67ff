/**
 * Images as volumes: what is in an image, to be read only, mounted by containerd, which holds its layers.
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#image
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isMounted, unmount } from './mounts.ts';
import { VolumeError } from './sources.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

export class ImageMounts {
  readonly #socket: string;
  /** by place, so that two containers that start together mount once */
  readonly #underWay = new Map<string, Promise<void>>();

  /** @param socket containerd's */
  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Mounts an image, which is there, at `dir`; does nothing where that is done. @throws VolumeError */
  async mount(imageId: string, dir: string): Promise<void> {
    const mounting = this.#underWay.get(dir) ?? this.#mount(imageId, dir).finally(() => this.#underWay.delete(dir));
    this.#underWay.set(dir, mounting);
    await mounting;
  }

  async #mount(imageId: string, dir: string): Promise<void> {
    if (isMounted(dir)) return;
    await mkdir(dir, { recursive: true, mode: 0o750 });
    // What a mount that was lost with the machine's memory left behind is in the way.
    await this.#ctr('unmount', '--rm', dir).catch(() => {});
    await this.#ctr('mount', imageId, dir);
  }

  /** Gives back all images that are mounted in the folders within `parent`. @throws VolumeError */
  async unmountAll(parent: string): Promise<void> {
    for (const name of await readdir(parent).catch(() => [])) {
      const dir = join(parent, name);
      await unmount(dir);
      await this.#ctr('unmount', '--rm', dir);
    }
    await rm(parent, { recursive: true, force: true });
  }

  async #ctr(...args: string[]): Promise<void> {
    const all = ['--address', this.#socket, '--namespace', 'k8s.io', 'images', ...args];
    try {
      await run('ctr', all, { timeout: TIMEOUT_MS });
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new VolumeError(`ctr images ${args[0]} failed: ${stderr.trim() || message}`);
    }
  }
}
