/** What was acknowledged survives kill -9 at any moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SystemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { SeededRandom } from '../../lib/random.ts';
import type { Storage } from '../storage.ts';
import { Recorder } from '../testing/history.ts';
import type { Acknowledgement } from '../testing/writer.ts';
import { openEmbedded } from './open.ts';

const ROUNDS = 8;
const WRITER = join(import.meta.dirname, '../testing/writer.ts');
const ALL = { key: 'a', end: 'z' };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-crash-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a writer until it has said so many acknowledgements, then kills it. */
async function writeAndKill(seed: number, lines: number): Promise<Acknowledgement[]> {
  const child = spawn(process.execPath, [WRITER, dir, String(seed)], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const said: Acknowledgement[] = [];
    for await (const line of createInterface(child.stdout)) {
      // The last line may have been cut off by the kill.
      if (!line.endsWith('}}')) break;
      said.push(JSON.parse(line));
      if (said.length === lines) child.kill('SIGKILL');
    }
    return said;
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function oldestKept(storage: Storage): Promise<number> {
  const probe = new Recorder(storage, { ...ALL, startRevision: 1 });
  storage.requestProgress();
  await probe.until((r) => r.end !== undefined || r.progress.length > 0);
  probe.watch.close();
  return probe.end !== undefined && 'compacted' in probe.end ? probe.end.compacted : 1;
}

it('survives kill -9 at any moment', async () => {
  const random = new SeededRandom(7);
  let acknowledged: Acknowledgement[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const said = await writeAndKill(round, 1 + random.integer(400));
    expect(said.length).toBeGreaterThan(0);
    acknowledged.push(...said);

    const storage = await openEmbedded({ dir, clock: new SystemClock(), log: silentLogger });
    try {
      const head = await storage.revision();
      const from = await oldestKept(storage);
      acknowledged = acknowledged.filter(({ revision }) => revision >= from);
      for (const { revision, keys } of acknowledged) {
        for (const [key, value] of Object.entries(keys)) {
          const { kvs } = await storage.range({ key, revision });
          expect(kvs[0]?.value.toString() ?? null, `${key} at ${revision}`).toBe(value);
        }
      }
      const history = new Recorder(storage, { ...ALL, startRevision: from });
      await history.reaches(head);
      history.watch.close();
      const revisions = new Set(history.events.map((e) => e.kv.modRevision));
      expect([...revisions]).toEqual(Array.from({ length: head - from + 1 }, (_, i) => from + i));
    } finally {
      await storage.close();
    }
  }
});
