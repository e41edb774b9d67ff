import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/random.ts';
import type { StorageOfTest } from '../contract.ts';
import type { Operation } from '../storage.ts';
import { expectAtomic, expectOrdered, expectReliable, expectResumable, expectUnique, Recorder } from './history.ts';
import { putOf, write } from './operations.ts';

const ALL = { key: 'a', end: 'z' };
const WRITERS = 16;
const WRITES_EACH = 60;

export function concurrencyContract(current: StorageOfTest): void {
  describe('many writers and watchers at once', () => {
    it.each([1, 2, 3])('keep every guarantee (seed %i)', async (seed) => {
      const { storage } = current();
      const random = new SeededRandom(seed);
      const start = await storage.revision();
      const records = [new Recorder(storage, ALL)];
      const revisions: number[] = [];
      const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        for (let i = 0; i < WRITES_EACH; i++) {
          const { revision } = await write(storage, ...operations(random, `${writer}.${i}`));
          if (revision > start) revisions.push(revision);
          // Watches begin at any time and at any point of the past.
          if (random.integer(40) === 0) {
            const startRevision = start + 1 + random.integer((await storage.revision()) - start + 1);
            records.push(new Recorder(storage, { ...ALL, startRevision }));
          }
        }
      });
      await Promise.all(writers);
      const [first] = records as [Recorder];
      const last = await storage.revision();
      expect(Math.max(...revisions)).toBe(last);
      for (const record of records) {
        storage.requestProgress();
        await record.reaches(last);
        expectOrdered(record);
        expectUnique(record);
        expectAtomic(record);
        const tail = first.told.slice(first.told.length - record.told.length);
        expect(record.told).toEqual(tail);
      }
      await expectReliable(first, storage, ALL);
      for (let i = 0; i < 5; i++) await expectResumable(first, storage, ALL, random.integer(first.events.length));
      for (const record of records) record.watch.close();
    });
  });
}

/** One to three puts or deletions of different keys. */
function operations(random: SeededRandom, value: string): Operation[] {
  const keys = new Set(Array.from({ length: 1 + random.integer(3) }, () => `k${random.integer(30)}`));
  return [...keys].map((key) => (random.integer(4) === 0 ? { op: 'delete', key } : putOf(key, value)));
}
