import { describe, expect, it } from 'vitest';
import type { StorageOfTest } from '../contract.ts';
import { FutureRevisionError, LeaseNotFoundError, type Storage } from '../storage.ts';
import { bytes, put, putOf, read, remove, write } from './operations.ts';

export function transactionContract(current: StorageOfTest): void {
  describe('transactions', () => {
    it('share one revision among all their writes', async () => {
      const { storage } = current();
      await put(storage, 'c', '0');
      const { revision } = await write(storage, putOf('a', '1'), putOf('b', '1'), { op: 'delete', key: 'c' });
      const { kvs } = await storage.range({ key: 'a', end: 'z' });
      expect(kvs.map((kv) => [kv.key, kv.modRevision])).toEqual([
        ['a', revision],
        ['b', revision],
      ]);
      expect((await put(storage, 'd', '1')).revision).toBe(revision + 1);
    });

    it('compare with what is there and take one side', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      const compareAndSwap = (equals: number) =>
        storage.txn({
          compare: [{ key: 'a', target: 'modRevision', equals }],
          success: [putOf('a', '2')],
          failure: [{ op: 'range', key: 'a' }],
        });
      const won = await compareAndSwap(revision);
      expect(won).toMatchObject({ succeeded: true, revision: revision + 1 });
      const lost = await compareAndSwap(revision);
      expect(lost).toMatchObject({ succeeded: false, revision: revision + 1 });
      expect(lost.responses[0]).toMatchObject({ op: 'range', count: 1 });
      expect(await read(storage, 'a')).toEqual({ a: '2' });
    });

    it('compare create revision and version, of absent keys too', async () => {
      const { storage } = current();
      const create = () =>
        storage.txn({
          compare: [
            { key: 'a', target: 'modRevision', equals: 0 },
            { key: 'a', target: 'createRevision', equals: 0 },
            { key: 'a', target: 'version', equals: 0 },
          ],
          success: [putOf('a', '1')],
          failure: [],
        });
      const { succeeded, revision } = await create();
      expect(succeeded).toBe(true);
      expect((await create()).succeeded).toBe(false);
      await put(storage, 'a', '2');
      const both = await storage.txn({
        compare: [
          { key: 'a', target: 'createRevision', equals: revision },
          { key: 'a', target: 'version', equals: 2 },
        ],
        success: [{ op: 'delete', key: 'a' }],
        failure: [],
      });
      expect(both.succeeded).toBe(true);
      expect((await create()).succeeded).toBe(true);
    });

    it('answer what was there before', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      await put(storage, 'b', '1');
      const asked = { previous: true };
      const { responses } = await write(
        storage,
        { ...putOf('a', '2'), ...asked },
        { ...putOf('c', '2'), ...asked },
        { op: 'delete', key: 'b', ...asked },
      );
      const previous = { key: 'a', value: bytes('1'), modRevision: revision, version: 1 };
      expect(responses[0]).toMatchObject({ op: 'put', previous });
      expect(responses[1]).toEqual({ op: 'put', previous: undefined });
      expect(responses[2]).toMatchObject({ op: 'delete', deleted: 1, previous: [{ key: 'b', value: bytes('1') }] });
      const bare = await write(storage, putOf('a', '3'), { op: 'delete', key: 'c' });
      expect(bare.responses).toEqual([
        { op: 'put', previous: undefined },
        { op: 'delete', deleted: 1, previous: [] },
      ]);
    });

    it('delete ranges, and move no revision where there is nothing to delete', async () => {
      const { storage } = current();
      await write(storage, putOf('a/1', ''), putOf('a/2', ''), putOf('b', ''));
      const { responses, revision } = await write(storage, { op: 'delete', key: 'a/', end: 'a0', previous: true });
      expect(responses[0]).toMatchObject({ op: 'delete', deleted: 2, previous: [{ key: 'a/1' }, { key: 'a/2' }] });
      expect((await remove(storage, 'a/', 'a0')).revision).toBe(revision);
      expect(await read(storage, 'a', 'z')).toEqual({ b: '' });
    });

    it('see their own earlier writes', async () => {
      const { storage } = current();
      const { responses } = await write(storage, { op: 'range', key: 'a' }, putOf('a', '1'), { op: 'range', key: 'a' });
      expect(responses[0]).toMatchObject({ op: 'range', count: 0 });
      expect(responses[2]).toMatchObject({ op: 'range', count: 1 });
    });

    it('refuse to write a key twice, and then change nothing', async () => {
      const { storage } = current();
      const before = await storage.revision();
      await expect(write(storage, putOf('a', '1'), putOf('a', '2'))).rejects.toThrow();
      await expect(write(storage, putOf('a', '1'), { op: 'delete', key: 'a', end: 'b' })).rejects.toThrow();
      await expect(write(storage, { op: 'delete', key: 'a', end: 'b' }, putOf('a', '1'))).rejects.toThrow();
      await expect(write(storage, putOf('', '1'))).rejects.toThrow();
      expect(await storage.revision()).toBe(before);
      expect(await read(storage, 'a')).toEqual({});
    });

    it('change nothing where a later operation is wrong', async () => {
      const { storage } = current();
      const before = await storage.revision();
      await expect(write(storage, putOf('a', '1'), putOf('b', '1', 4711))).rejects.toThrow(LeaseNotFoundError);
      const future = { op: 'range', key: 'a', revision: before + 100 } as const;
      await expect(write(storage, putOf('a', '1'), future)).rejects.toThrow(FutureRevisionError);
      expect(await read(storage, 'a', 'z')).toEqual({});
      expect((await put(storage, 'c', '1')).revision).toBe(before + 1);
    });

    it('are evaluated one after the other, however many come at once', async () => {
      const { storage } = current();
      await put(storage, 'counter', '0');
      const increments = Array.from({ length: 20 }, () => increment(storage));
      await Promise.all(increments);
      expect(await read(storage, 'counter')).toEqual({ counter: '20' });
    });
  });
}

async function increment(storage: Storage): Promise<void> {
  for (;;) {
    const { kvs } = await storage.range({ key: 'counter' });
    const { succeeded } = await storage.txn({
      compare: [{ key: 'counter', target: 'modRevision', equals: kvs[0]?.modRevision ?? 0 }],
      success: [putOf('counter', String(Number(kvs[0]?.value) + 1))],
      failure: [],
    });
    if (succeeded) return;
  }
}
