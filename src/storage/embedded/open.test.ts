/** What the store does with a directory that is taken, damaged or full. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { SeededRandom } from '../../lib/random.ts';
import { LeaseNotFoundError, type Storage, StorageUnavailableError } from '../storage.ts';
import { Recorder } from '../testing/history.ts';
import { put, read, remove } from '../testing/operations.ts';
import { openEmbedded } from './open.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-open-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (at = dir, clock = new VirtualClock()) => openEmbedded({ dir: at, clock, log: silentLogger });

async function opened<T>(work: (storage: Storage) => Promise<T>, at = dir): Promise<T> {
  const storage = await open(at);
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

async function refusal(at = dir): Promise<StorageUnavailableError> {
  const error = await open(at).then(
    async (storage) => {
      await storage.close();
      return new Error('it opened');
    },
    (e: Error) => e,
  );
  expect(error).toBeInstanceOf(StorageUnavailableError);
  return error as StorageUnavailableError;
}

describe('opening again', () => {
  it('finds everything, and goes on with the next revision', async () => {
    const { first, last } = await opened(async (storage) => {
      const one = await put(storage, 'a', '1');
      await put(storage, 'b', '1');
      await remove(storage, 'b');
      return { first: one.revision, last: (await put(storage, 'a', '2')).revision };
    });
    await opened(async (storage) => {
      expect(await storage.revision()).toBe(last);
      expect(storage.liveRevision).toBe(last);
      expect(await read(storage, 'a', 'z')).toEqual({ a: '2' });
      expect(await read(storage, 'a', 'z', last - 2)).toEqual({ a: '1', b: '1' });
      const record = new Recorder(storage, { key: 'a', end: 'z', startRevision: first });
      await record.reaches(last);
      expect(record.told).toEqual(['put a=1', 'put b=1', 'delete b', 'put a=2']);
      expect((await put(storage, 'b', '2')).revision).toBe(last + 1);
    });
  });

  it('remembers a compaction', async () => {
    const last = await opened(async (storage) => {
      await put(storage, 'a', '1');
      const { revision } = await remove(storage, 'a');
      await storage.compact(revision);
      return revision;
    });
    await opened(async (storage) => {
      expect(await storage.revision()).toBe(last);
      await expect(storage.range({ key: 'a', revision: last - 1 })).rejects.toThrow('compacted');
      expect((await put(storage, 'a', '2')).revision).toBe(last + 1);
    });
  });

  it('gives leases their whole time again and ends them when it is over', async () => {
    const clock = new VirtualClock();
    const first = await open(dir, clock);
    const lease = await first.leaseGrant(10);
    await put(first, 'a', '1', lease);
    await clock.advance(8000);
    await first.close();
    const second = await open(dir, clock);
    await clock.advance(8000);
    expect(await read(second, 'a')).toEqual({ a: '1' });
    const record = new Recorder(second, { key: 'a' });
    await clock.advance(3000);
    await record.until((r) => r.events.length === 1);
    await expect(second.leaseKeepAlive(lease)).rejects.toThrow(LeaseNotFoundError);
    await second.close();
  });
});

describe('a directory that another process has', () => {
  it('is refused, by whatever path, and is free when that process dies', async () => {
    const link = join(dir, 'link');
    const data = join(dir, 'data');
    mkdirSync(data);
    symlinkSync(data, link);
    const writer = join(import.meta.dirname, '../testing/writer.ts');
    const child = spawn(process.execPath, [writer, data, '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      expect((await refusal(data)).reason).toBe('in-use');
      expect((await refusal(link)).reason).toBe('in-use');
    } finally {
      child.stdout.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await opened(async (storage) => expect(await storage.revision()).toBeGreaterThan(0), data);
  });

  it('is refused to the same process too, and free once closed', async () => {
    const storage = await open();
    expect((await refusal()).reason).toBe('in-use');
    await storage.close();
    await opened(async () => {});
  });
});

describe('a damaged directory', () => {
  const file = () => join(dir, 'data.mdb');
  const names = Array.from({ length: 300 }, (_, i) => `key/${i}`);

  beforeEach(async () => {
    await opened(async (storage) => {
      await Promise.all(names.map((name) => put(storage, name, name.repeat(100 + (name.length % 3) * 200))));
      await storage.compact(10);
    });
  });

  async function expectCorrupt(): Promise<void> {
    const before = statSync(file(), { throwIfNoEntry: false })?.size;
    const content = before === undefined ? undefined : readFileSync(file());
    const error = await refusal();
    expect(error.reason, error.message).toBe('corrupt');
    expect(statSync(file(), { throwIfNoEntry: false })?.size).toBe(before);
    if (content !== undefined) expect(readFileSync(file()).equals(content)).toBe(true);
  }

  it.each([0, 1, 100, 4096, 8191, 8192, 20_000, 500_000])('cut to %i bytes', async (size) => {
    truncateSync(file(), size);
    await expectCorrupt();
  });

  it('without its database file', async () => {
    rmSync(file());
    await expectCorrupt();
  });

  it('with another file in its place', async () => {
    copyFileSync(process.execPath, file());
    await expectCorrupt();
    writeFileSync(file(), Buffer.alloc(1_000_000, 0xa5));
    await expectCorrupt();
    writeFileSync(file(), Buffer.alloc(1_000_000));
    await expectCorrupt();
  });

  it('written by a later version', async () => {
    writeFileSync(join(dir, 'format'), '99\n');
    const error = await refusal();
    expect(error.reason).toBe('corrupt');
    expect(error.message).toContain('format 99');
  });

  it('with a damaged lock file opens all the same', async () => {
    writeFileSync(join(dir, 'lock.mdb'), Buffer.alloc(8192, 0x5a));
    await opened(async (storage) => expect((await storage.range({ key: 'key/7' })).count).toBe(1));
  });

  it('with garbage anywhere in it either opens with everything or is refused', async () => {
    const whole = readFileSync(file());
    const random = new SeededRandom(11);
    let refused = 0;
    for (let round = 0; round < 60; round++) {
      const damaged = Buffer.from(whole);
      const at = random.integer(damaged.length - 600);
      const length = 1 + random.integer(round % 2 === 0 ? 8 : 600);
      for (let i = 0; i < length; i++) damaged[at + i] = random.integer(256);
      writeFileSync(file(), damaged);
      const storage = await open().catch((error: Error) => error);
      if (storage instanceof Error) {
        expect(storage).toMatchObject({ reason: 'corrupt' });
        expect(readFileSync(file()).equals(damaged)).toBe(true);
        refused++;
      } else {
        // The damage hit what is not in use.
        expect((await storage.range({ key: 'key/', end: 'key0' })).count).toBe(names.length);
        await storage.close();
      }
    }
    expect(refused).toBeGreaterThan(20);
  });

  it('with a page of another place in it', async () => {
    const content = readFileSync(file());
    for (let page = 2; page < 20; page++) content.copy(content, page * 4096, 40 * 4096, 41 * 4096);
    const handle = openSync(file(), 'r+');
    writeSync(handle, content);
    closeSync(handle);
    await expectCorrupt();
  });

  it('that was being made for the first time when its process died opens', async () => {
    const fresh = join(dir, 'fresh');
    mkdirSync(fresh);
    writeFileSync(join(fresh, 'data.mdb'), '');
    await opened(async (storage) => expect(await storage.revision()).toBe(0), fresh);
  });
});

const root = process.getuid?.() === 0;

describe.skipIf(!root)('a full disk', () => {
  it('refuses writes, loses nothing that was acknowledged, and goes on reading', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dir]);
    try {
      const acknowledged: string[] = [];
      const storage = await open();
      await storage.check();
      const record = new Recorder(storage, { key: 'a', end: 'z' });
      const writer = async (id: number) => {
        for (let i = 0; ; i++) {
          await put(storage, `k${id}.${i}`, 'x'.repeat(5000));
          acknowledged.push(`k${id}.${i}`);
        }
      };
      const ends = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(writer));
      for (const end of ends) {
        expect(end.status).toBe('rejected');
        expect((end as PromiseRejectedResult).reason).toBeInstanceOf(StorageUnavailableError);
        expect((end as PromiseRejectedResult).reason.reason).toBe('io');
      }
      expect(acknowledged.length).toBeGreaterThan(50);
      await expect(put(storage, 'k', 'small')).rejects.toThrow(StorageUnavailableError);
      await expect(storage.check()).rejects.toThrow('is the disk full?');
      await expect(storage.leaseGrant(10)).rejects.toThrow(StorageUnavailableError);
      const keys = async (s: Storage) => Object.keys(await read(s, 'a', 'z')).sort();
      expect(await keys(storage)).toEqual(acknowledged.sort());
      expect(record.events.map((e) => e.kv.key).sort()).toEqual(acknowledged);
      expect(record.end).toBeUndefined();
      await storage.close();
      await opened(async (again) => expect(await keys(again)).toEqual(acknowledged));
    } finally {
      execFileSync('umount', [dir]);
    }
  });
});
