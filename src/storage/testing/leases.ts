import { describe, expect, it } from 'vitest';
import type { StorageOfTest } from '../contract.ts';
import { LeaseNotFoundError } from '../storage.ts';
import { Recorder } from './history.ts';
import { put, read } from './operations.ts';

export function leaseContract(current: StorageOfTest): void {
  describe('leases', () => {
    it('delete their keys when their time is over', async () => {
      const { storage, pass } = current();
      const lease = await storage.leaseGrant(5);
      await put(storage, 'a', '1', lease);
      await put(storage, 'b', '1');
      expect((await storage.range({ key: 'a' })).kvs[0]?.lease).toBe(lease);
      const record = new Recorder(storage, { key: 'a', end: 'z' });
      await pass(4000);
      expect(await read(storage, 'a', 'z')).toEqual({ a: '1', b: '1' });
      await pass(3000);
      await record.until((r) => r.events.length === 1);
      record.watch.close();
      expect(record.told).toEqual(['delete a']);
      expect(await read(storage, 'a', 'z')).toEqual({ b: '1' });
      await expect(storage.leaseKeepAlive(lease)).rejects.toThrow(LeaseNotFoundError);
    });

    it('live on while they are kept alive', async () => {
      const { storage, pass } = current();
      const lease = await storage.leaseGrant(5);
      await put(storage, 'a', '1', lease);
      for (let i = 0; i < 3; i++) {
        await pass(3000);
        expect(await storage.leaseKeepAlive(lease)).toBe(5);
      }
      expect(await read(storage, 'a')).toEqual({ a: '1' });
    });

    it('delete their keys in one revision when they are revoked', async () => {
      const { storage } = current();
      const lease = await storage.leaseGrant(60);
      await put(storage, 'a', '1', lease);
      const { revision } = await put(storage, 'b', '1', lease);
      const record = new Recorder(storage, { key: 'a', end: 'z' });
      await storage.leaseRevoke(lease);
      await record.until((r) => r.events.length === 2);
      record.watch.close();
      expect(record.events.map((e) => e.kv.modRevision)).toEqual([revision + 1, revision + 1]);
      await expect(storage.leaseRevoke(lease)).rejects.toThrow(LeaseNotFoundError);
      await expect(put(storage, 'a', '1', lease)).rejects.toThrow(LeaseNotFoundError);
    });

    it('hold a key only as long as its last write says so', async () => {
      const { storage } = current();
      const first = await storage.leaseGrant(60);
      const second = await storage.leaseGrant(60);
      expect(second).not.toBe(first);
      await put(storage, 'free', '1', first);
      await put(storage, 'moved', '1', first);
      await put(storage, 'free', '2');
      await put(storage, 'moved', '2', second);
      await storage.leaseRevoke(first);
      expect(await read(storage, 'a', 'z')).toEqual({ free: '2', moved: '2' });
      await storage.leaseRevoke(second);
      expect(await read(storage, 'a', 'z')).toEqual({ free: '2' });
    });

    it('last at least a second', async () => {
      const { storage } = current();
      await expect(storage.leaseGrant(0)).rejects.toThrow();
    });
  });
}
