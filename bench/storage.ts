/**
 * What the embedded store does: durable writes of 2 KB by 1, 16 and 64 writers, reads, a range over all, opening
 * again. In this process, on the file system of the temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/log.ts';
import { openEmbedded } from '../src/storage/embedded/open.ts';
import { prefixEnd, type Storage } from '../src/storage/storage.ts';
import type { Figure } from './apiserver.ts';

const VALUE = Buffer.alloc(2048, 'x');
const PREFIX = '/registry/pods/';
const KEYS = 20_000;
const READS = 100_000;
/** writers, writes and the goal for them together */
const LOADS = [
  [1, 3_000, ''],
  [16, 30_000, '20000/s'],
  [64, 60_000, '20000/s'],
] as const;

const clock = new SystemClock();
const keyOf = (i: number) => `${PREFIX}default/pod-${i % KEYS}`;

/** @param report is told each figure as it is there */
export async function benchStorage(report: (figure: Figure) => void): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'kubets-bench-storage-'));
  const open = () => openEmbedded({ dir, clock, log: silentLogger });
  try {
    let storage = await open();
    for (const [writers, writes, goal] of LOADS) {
      const perSecond = await measureWrites(storage, writers, writes);
      const value = `${Math.round(perSecond)}/s`;
      report({ what: `durable puts of 2 KB, ${plural(writers, 'writer')}`, value, goal });
      if (writers === 1)
        report({ what: 'latency of one writer', value: `${(1000 / perSecond).toFixed(2)} ms`, goal: '0.4 ms' });
    }
    const compactMs = await timed(async () => storage.compact(await storage.revision()));
    const { count } = await storage.range({ key: PREFIX, end: prefixEnd(PREFIX), countOnly: true });
    report({ what: `compaction to ${count} keys`, value: `${compactMs.toFixed(0)} ms`, goal: '' });

    const getMs = await timed(async () => {
      for (let i = 0; i < READS; i++) await storage.range({ key: keyOf(i * 7919) });
    });
    report({ what: 'get', value: `${((getMs * 1000) / READS).toFixed(1)} us`, goal: '' });
    const rangeMs = await timed(() => storage.range({ key: PREFIX, end: prefixEnd(PREFIX) }));
    const megabytes = Math.round((count * VALUE.length) / 2 ** 20);
    report({ what: `range of ${count} keys, ${megabytes} MB`, value: `${rangeMs.toFixed(0)} ms`, goal: '' });

    await storage.close();
    const openMs = await timed(async () => {
      storage = await open();
    });
    report({ what: `opening with ${count} keys`, value: `${openMs.toFixed(0)} ms`, goal: '' });
    await storage.close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measureWrites(storage: Storage, writers: number, writes: number): Promise<number> {
  let next = 0;
  const ms = await timed(() =>
    Promise.all(
      Array.from({ length: writers }, async () => {
        while (next < writes) {
          const key = keyOf(next++);
          await storage.txn({ compare: [], success: [{ op: 'put', key, value: VALUE }], failure: [] });
        }
      }),
    ),
  );
  return (writes * 1000) / ms;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = clock.monotonic();
  await work();
  return clock.monotonic() - started;
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
