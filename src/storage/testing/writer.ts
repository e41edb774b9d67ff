/**
 * A process that writes to a store and says on standard output what was acknowledged, to be killed
 * while it does so. Each line is a JSON Acknowledgement.
 */
import { writeSync } from 'node:fs';
import { SystemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { SeededRandom } from '../../lib/random.ts';
import { openEmbedded } from '../embedded/open.ts';

export interface Acknowledgement {
  readonly revision: number;
  /** the value that each key was given; null where it was deleted */
  readonly keys: Record<string, string | null>;
}

const WRITERS = 8;

const [dir = '', seed = '0'] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const storage = await openEmbedded({ dir, clock: new SystemClock(), log: silentLogger });

async function write(writer: number): Promise<void> {
  for (let i = 0; ; i++) {
    const keys: Record<string, string | null> = {};
    for (let n = 1 + random.integer(3); n > 0; n--) {
      const value = `${seed}.${writer}.${i}:${'x'.repeat(random.integer(3000))}`;
      keys[`k${random.integer(50)}`] = random.integer(5) === 0 ? null : value;
    }
    const before = await storage.revision();
    const { revision } = await storage.txn({
      compare: [],
      success: Object.entries(keys).map(([key, value]) =>
        value === null ? { op: 'delete', key } : { op: 'put', key, value: Buffer.from(value) },
      ),
      failure: [],
    });
    const acknowledgement: Acknowledgement = { revision, keys };
    // A transaction that deleted nothing has no revision of its own.
    if (revision > before && Object.values(keys).some((v) => v !== null)) {
      writeSync(1, `${JSON.stringify(acknowledgement)}\n`);
    }
    if (writer === 0 && i % 40 === 39) await storage.compact(revision - 100).catch(() => {});
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
