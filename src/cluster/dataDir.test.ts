import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeDataDir } from './dataDir.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('is made with all that it is in, and may be there', () => {
  const wanted = join(dir, 'a', 'b', 'c');
  makeDataDir(wanted);
  makeDataDir(wanted);
  expect(statSync(wanted).mode & 0o777).toBe(0o700);
});

test('where it cannot be, that is said at once', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(() => makeDataDir(join(dir, 'file', 'x'))).toThrow('cannot be made: ENOTDIR');
  expect(() => makeDataDir('/proc/kubets/x')).toThrow('the data directory /proc/kubets/x cannot be made: ENOENT');
  expect(existsSync('/proc/kubets')).toBe(false);
});
