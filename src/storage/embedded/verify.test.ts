import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { SeededRandom } from '../../lib/random.ts';
import type { Storage } from '../storage.ts';
import { put, remove } from '../testing/operations.ts';
import { openEmbedded } from './open.ts';
import { verifyDatabaseFile } from './verify.ts';

let dir: string;
let storage: Storage;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-verify-'));
  storage = await openEmbedded({ dir, clock: new VirtualClock(), log: silentLogger });
});
afterEach(async () => {
  await storage.close();
  rmSync(dir, { recursive: true, force: true });
});

const file = () => join(dir, 'data.mdb');

it.each([1, 2, 3])('finds nothing wrong with any state that the store leaves (seed %i)', async (seed) => {
  const random = new SeededRandom(seed);
  for (let round = 0; round < 25; round++) {
    const writes = Array.from({ length: 1 + random.integer(80) }, () => {
      const key = `key/${random.integer(200)}`;
      if (random.integer(8) === 0) return storage.leaseGrant(1 + random.integer(100_000));
      return random.integer(4) === 0 ? remove(storage, key) : put(storage, key, 'x'.repeat(random.integer(12_000)));
    });
    await Promise.all(writes);
    if (random.integer(3) === 0) await storage.compact(await storage.revision()).catch(() => {});
    verifyDatabaseFile(file());
  }
});

it('finds a branch that leads searches astray', async () => {
  await Promise.all(Array.from({ length: 400 }, (_, i) => put(storage, `key/${i}`, 'x'.repeat(100))));
  const damaged = join(dir, 'damaged');
  copyFileSync(file(), damaged);
  const content = readFileSync(damaged);
  let changed = 0;
  for (let page = 2; page * 4096 < content.length; page++) {
    const start = page * 4096;
    const isBranch = content.readUInt16LE(start + 18) === 1;
    if (!isBranch || content.readUInt16LE(start + 20) < 4) continue;
    // The last byte of the revision in the key of the second entry.
    const node = start + 24 + content.readUInt16LE(start + 24 + 2);
    content.writeUInt8(255, node + 8 + 7);
    changed++;
  }
  expect(changed).toBeGreaterThan(0);
  writeFileSync(damaged, content);
  expect(() => verifyDatabaseFile(damaged)).toThrow(/out of order/);
});
