/** Volumes of claims on a real node: folders, devices, who may write them, and what is left when pods go. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../src/apis/core/container.ts';
import { events } from '../src/apis/core/event.ts';
import { type PersistentVolumeSpec, persistentVolumes } from '../src/apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../src/apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import type { PodSpec } from '../src/apis/core/podSpec.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import type { PersistentVolumeClaimSpec, Volume } from '../src/apis/core/volumes.ts';
import type { Stored } from '../src/machinery/kind.ts';
import { isApiError } from '../src/machinery/status.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';
const NO_GRACE = { gracePeriodSeconds: 0 };

/** A block device that is a file; undefined where the machine gives none. */
function loopDevice(file: string): string | undefined {
  writeFileSync(file, Buffer.alloc(16 << 20));
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const mounts = () => readFileSync('/proc/self/mounts', 'utf8');

describe.skipIf(!isRoot)('volumes of claims', () => {
  let node: TestNode;
  const devices: string[] = [];

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.9', bridge: 'kubets-t9' });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(async () => {
    await node?.stop();
    for (const device of devices) spawnSync('losetup', ['--detach', device]);
  });

  const folder = (name: string) => {
    const path = join(node.dir, 'disks', name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const device = (name: string) => {
    const path = loopDevice(join(folder('images'), name));
    if (path !== undefined) devices.push(path);
    return path;
  };
  const here = () => ({
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node.name] }] },
      ],
    },
  });

  const volume = (name: string, spec: PersistentVolumeSpec) =>
    node.client.create(persistentVolumes, {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '16Mi' },
        ...(spec.local === undefined ? {} : { nodeAffinity: here() }),
        ...spec,
      },
    });
  const claim = (name: string, spec: PersistentVolumeClaimSpec = {}) =>
    node.client.create(persistentVolumeClaims, {
      metadata: { name, namespace },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        volumeName: name,
        resources: { requests: { storage: '1Mi' } },
        ...spec,
      },
    });
  const of = (claimName: string, readOnly = false): Volume => ({
    name: 'data',
    persistentVolumeClaim: { claimName, readOnly },
  });

  function run(name: string, script: string, from: Volume, more: Partial<PodSpec> = {}, main: Partial<Container> = {}) {
    const container = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      ...main,
    };
    const spec = { nodeName: node.name, restartPolicy: 'Never', containers: [container], volumes: [from], ...more };
    return node.client.create(pods, { metadata: { name, namespace }, spec });
  }
  const get = (name: string) =>
    node.client.get(pods, { namespace, name }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });
  /** What a pod's container said, when it is over. */
  async function said(name: string): Promise<{ phase: string; log: string }> {
    const pod = await until(`${name} is over`, async () => {
      const found = await get(name);
      return ['Succeeded', 'Failed'].includes(found?.status?.phase ?? '') ? found : undefined;
    });
    return { phase: pod.status?.phase ?? '', log: logOf(pod) };
  }
  const running = (name: string) =>
    until(`${name} runs`, async () => {
      const found = await get(name);
      return found?.status?.phase === 'Running' ? found : undefined;
    });
  const logOf = (pod: Stored<Pod>) =>
    readFileSync(join(node.dir, 'logs', `${namespace}_${pod.metadata.name}_${pod.metadata.uid}`, 'main/0.log'), 'utf8')
      .split('\n')
      .map((line) => line.split(' ').slice(3).join(' '))
      .join('\n')
      .trim();
  const mountFailure = (name: string, what: string) =>
    until(`${name} cannot be mounted: ${what}`, async () => {
      const { items } = await node.client.list(events, { namespace });
      return items.find(
        (e) => e.involvedObject.name === name && e.reason === 'FailedMount' && e.message?.includes(what),
      );
    });

  it('waits for the claim to be bound', async () => {
    await claim('late');
    await run('patient', 'cat /data/there', of('late'));
    await mountFailure('patient', 'error processing PVC default/late: PVC is not bound');
    writeFileSync(join(folder('late'), 'there'), 'at last');
    await volume('late', { hostPath: { path: folder('late') } });
    expect(await said('patient')).toEqual({ phase: 'Succeeded', log: 'at last' });
  });

  it('writes where it may, and reads where it may not', async () => {
    await volume('shared', { local: { path: folder('shared') } });
    await claim('shared');
    await run('writer', 'echo written > /data/file', of('shared'));
    expect((await said('writer')).phase).toBe('Succeeded');
    expect(readFileSync(join(folder('shared'), 'file'), 'utf8')).toBe('written\n');
    await run('reader', 'cat /data/file; touch /data/no', of('shared', true));
    const { phase, log } = await said('reader');
    expect(phase).toBe('Failed');
    expect(log).toMatch(/^written\n.*Read-only file system$/);
  });

  it('gives a volume to the group of the pod, and a part of it to a container', async () => {
    mkdirSync(join(folder('grouped'), 'part'));
    writeFileSync(join(folder('grouped'), 'part/old'), '', { mode: 0o600 });
    await volume('grouped', { local: { path: folder('grouped') } });
    await claim('grouped');
    const script = 'id -G; stat -c %g /data/old && echo new > /data/new && ls /data';
    const more = { securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 4711 } };
    const volumeMounts = [{ name: 'data', mountPath: '/data', subPath: 'part' }];
    await run('member', script, of('grouped'), more, { volumeMounts });
    expect(await said('member')).toEqual({ phase: 'Succeeded', log: '1000 4711\n4711\nnew\nold' });
    expect(statSync(join(folder('grouped'), 'part/new')).gid).toBe(4711);
  });

  it('says what is wrong with a volume', async () => {
    await volume('nowhere', { local: { path: join(node.dir, 'nowhere') } });
    await claim('nowhere');
    await run('lost', 'true', of('nowhere'));
    await mountFailure('lost', `MountVolume.SetUp failed for volume "nowhere" : path "${join(node.dir, 'nowhere')}" `);
    await volume('far', { iscsi: { targetPortal: '192.0.2.1', iqn: 'iqn.2026-01.com.example:far', lun: 0 } });
    await claim('far');
    await run('unlucky', 'true', of('far'));
    await mountFailure('unlucky', 'the volume type iscsi is not supported');
    for (const name of ['lost', 'unlucky']) await node.client.delete(pods, { namespace, name }, NO_GRACE);
  });

  it('gives a container a block device', async ({ skip }) => {
    const path = device('raw');
    if (path === undefined) return skip('the machine has no loop devices');
    await volume('raw', { local: { path }, volumeMode: 'Block' });
    await claim('raw', { volumeMode: 'Block' });
    const script = 'echo marked | dd of=/dev/disk conv=notrunc 2>/dev/null && dd if=/dev/disk bs=6 count=1 2>/dev/null';
    const volumeDevices = [{ name: 'data', devicePath: '/dev/disk' }];
    await run('raw', script, of('raw'), {}, { volumeMounts: [], volumeDevices });
    expect(await said('raw')).toEqual({ phase: 'Succeeded', log: 'marked' });
  });

  it('mounts a block device, and is rid of it after a crash', async ({ skip }) => {
    const path = device('disk');
    if (path === undefined) return skip('the machine has no loop devices');
    await volume('disk', { local: { path, fsType: 'ext4' } });
    await claim('disk');
    const pod = await run('user', 'echo kept > /data/file; sync; sleep 1000', of('disk'));
    await running('user');
    expect(mounts()).toContain(`${path} ${join(node.dir, 'kubelet/pods', pod.metadata.uid)}`);
    await node.stopKubelet();
    await node.client.delete(pods, { namespace, name: 'user' }, NO_GRACE);
    await node.startKubelet();
    await until('nothing is left of the pod', async () => {
      return !mounts().includes(path) && !existsSync(join(node.dir, 'kubelet/pods', pod.metadata.uid));
    });
    await run('next', 'cat /data/file', of('disk'));
    expect(await said('next')).toEqual({ phase: 'Succeeded', log: 'kept' });
  });
});
