import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerConfigError } from '../pods/environment.ts';
import { unmountBelow } from './mounts.ts';
import { bindSubPath, readWithin, subPathOf } from './subPath.ts';

describe.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')('a part of a volume', () => {
  let dir: string;
  let base: string;
  let target: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kubets-subpath-'));
    base = join(dir, 'volume');
    target = join(dir, 'mounts/0');
    mkdirSync(join(base, 'inside'), { recursive: true });
    writeFileSync(join(base, 'inside/file'), 'here');
    mkdirSync(join(dir, 'outside'));
    writeFileSync(join(dir, 'outside/secret'), 'secret');
  });
  afterEach(async () => {
    await unmountBelow(dir);
    rmSync(dir, { recursive: true, force: true });
  });

  it('is a folder or a file, mounted anew each time', async () => {
    await bindSubPath(base, 'inside', target, true);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('here');
    await bindSubPath(base, 'inside/file', target, true);
    expect(readFileSync(target, 'utf8')).toBe('here');
    expect(execFileSync('grep', ['-c', target, '/proc/self/mounts'], { encoding: 'utf8' })).toBe('1\n');
  });

  it('is made where it is missing and may be', async () => {
    await bindSubPath(base, 'new/deep', target, true);
    writeFileSync(join(base, 'new/deep/x'), '1');
    expect(readFileSync(join(target, 'x'), 'utf8')).toBe('1');
    await expect(bindSubPath(base, 'other', target, false)).rejects.toThrow(ContainerConfigError);
  });

  it('that is made is open to those that the volume is open to', async () => {
    chownSync(base, 0, 123);
    chmodSync(base, 0o3777);
    await bindSubPath(base, 'new/deep', target, true);
    for (const path of ['new', 'new/deep']) {
      const { mode, uid, gid } = statSync(join(base, path));
      expect([mode & 0o7777, uid, gid]).toEqual([0o3777, 0, 123]);
    }
    chmodSync(base, 0o755);
    await bindSubPath(base, 'other', target, true);
    expect(statSync(join(base, 'other')).mode & 0o7777).toBe(0o755);
  });

  it('is read, within the volume', async () => {
    expect(await readWithin(base, 'inside/file')).toBe('here');
    expect(await readWithin(base, 'none/there')).toBeUndefined();
    expect(await readWithin(join(dir, 'no-volume'), 'file')).toBeUndefined();
    symlinkSync('inside/file', join(base, 'link'));
    expect(await readWithin(base, 'link')).toBe('here');
    symlinkSync('../outside/secret', join(base, 'out'));
    execFileSync('mkfifo', [join(base, 'pipe')]);
    writeFileSync(join(base, 'large'), Buffer.alloc((1 << 20) + 1));
    for (const path of ['out', 'inside', 'pipe', 'large', '../outside/secret'])
      await expect(readWithin(base, path)).rejects.toThrow(ContainerConfigError);
  });

  it('follows links within the volume, and none out of it', async () => {
    symlinkSync('inside', join(base, 'link'));
    symlinkSync('../outside', join(base, 'out'));
    symlinkSync('/', join(base, 'root'));
    await bindSubPath(base, 'link/file', target, true);
    expect(readFileSync(target, 'utf8')).toBe('here');
    for (const sub of ['out/secret', 'root/etc/passwd', '../outside/secret', 'out/new/made'])
      await expect(bindSubPath(base, sub, target, true)).rejects.toThrow(ContainerConfigError);
  });
});

describe('the path within a volume', () => {
  const env = new Map([
    ['NAME', 'foo'],
    ['EMPTY', ''],
    ['UP', '..'],
    ['ROOT', '/tmp'],
  ]);
  it.each([
    [{}, ''],
    [{ subPath: 'a/b' }, 'a/b'],
    [{ subPath: '$(NAME)' }, '$(NAME)'],
    [{ subPathExpr: 'logs/$(NAME)' }, 'logs/foo'],
    [{ subPathExpr: '$$(NAME)' }, '$(NAME)'],
    [{ subPathExpr: 'a..b/...' }, 'a..b/...'],
  ])('%j', (mount, path) => {
    expect(subPathOf(mount, env)).toBe(path);
  });
  it.each([
    ['$(NONE)/$(EMPTY)/$(NAME)', 'missing value for EMPTY, NONE'],
    ['$(ROOT)', 'error SubPath "/tmp" must not be an absolute path'],
    ['$(UP)', `unable to provision SubPath "..": must not contain '..'`],
    ['x/$(UP)/y', `unable to provision SubPath "x/../y": must not contain '..'`],
  ])('never %s', (subPathExpr, message) => {
    expect(() => subPathOf({ subPathExpr }, env)).toThrow(new ContainerConfigError(message));
  });
});
