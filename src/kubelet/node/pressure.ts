/**
 * Whether the node runs short of something.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-conditions
 */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** What there is and what is left of it. */
export interface Amounts {
  readonly memoryAvailableBytes: number;
  readonly disk: Share;
  readonly inodes: Share;
  readonly processes: Share;
}

interface Share {
  readonly available: number;
  readonly total: number;
}

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly processes: boolean;
}

/** Less memory than this is too little. */
const MIN_MEMORY_BYTES = 100 << 20;
/**
 * Kubernetes' own thresholds are a tenth of a disk and a twentieth of its inodes; on a machine that is
 * not only a node, disks are often as full as that while there is room for much.
 */
const MIN_SHARE = 0.01;

export function pressureOf({ memoryAvailableBytes, disk, inodes, processes }: Amounts): Pressure {
  return {
    memory: memoryAvailableBytes < MIN_MEMORY_BYTES,
    disk: isShort(disk) || isShort(inodes),
    processes: isShort(processes),
  };
}

/** Some file systems do not count their inodes: a total of 0. */
const isShort = ({ available, total }: Share) => total > 0 && available / total < MIN_SHARE;

/** @param dir on the disk where pods' files lie. @throws the file system's error */
export async function amountsOf(dir: string): Promise<Amounts> {
  const disk = await statfs(dir);
  const meminfo = /^MemAvailable:\s+(\d+) kB$/m.exec(read('/proc/meminfo'))?.[1];
  const running = Number(read('/proc/loadavg').split(/[ /]/)[4] ?? 0);
  const most = Number(read('/proc/sys/kernel/pid_max')) || 0;
  return {
    memoryAvailableBytes: meminfo === undefined ? Number.POSITIVE_INFINITY : Number(meminfo) * 1024,
    disk: { available: disk.bavail, total: disk.blocks },
    inodes: { available: disk.ffree, total: disk.files },
    processes: { available: most - running, total: most },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
