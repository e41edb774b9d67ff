/** What the kernel says of a cgroup, in either version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupReading {
  readonly cpuPeriods?: number;
  readonly cpuThrottledPeriods?: number;
  readonly cpuThrottledSeconds?: number;
  readonly memoryBytes?: number;
  readonly cacheBytes?: number;
  readonly memoryFailures?: number;
  readonly oomKills?: number;
  readonly processes?: number;
}

const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;

/** @param dir of a cgroup in the controllers' folders, by controller; in version 2 they are the same */
export function readCgroup(dir: (controller: string) => string | undefined, version: 1 | 2): CgroupReading {
  const read = (controller: string, file: string) => {
    const path = dir(controller);
    try {
      return path === undefined ? '' : readFileSync(join(path, file), 'utf8');
    } catch {
      return '';
    }
  };
  const cpu = valuesOf(read('cpu', 'cpu.stat'));
  const memory = valuesOf(read('memory', 'memory.stat'));
  const events = valuesOf(read('memory', version === 2 ? 'memory.events' : 'memory.oom_control'));
  const throttled =
    version === 2 ? scaled(cpu.get('throttled_usec'), US_PER_SECOND) : scaled(cpu.get('throttled_time'), NS_PER_SECOND);
  return withoutUnknown({
    cpuPeriods: cpu.get('nr_periods'),
    cpuThrottledPeriods: cpu.get('nr_throttled'),
    cpuThrottledSeconds: throttled,
    memoryBytes: numberOf(read('memory', version === 2 ? 'memory.current' : 'memory.usage_in_bytes')),
    cacheBytes: memory.get(version === 2 ? 'file' : 'total_cache'),
    memoryFailures: version === 2 ? events.get('max') : numberOf(read('memory', 'memory.failcnt')),
    oomKills: events.get('oom_kill'),
    processes: numberOf(read('pids', 'pids.current')),
  });
}

function valuesOf(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [name = '', value] = line.split(' ');
      return value === undefined ? [] : [[name, Number(value)]];
    }),
  );
}

const numberOf = (text: string) => (/^\d+/.test(text) ? Number.parseInt(text, 10) : undefined);
const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : value / by);

function withoutUnknown(values: { [K in keyof CgroupReading]: number | undefined }): CgroupReading {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
