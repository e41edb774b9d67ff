import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAtomically } from './atomicWriter.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-atomic-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const files = (content: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(content).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

/** What a reader of the volume sees. */
function seen(): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (at: string, prefix: string) => {
    for (const name of readdirSync(at).filter((n) => !n.startsWith('..'))) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) walk(path, `${prefix}${name}/`);
      else out[prefix + name] = readFileSync(path, 'utf8');
    }
  };
  walk(dir, '');
  return out;
}

it('writes, changes only what differs, and takes away', async () => {
  expect(await writeAtomically(dir, files({ a: '1', 'deep/b': '2' }, 0o400), NOW)).toBe(true);
  expect(seen()).toEqual({ a: '1', 'deep/b': '2' });
  expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o400);
  const before = await readlink(join(dir, '..data'));
  expect(await writeAtomically(dir, files({ a: '1', 'deep/b': '2' }, 0o400), NOW)).toBe(false);
  expect(await readlink(join(dir, '..data'))).toBe(before);
  expect(await writeAtomically(dir, files({ a: '2', c: '3' }), NOW)).toBe(true);
  expect(seen()).toEqual({ a: '2', c: '3' });
  expect(existsSync(join(dir, before))).toBe(false);
});

it('has the modes and names that Kubernetes gives', async () => {
  const volume = join(dir, 'volume');
  const modeOf = (path: string) => statSync(join(volume, path)).mode & 0o7777;
  await writeAtomically(volume, files({ 'deep/b': '2' }, 0o400), NOW);
  expect(await readlink(join(volume, '..data'))).toMatch(/^\.\.2026_01_02_03_04_05\.\w+$/);
  expect([modeOf(''), modeOf('..data'), modeOf('deep')]).toEqual([0o777, 0o755, 0o755]);
  if (process.getuid?.() !== 0) return;
  await writeAtomically(volume, new Map([['token', { data: Buffer.from('t'), mode: 0o600, uid: 1000 }]]), NOW, 4321);
  expect([modeOf(''), modeOf('..data'), modeOf('token')]).toEqual([0o2777, 0o2755, 0o640]);
  expect(statSync(join(volume, 'token'))).toMatchObject({ uid: 1000, gid: 4321 });
});

it('takes away what a writer left that died', async () => {
  mkdirSync(join(dir, '..2025_01_01_00_00_00.x'));
  await writeAtomically(dir, files({ a: '1' }), NOW);
  expect(existsSync(join(dir, '..2025_01_01_00_00_00.x'))).toBe(false);
});

it('shows just what was written last', async () => {
  const names = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'f/g/h');
  const contents = fc.dictionary(names, fc.string({ maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(fc.array(contents, { minLength: 1, maxLength: 5 }), async (versions) => {
      for (const version of versions) {
        await writeAtomically(dir, files(version), NOW);
        expect(seen()).toEqual({ ...version });
      }
      expect(readdirSync(dir).filter((n) => n.startsWith('..')).length).toBe(2);
    }),
    { numRuns: 40 },
  );
});
