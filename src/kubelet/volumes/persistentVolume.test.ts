import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PersistentVolumeSpec } from '../../apis/core/persistentVolume.ts';
import { setUpNfs, setUpPersistent } from './persistentVolume.ts';
import { VolumeError } from './sources.ts';

let dir: string;
let path: string | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-pv-'));
  // Instead of mounting, what is to be mounted is written down.
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'mount'), `#!/bin/sh\necho "$@" >> ${dir}/mounts\n`);
  await chmod(join(bin, 'mount'), 0o755);
  path = process.env.PATH;
  process.env.PATH = `${bin}:${path ?? ''}`;
});
afterEach(async () => {
  process.env.PATH = path ?? '';
  await rm(dir, { recursive: true, force: true });
});

const mounted = async () => (await readFile(join(dir, 'mounts'), 'utf8').catch(() => '')).trim().split('\n');
const setUp = (spec: PersistentVolumeSpec, readOnly = false) =>
  setUpPersistent({ volume: { spec }, readOnly, dir: join(dir, 'here'), securityContext: {} });

describe('a share of an NFS server', () => {
  const nfs = { server: 'files.example.com', path: '/export' };
  const share = 'files.example.com:/export';

  it('is mounted with the options of the volume', async () => {
    const here = join(dir, 'here');
    expect(await setUp({ nfs, mountOptions: ['nfsvers=4.2', 'hard'] })).toEqual({ path: here, readOnly: false });
    expect(await mounted()).toEqual([`-t nfs -o nfsvers=4.2,hard ${share} ${here}`]);
  });

  it.each([
    ['of the pod', { ...nfs, readOnly: true }, false],
    ['of the claim', nfs, true],
  ])('is only read by the word %s', async (_whose, source, readOnly) => {
    const here = join(dir, 'here');
    expect(await setUpNfs(source, here, [], readOnly)).toEqual({ path: here, readOnly: true });
    expect(await mounted()).toEqual([`-t nfs -o ro ${share} ${here}`]);
  });
});

describe('a folder of the node', () => {
  it('is had as it is', async () => {
    expect(await setUp({ local: { path: dir } })).toEqual({ path: dir, readOnly: false });
    expect(await setUp({ hostPath: { path: dir } }, true)).toEqual({ path: dir, readOnly: true });
    expect(await mounted()).toEqual(['']);
  });

  it('is mounted where the volume has options', async () => {
    const here = join(dir, 'here');
    expect(await setUp({ local: { path: dir }, mountOptions: ['noexec'] })).toEqual({ path: here, readOnly: false });
    expect(await mounted()).toEqual([`--bind ${dir} ${here}`, `-o remount,bind,noexec ${dir} ${here}`]);
  });

  it.each<[PersistentVolumeSpec, string]>([
    [{ local: { path: '/nowhere' } }, 'path "/nowhere" does not exist'],
    [{ local: { path: '/etc/passwd' } }, 'is neither a folder nor a block device'],
    [{ local: { path: '/etc' }, volumeMode: 'Block' }, '"/etc" is no block device'],
    [{ hostPath: { path: '/etc' }, volumeMode: 'Block' }, 'the volume type hostPath has no block devices'],
    [{ hostPath: { path: '/etc', type: 'File' } }, 'hostPath type check failed: /etc is not a file'],
    [{ capacity: { storage: '1Gi' }, rbd: { monitors: ['m'], image: 'i' } }, 'the volume type rbd is not supported'],
  ])('is refused: %j', async (spec, why) => {
    await expect(setUp(spec)).rejects.toThrow(VolumeError);
    await expect(setUp(spec)).rejects.toThrow(why);
  });
});
