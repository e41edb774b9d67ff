import { describe, expect, it } from 'vitest';
import type { StorageOfTest } from '../contract.ts';
import type { StorageEvent } from '../storage.ts';
import { Recorder } from './history.ts';
import { bytes, put, putOf, remove, write } from './operations.ts';

const ALL = { key: 'a', end: 'z' };

export function watchContract(current: StorageOfTest): void {
  describe('watches', () => {
    it('tell of puts and deletions in their range', async () => {
      const { storage } = current();
      const record = new Recorder(storage, { key: 'a/', end: 'a0' });
      await put(storage, 'a/1', '1');
      await put(storage, 'b', '1');
      await remove(storage, 'a/1');
      await record.until((r) => r.events.length === 2);
      record.watch.close();
      expect(record.told).toEqual(['put a/1=1', 'delete a/1']);
      expect(record.events[1]?.kv).toMatchObject({ key: 'a/1', value: bytes('') });
      expect(record.events[1]?.kv.modRevision).toBe(await storage.revision());
    });

    it('tell of a single key', async () => {
      const { storage } = current();
      const record = new Recorder(storage, { key: 'a' });
      await write(storage, putOf('a', '1'), putOf('aa', '1'), putOf('Z', '1'));
      await record.until((r) => r.events.length === 1);
      record.watch.close();
      expect(record.told).toEqual(['put a=1']);
    });

    it('begin in the past and go on into the present without a gap', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      for (let i = 2; i <= 50; i++) await put(storage, 'a', String(i));
      const record = new Recorder(storage, { ...ALL, startRevision: revision });
      const writing = Array.from({ length: 50 }, (_, i) => put(storage, 'a', String(51 + i)));
      const revisions = (await Promise.all(writing)).map((r) => r.revision);
      await record.until((r) => r.events.length === 100);
      record.watch.close();
      expect(record.told.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => `put a=${i + 1}`));
      // They may have been done in any order, but the watch tells of them in theirs.
      const order = revisions.map((at, i) => ({ at, told: `put a=${51 + i}` })).sort((a, b) => a.at - b.at);
      expect(record.told.slice(50)).toEqual(order.map((o) => o.told));
    });

    it('tell of a long past', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', 'first');
      const writes = Array.from({ length: 2500 }, (_, i) => write(storage, putOf(`k${i}`, 'x'), putOf(`l${i}`, 'x')));
      await Promise.all(writes);
      const record = new Recorder(storage, { ...ALL, startRevision: revision + 1 });
      await record.until((r) => r.events.length === 5000);
      record.watch.close();
      expect(new Set(record.events.map((e) => e.kv.key)).size).toBe(5000);
    });

    it('may begin in the future', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '0');
      const record = new Recorder(storage, { ...ALL, startRevision: revision + 3 });
      for (const value of ['1', '2', '3', '4']) await put(storage, 'a', value);
      await record.until((r) => r.events.length === 2);
      record.watch.close();
      expect(record.told).toEqual(['put a=3', 'put a=4']);
    });

    it('tell of the state before where that is asked for, and only then', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      const live = new Recorder(storage, { ...ALL, previous: true });
      const bare = new Recorder(storage, ALL);
      await put(storage, 'a', '2');
      await remove(storage, 'a');
      const past = new Recorder(storage, { ...ALL, previous: true, startRevision: revision });
      await live.until((r) => r.events.length === 2);
      await bare.until((r) => r.events.length === 2);
      await past.until((r) => r.events.length === 3);
      for (const r of [live, bare, past]) r.watch.close();
      expect(live.events.map((e) => e.previous?.value.toString())).toEqual(['1', '2']);
      expect(past.events.map((e) => e.previous?.value.toString())).toEqual([undefined, '1', '2']);
      expect(bare.events.map((e) => e.previous)).toEqual([undefined, undefined]);
    });

    it('hear of a write no later than its writer', async () => {
      const { storage } = current();
      if (storage.liveRevision === undefined) return;
      const record = new Recorder(storage, ALL);
      for (let i = 0; i < 20; i++) {
        const { revision } = await put(storage, 'a', String(i));
        expect(record.events.at(-1)?.kv.modRevision).toBe(revision);
        expect(storage.liveRevision).toBe(revision);
      }
      record.watch.close();
    });

    it('report progress though nothing of theirs happened', async () => {
      const { storage } = current();
      const record = new Recorder(storage, { key: 'a' });
      const { revision } = await put(storage, 'b', '1');
      storage.requestProgress();
      await record.reaches(revision);
      record.watch.close();
      expect(record.events).toEqual([]);
    });

    it('report progress only behind the events', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '0');
      const writes = Array.from({ length: 3000 }, (_, i) => put(storage, 'a', String(i)));
      await Promise.all(writes);
      const record = new Recorder(storage, { ...ALL, startRevision: revision });
      storage.requestProgress();
      await record.until((r) => r.progress.length > 0);
      record.watch.close();
      expect(record.events.length).toBe(3001);
    });

    it('say nothing once closed', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      const live = new Recorder(storage, ALL);
      const past = new Recorder(storage, { ...ALL, startRevision: revision });
      live.watch.close();
      past.watch.close();
      await put(storage, 'a', '2');
      storage.requestProgress();
      await put(storage, 'a', '3');
      await storage.close();
      for (const r of [live, past]) expect([r.events, r.progress, r.end]).toEqual([[], [], undefined]);
    });

    it('may be closed and opened while events are handed out', async () => {
      const { storage } = current();
      const seen: string[] = [];
      let inner: Recorder | undefined;
      const told = Promise.withResolvers<void>();
      const values = (events: readonly StorageEvent[]) => events.map((e) => e.kv.value.toString());
      const watch = storage.watch(ALL, {
        onEvents: (events, revision) => {
          seen.push(...values(events));
          watch.close();
          const startRevision = revision + 1;
          inner = new Recorder(storage, { ...ALL, startRevision });
          told.resolve();
        },
        onEnd: () => told.reject(new Error('the watch ended')),
      });
      await put(storage, 'a', '1');
      await told.promise;
      await put(storage, 'a', '2');
      await put(storage, 'a', '3');
      await inner?.until((r) => r.events.length === 2);
      inner?.watch.close();
      expect(seen).toEqual(['1']);
      expect(inner?.told).toEqual(['put a=2', 'put a=3']);
    });

    it('end when the store closes', async () => {
      const { storage } = current();
      const record = new Recorder(storage, ALL);
      const writing = put(storage, 'a', '1');
      await storage.close();
      await writing;
      expect(record.told).toEqual(['put a=1']);
      expect(record.end).toEqual({ closed: true });
      const late = new Recorder(storage, ALL);
      await late.until((r) => r.end !== undefined);
      expect(late.end).toEqual({ closed: true });
    });
  });
}
