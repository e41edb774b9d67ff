import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkHostPath } from './hostPath.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const create = (path: string) => checkHostPath({ path, type: 'DirectoryOrCreate' });

test('folders are made where they are missing', async () => {
  await create(join(dir, 'a', 'b', 'c'));
  await create(join(dir, 'a', 'b', 'c'));
  expect(statSync(join(dir, 'a', 'b', 'c')).isDirectory()).toBe(true);
});

test('where none can be made, that is said, and nobody tries for ever', async () => {
  await expect(create('/proc/kubets/x')).rejects.toThrow('hostPath /proc/kubets/x cannot be made');
  symlinkSync(join(dir, 'nowhere'), join(dir, 'link'));
  await expect(create(join(dir, 'link', 'x'))).rejects.toThrow('cannot be made');
});
