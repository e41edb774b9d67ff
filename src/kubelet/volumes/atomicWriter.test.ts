import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAtomically } from './atomicWriter.ts';

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
  expect(await writeAtomically(dir, files({ a: '1', 'deep/b': '2' }, 0o400))).toBe(true);
  expect(seen()).toEqual({ a: '1', 'deep/b': '2' });
  expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o400);
  const before = await readlink(join(dir, '..data'));
  expect(await writeAtomically(dir, files({ a: '1', 'deep/b': '2' }, 0o400))).toBe(false);
  expect(await readlink(join(dir, '..data'))).toBe(before);
  expect(await writeAtomically(dir, files({ a: '2', c: '3' }))).toBe(true);
  expect(seen()).toEqual({ a: '2', c: '3' });
  expect(existsSync(join(dir, before))).toBe(false);
});

it('shows just what was written last', async () => {
  const names = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'f/g/h');
  const contents = fc.dictionary(names, fc.string({ maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(fc.array(contents, { minLength: 1, maxLength: 5 }), async (versions) => {
      for (const version of versions) {
        await writeAtomically(dir, files(version));
        expect(seen()).toEqual({ ...version });
      }
      expect(readdirSync(dir).filter((n) => n.startsWith('..')).length).toBe(2);
    }),
    { numRuns: 40 },
  );
});
