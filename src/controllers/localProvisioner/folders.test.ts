import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localFolders } from './folders.ts';
import { LocalStorageError } from './storage.ts';

const NAME = 'pvc-0b8f9c1e-5e3a-4a5b-9a67-000000000001';
let root: string;
let limits: [string, number][];
const storage = () =>
  localFolders(root, {
    limit: async (folder, bytes) => {
      limits.push([folder, bytes]);
    },
  });
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubets-folders-'));
  limits = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('volumes as folders', () => {
  it('are made once, open to all, as large as was asked for', async () => {
    const path = await storage().make(NAME, 100);
    expect(path).toBe(join(root, NAME));
    await writeFile(join(path, 'file'), 'kept');
    expect(await storage().make(NAME, 100)).toBe(path);
    expect((await stat(path)).mode & 0o7777).toBe(0o777);
    expect(await readdir(path)).toEqual(['file']);
    await storage().resize(NAME, 200);
    expect(limits).toEqual([100, 100, 200].map((bytes) => [path, bytes]));
  });

  it('are removed with all that is in them, once or twice', async () => {
    const path = await storage().make(NAME, 1);
    await writeFile(join(path, 'file'), 'x');
    await storage().remove(NAME);
    await storage().remove(NAME);
    expect(await readdir(root)).toEqual([]);
    await expect(storage().resize(NAME, 1)).rejects.toThrow(LocalStorageError);
  });

  it.each(['', '..', 'pvc-1', '../pvc-0b8f9c1e-5e3a-4a5b-9a67-000000000001', `${NAME}/..`])(
    'have no such name as %j',
    async (name) => {
      for (const work of [storage().make(name, 1), storage().remove(name)]) {
        await expect(work).rejects.toThrow(LocalStorageError);
      }
    },
  );
});
