import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { describeStorageContract } from '../contract.ts';
import { openEmbedded, openInMemory } from './open.ts';

describeStorageContract('embedded', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kubets-storage-'));
  const clock = new VirtualClock();
  const storage = await openEmbedded({ dir, clock, log: silentLogger });
  return {
    storage,
    pass: (ms) => clock.advance(ms),
    async dispose() {
      await storage.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
});

describeStorageContract('in memory', async () => {
  const clock = new VirtualClock();
  const storage = openInMemory({ clock, log: silentLogger });
  return { storage, pass: (ms) => clock.advance(ms), dispose: () => storage.close() };
});
