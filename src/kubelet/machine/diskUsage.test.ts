import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { diskUsageOf } from './diskUsage.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-usage-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('counts files below, those with several names once, and follows no link', async () => {
  const empty = await diskUsageOf(dir);
  expect(empty.inodes).toBe(1);
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  writeFileSync(join(dir, 'a/b/file'), Buffer.alloc(1 << 20, 'x'));
  linkSync(join(dir, 'a/b/file'), join(dir, 'again'));
  symlinkSync('/usr', join(dir, 'link'));
  const { bytes, inodes } = await diskUsageOf(dir);
  // The folder, a, b, the file, the link.
  expect(inodes).toBe(5);
  expect(bytes - empty.bytes).toBeGreaterThanOrEqual(1 << 20);
  expect(bytes - empty.bytes).toBeLessThan(1.2 * (1 << 20));
});

it('finds nothing where nothing is', async () => {
  expect(await diskUsageOf(join(dir, 'none'))).toEqual({ bytes: 0, inodes: 0 });
});
