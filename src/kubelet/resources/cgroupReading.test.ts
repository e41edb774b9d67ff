import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCgroup } from './cgroupReading.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-cgroup-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

const EXPECTED = {
  cpuPeriods: 10,
  cpuThrottledPeriods: 4,
  cpuThrottledSeconds: 1.5,
  cacheBytes: 4096,
  memoryFailures: 7,
  oomKills: 1,
  processes: 3,
};

it('reads version 2', () => {
  put({
    'cpu.stat': 'usage_usec 5\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n',
    'memory.stat': 'anon 1\nfile 4096\n',
    'memory.events': 'low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n',
    'pids.current': '3\n',
  });
  expect(readCgroup(() => dir, 2)).toEqual(EXPECTED);
});

it('reads version 1', () => {
  put({
    'cpu/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\n',
    'memory/memory.stat': 'cache 1\ntotal_cache 4096\n',
    'memory/memory.failcnt': '7\n',
    'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'pids/pids.current': '3\n',
  });
  expect(readCgroup((controller) => join(dir, controller), 1)).toEqual(EXPECTED);
});

it('leaves out what it cannot tell', () => {
  expect(readCgroup(() => undefined, 1)).toEqual({});
  put({ 'pids.current': 'max\n' });
  expect(readCgroup(() => dir, 2)).toEqual({});
});
