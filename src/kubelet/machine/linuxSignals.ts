/** What this machine has left, as the signals of evictions. */
import { readFile, statfs } from 'node:fs/promises';
import type { Observation, Observations } from '../eviction/pressure.ts';
import type { Signal } from '../eviction/thresholds.ts';
import { memoryOf } from './linuxUsage.ts';

/**
 * @param dir on the disk where pods' files lie
 * @param imagesDir on the disk where images lie; what cannot be looked at is left out
 */
export async function observeLinux(dir: string, imagesDir: string | undefined): Promise<Observations> {
  const [meminfo, loadavg, pidMax, threadsMax, node, images] = await Promise.all([
    read('/proc/meminfo'),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
    read('/proc/sys/kernel/threads-max'),
    statfs(dir).catch(() => undefined),
    imagesDir === undefined ? undefined : statfs(imagesDir).catch(() => undefined),
  ]);
  const found = new Map<Signal, Observation>();
  if (meminfo !== '') {
    const { availableBytes, workingSetBytes } = memoryOf(meminfo);
    found.set('memory.available', { available: availableBytes, capacity: availableBytes + workingSetBytes });
  }
  for (const [name, fs] of [
    ['nodefs', node],
    ['imagefs', images],
  ] as const) {
    if (fs === undefined) continue;
    found.set(`${name}.available`, { available: fs.bavail * fs.bsize, capacity: fs.blocks * fs.bsize });
    // Some file systems do not count their inodes.
    if (fs.files > 0) found.set(`${name}.inodesFree`, { available: fs.ffree, capacity: fs.files });
  }
  const most = Math.min(...[pidMax, threadsMax].map(Number).filter((n) => n > 0));
  const running = Number(/\/(\d+) /.exec(loadavg)?.[1]);
  if (Number.isFinite(most) && running > 0)
    found.set('pid.available', { available: Math.max(0, most - running), capacity: most });
  return found;
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
