import { chmod, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { giveToGroup } from './ownership.ts';

let dir: string;
let outside: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-ownership-'));
  outside = await mkdtemp(join(tmpdir(), 'kubets-outside-'));
  await mkdir(join(dir, 'a/b'), { recursive: true });
  await writeFile(join(dir, 'a/b/file'), 'x', { mode: 0o600 });
  await writeFile(join(outside, 'file'), 'x', { mode: 0o600 });
  await symlink(outside, join(dir, 'link'));
  await symlink(join(outside, 'file'), join(dir, 'a/link'));
});
afterEach(async () => {
  for (const path of [dir, outside]) await rm(path, { recursive: true, force: true });
});

const GROUP = 4711;
const of = async (path: string) => {
  const { gid, mode } = await lstat(join(dir, path));
  return { gid, mode: (mode & 0o7777).toString(8) };
};

// Only root gives files away.
describe.skipIf(process.getuid?.() !== 0)('a volume that is given to a group', () => {
  it('can be written by it, to the last file', async () => {
    await giveToGroup(dir, { fsGroup: GROUP }, false);
    expect(await of('.')).toEqual({ gid: GROUP, mode: '2770' });
    expect(await of('a/b')).toEqual({ gid: GROUP, mode: '2775' });
    expect(await of('a/b/file')).toEqual({ gid: GROUP, mode: '660' });
  });

  it('does not give away what links point to', async () => {
    await giveToGroup(dir, { fsGroup: GROUP }, false);
    expect((await of('link')).gid).toBe(GROUP);
    expect(await of(join('..', outside.split('/').at(-1) ?? '', 'file'))).toEqual({ gid: 0, mode: '600' });
    expect((await lstat(outside)).gid).toBe(0);
  });

  it('is only read by it, where the volume is only read', async () => {
    await giveToGroup(dir, { fsGroup: GROUP }, true);
    expect(await of('a/b/file')).toEqual({ gid: GROUP, mode: '640' });
  });

  it('is left alone where its root is right already and that is enough', async () => {
    await giveToGroup(dir, { fsGroup: GROUP }, false);
    await chmod(join(dir, 'a/b/file'), 0o600);
    await giveToGroup(dir, { fsGroup: GROUP, fsGroupChangePolicy: 'OnRootMismatch' }, false);
    expect((await of('a/b/file')).mode).toBe('600');
    await giveToGroup(dir, { fsGroup: GROUP, fsGroupChangePolicy: 'Always' }, false);
    expect((await of('a/b/file')).mode).toBe('660');
  });

  it('stays as it is where the pod asks for no group', async () => {
    await giveToGroup(dir, {}, false);
    expect((await of('.')).gid).toBe(0);
  });
});
