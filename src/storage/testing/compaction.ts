import { describe, expect, it } from 'vitest';
import type { StorageOfTest } from '../contract.ts';
import { CompactedError, FutureRevisionError } from '../storage.ts';
import { Recorder } from './history.ts';
import { put, putOf, read, remove, write } from './operations.ts';

export function compactionContract(current: StorageOfTest): void {
  describe('compaction', () => {
    it('forgets what is below it and keeps what is at it', async () => {
      const { storage } = current();
      const one = await write(storage, putOf('a', '1'), putOf('b', '1'));
      const two = await put(storage, 'a', '2');
      const three = await remove(storage, 'b');
      await storage.compact(two.revision);
      await expect(storage.range({ key: 'a', revision: one.revision })).rejects.toThrow(CompactedError);
      expect(await read(storage, 'a', 'z', two.revision)).toEqual({ a: '2', b: '1' });
      expect(await read(storage, 'a', 'z', three.revision)).toEqual({ a: '2' });
      expect(await read(storage, 'a', 'z')).toEqual({ a: '2' });
    });

    it('happens once for a revision, and not for the future', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      await put(storage, 'a', '2');
      await storage.compact(revision);
      await expect(storage.compact(revision)).rejects.toThrow(CompactedError);
      await expect(storage.compact(revision - 1)).rejects.toThrow(CompactedError);
      await expect(storage.compact(revision + 2)).rejects.toThrow(FutureRevisionError);
      await storage.compact(revision + 1);
    });

    it('never gives a revision out again, even where everything was deleted', async () => {
      const { storage } = current();
      await put(storage, 'a', '1');
      const { revision } = await remove(storage, 'a');
      await storage.compact(revision);
      expect((await put(storage, 'a', '2')).revision).toBe(revision + 1);
      expect((await storage.range({ key: 'a' })).kvs[0]).toMatchObject({ version: 1, createRevision: revision + 1 });
    });

    it('ends watches from below it and lets those from it go on', async () => {
      const { storage } = current();
      const one = await put(storage, 'a', '1');
      const two = await put(storage, 'b', '2');
      await put(storage, 'a', '3');
      await storage.compact(two.revision);
      const below = new Recorder(storage, { key: 'a', end: 'z', startRevision: one.revision });
      await below.until((r) => r.end !== undefined);
      expect(below.end).toEqual({ compacted: two.revision });
      expect(below.events).toEqual([]);
      const at = new Recorder(storage, { key: 'a', end: 'z', startRevision: two.revision });
      await at.until((r) => r.events.length === 2);
      expect(at.told).toEqual(['put b=2', 'put a=3']);
      at.watch.close();
    });

    it('keeps a deletion that happened at it for watches', async () => {
      const { storage } = current();
      await put(storage, 'a', '1');
      const { revision } = await remove(storage, 'a');
      await storage.compact(revision);
      const record = new Recorder(storage, { key: 'a', end: 'z', startRevision: revision });
      await record.until((r) => r.events.length === 1);
      expect(record.told).toEqual(['delete a']);
      record.watch.close();
    });

    it('leaves open watches alone', async () => {
      const { storage } = current();
      const record = new Recorder(storage, { key: 'a', end: 'z' });
      await put(storage, 'a', '1');
      const { revision } = await put(storage, 'a', '2');
      await record.until((r) => r.events.length === 2);
      await storage.compact(revision);
      await put(storage, 'a', '3');
      await record.until((r) => r.events.length === 3);
      expect(record.end).toBeUndefined();
      record.watch.close();
    });
  });
}
