import { describe, expect, it } from 'vitest';
import { projectQuotas } from './quotas.ts';

const MOUNTS = `/dev/a / ext4 rw,relatime 0 0
/dev/b /data xfs rw,relatime,attr2,prjquota 0 0
/dev/c /data/more ext4 rw,prjquota 0 0
/dev/d /with\\040space ext4 rw,prjquota 0 0
/dev/e /plain xfs rw,noquota 0 0
/dev/f /other btrfs rw,prjquota 0 0
`;

async function commands(root: string, bytes: number): Promise<string[] | undefined> {
  const done: string[] = [];
  const limits = await projectQuotas(root, MOUNTS, async (program, args) => done.push([program, ...args].join(' ')));
  if (limits === undefined) return undefined;
  done.length = 0;
  await limits.limit(`${root}/pvc-1`, bytes);
  return done.map((line) => line.replaceAll(/\b\d{10}\b/g, 'PROJECT'));
}

describe('the limit of a folder', () => {
  it('is kept by XFS', async () => {
    expect(await commands('/data/volumes', 1 << 20)).toEqual([
      'xfs_quota -x -c project -s -p /data/volumes/pvc-1 PROJECT /data',
      'xfs_quota -x -c limit -p bhard=1048576 PROJECT /data',
    ]);
  });

  it('is kept by ext4, in blocks of 1 KiB', async () => {
    expect(await commands('/data/more/volumes', 1500)).toEqual([
      'chattr -p PROJECT +P /data/more/volumes/pvc-1',
      'setquota -P PROJECT 0 2 0 0 /data/more',
    ]);
    expect((await commands('/with space', 1))?.at(-1)).toContain('/with space');
  });

  it.each(['/var/lib', '/plain/x', '/other/x', '/database'])('is not kept on %s', async (root) => {
    expect(await commands(root, 1)).toBeUndefined();
  });

  it('is not kept where the program for it is missing', async () => {
    const missing = () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOENT' }));
    expect(await projectQuotas('/data/volumes', MOUNTS, missing)).toBeUndefined();
  });

  it('is the same project for the same folder, and another for another', async () => {
    const seen: string[] = [];
    const limits = await projectQuotas('/data/more', MOUNTS, async (_program, args) => seen.push(args[1] ?? ''));
    seen.length = 0;
    for (const folder of ['a', 'a', 'b']) await limits?.limit(folder, 1);
    const [a, , again, , b] = seen;
    expect(a).toBe(again);
    expect(a).not.toBe(b);
  });
});
