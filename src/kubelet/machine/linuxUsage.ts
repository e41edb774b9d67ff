/** What the machine uses: from /proc, which all Linux systems have. */
import { readFile, statfs } from 'node:fs/promises';
import type { MachineReading } from '../stats/reading.ts';

/** Ticks of /proc/stat, on all architectures that Linux runs on by now. */
const TICKS_PER_SECOND = 100;
const NS_PER_SECOND = 1e9;
const BYTES_PER_KB = 1024;
/** user, nice, system, irq, softirq and steal, of the fields of the line `cpu`; idle and waiting are no use. */
const BUSY = [0, 1, 2, 5, 6, 7];

/** @param dir on the disk where pods' files lie. @throws the file system's error */
export async function linuxUsage(dir: string): Promise<MachineReading> {
  const [stat, meminfo, disk] = await Promise.all([
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/meminfo', 'utf8'),
    statfs(dir),
  ]);
  const block = disk.bsize;
  return {
    ...cpuOf(stat),
    ...memoryOf(meminfo),
    disk: {
      capacityBytes: disk.blocks * block,
      availableBytes: disk.bavail * block,
      inodes: disk.files,
      inodesFree: disk.ffree,
    },
  };
}

/** @param stat the text of /proc/stat */
export function cpuOf(stat: string): Pick<MachineReading, 'cpuNanoseconds' | 'startedAt'> {
  const fields = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const ticks = BUSY.reduce((sum, i) => sum + (fields[i] ?? 0), 0);
  const booted = Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0);
  return { cpuNanoseconds: (ticks / TICKS_PER_SECOND) * NS_PER_SECOND, startedAt: booted * 1000 };
}

/** @param meminfo the text of /proc/meminfo. Files that were not used for a while can be let go of at any time. */
export function memoryOf(meminfo: string): Pick<MachineReading, 'usageBytes' | 'workingSetBytes' | 'availableBytes'> {
  const bytes = new Map<string, number>();
  for (const line of meminfo.split('\n')) {
    const [name = '', rest = ''] = line.split(':');
    bytes.set(name, Number.parseInt(rest, 10) * BYTES_PER_KB || 0);
  }
  const of = (name: string) => bytes.get(name) ?? 0;
  const usageBytes = of('MemTotal') - of('MemFree');
  const workingSetBytes = Math.max(0, usageBytes - of('Inactive(file)'));
  return { usageBytes, workingSetBytes, availableBytes: of('MemTotal') - workingSetBytes };
}
