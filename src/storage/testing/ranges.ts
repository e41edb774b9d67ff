import { describe, expect, it } from 'vitest';
import type { StorageOfTest } from '../contract.ts';
import { FutureRevisionError } from '../storage.ts';
import { put, putOf, read, remove, write } from './operations.ts';

export function rangeContract(current: StorageOfTest): void {
  describe('ranges', () => {
    it('begins empty at some revision', async () => {
      const { storage } = current();
      const response = await storage.range({ key: 'a', end: 'z' });
      expect(response).toMatchObject({ kvs: [], count: 0, more: false });
      expect(response.revision).toBe(await storage.revision());
    });

    it('gives a key with its revisions and version', async () => {
      const { storage } = current();
      const first = await put(storage, 'a', '1');
      const second = await put(storage, 'a', '2');
      const { kvs, revision } = await storage.range({ key: 'a' });
      expect(revision).toBe(second.revision);
      expect(second.revision).toBe(first.revision + 1);
      expect(kvs).toEqual([
        {
          key: 'a',
          value: Buffer.from('2'),
          createRevision: first.revision,
          modRevision: second.revision,
          version: 2,
          lease: 0,
        },
      ]);
    });

    it('counts versions anew after a deletion', async () => {
      const { storage } = current();
      await put(storage, 'a', '1');
      await remove(storage, 'a');
      const { revision } = await put(storage, 'a', '2');
      const { kvs } = await storage.range({ key: 'a' });
      expect(kvs[0]).toMatchObject({ createRevision: revision, modRevision: revision, version: 1 });
    });

    it('is ascending, with the end left out', async () => {
      const { storage } = current();
      for (const key of ['b', 'a/2', 'a/1', 'a0', 'a']) await put(storage, key, key);
      expect(Object.keys(await read(storage, 'a/', 'a0'))).toEqual(['a/1', 'a/2']);
      expect(Object.keys(await read(storage, 'a', 'b'))).toEqual(['a', 'a/1', 'a/2', 'a0']);
    });

    it('orders keys by their bytes in UTF-8', async () => {
      const { storage } = current();
      const keys = ['a', 'ä', '\uff5e', '\u{1f600}', 'z'];
      for (const key of keys) await put(storage, key, '');
      const { kvs } = await storage.range({ key: 'a', end: '\u{10ffff}' });
      const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(kvs.map((kv) => kv.key)).toEqual(byBytes);
      const { count } = await storage.range({ key: '\uff5e', end: '\u{1f600}', countOnly: true });
      expect(count).toBe(1);
    });

    it('limits, and still counts all', async () => {
      const { storage } = current();
      await write(storage, ...['a', 'b', 'c', 'd'].map((key) => putOf(key, key)));
      const response = await storage.range({ key: 'a', end: 'd', limit: 2 });
      expect(response.kvs.map((kv) => kv.key)).toEqual(['a', 'b']);
      expect(response).toMatchObject({ count: 3, more: true });
      expect(await storage.range({ key: 'a', end: 'd', limit: 3 })).toMatchObject({ count: 3, more: false });
    });

    it('gives keys only, or the count only', async () => {
      const { storage } = current();
      await write(storage, putOf('a', '1'), putOf('b', '2'));
      const keys = await storage.range({ key: 'a', end: 'z', keysOnly: true });
      expect(keys.kvs.map((kv) => [kv.key, kv.value.length])).toEqual([
        ['a', 0],
        ['b', 0],
      ]);
      expect(await storage.range({ key: 'a', end: 'z', countOnly: true })).toMatchObject({
        kvs: [],
        count: 2,
        more: false,
      });
    });

    it('reads the past', async () => {
      const { storage } = current();
      const one = await write(storage, putOf('a', '1'), putOf('b', '1'));
      const two = await put(storage, 'a', '2');
      const three = await remove(storage, 'b');
      const four = await put(storage, 'c', '4');
      expect(await read(storage, 'a', 'z', one.revision)).toEqual({ a: '1', b: '1' });
      expect(await read(storage, 'a', 'z', two.revision)).toEqual({ a: '2', b: '1' });
      expect(await read(storage, 'a', 'z', three.revision)).toEqual({ a: '2' });
      expect(await read(storage, 'a', 'z', four.revision)).toEqual({ a: '2', c: '4' });
      const past = await storage.range({ key: 'a', revision: one.revision });
      expect(past.revision).toBe(four.revision);
    });

    it('does not read the future', async () => {
      const { storage } = current();
      const { revision } = await put(storage, 'a', '1');
      await expect(storage.range({ key: 'a', revision: revision + 1 })).rejects.toThrow(FutureRevisionError);
    });

    it('holds values of any bytes and sizes', async () => {
      const { storage } = current();
      for (const size of [0, 1, 2000, 2048, 4096, 70_000, 1_400_000]) {
        const value = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255));
        await write(storage, { op: 'put', key: `size/${size}`, value });
        const { kvs } = await storage.range({ key: `size/${size}` });
        expect(kvs[0]?.value.equals(value), `${size} bytes`).toBe(true);
      }
    });
  });
}
