import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { startCompactor } from './compactor.ts';
import { openEmbedded } from './embedded/open.ts';
import { put, read } from './testing/operations.ts';

it('keeps between one and two intervals of history', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kubets-compactor-'));
  const clock = new VirtualClock();
  const storage = await openEmbedded({ dir, clock, log: silentLogger });
  const stop = new AbortController();
  try {
    const { revision } = await put(storage, 'a', '1');
    await put(storage, 'a', '2');
    startCompactor({ storage, clock, log: silentLogger, signal: stop.signal, intervalMs: 1000 });
    await clock.advance(900);
    const { revision: late } = await put(storage, 'a', '3');
    await put(storage, 'a', '4');
    // The compaction itself takes real time, and the next interval begins behind it.
    const compacted = (at: number) =>
      vi.waitFor(async () => {
        await clock.advance(200);
        await expect(storage.range({ key: 'a', revision: at })).rejects.toThrow('compacted');
      });
    await compacted(revision);
    expect(await read(storage, 'a', undefined, late)).toEqual({ a: '3' });
    await compacted(late);
    expect(await read(storage, 'a')).toEqual({ a: '4' });
  } finally {
    stop.abort();
    await storage.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
