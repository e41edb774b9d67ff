/** Pods with claims on simulated nodes: where they go, what they get there, and why they wait. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodes } from '../../src/apis/core/node.ts';
import { type PersistentVolumeSpec, persistentVolumes } from '../../src/apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../../src/apis/core/pod.ts';
import type { PersistentVolumeClaimSpec } from '../../src/apis/core/volumes.ts';
import { csiDrivers } from '../../src/apis/storage/csiDriver.ts';
import { csiNodes } from '../../src/apis/storage/csiNode.ts';
import { csiStorageCapacities } from '../../src/apis/storage/csiStorageCapacity.ts';
import { storageClasses } from '../../src/apis/storage/storageClass.ts';
import { volumeAttachments } from '../../src/apis/storage/volumeAttachment.ts';
import { isReady, NAMESPACE, Simulation } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

const on = (...names: string[]) => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }],
  },
});
const storageClass = (name: string, provisioner: string, volumeBindingMode = 'WaitForFirstConsumer') =>
  world.cluster.client.create(storageClasses, { metadata: { name }, provisioner, volumeBindingMode });
const volume = (name: string, spec: PersistentVolumeSpec, labels: Record<string, string> = {}) =>
  world.cluster.client.create(persistentVolumes, {
    metadata: { name, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: 'disks',
      ...(spec.csi === undefined && spec.hostPath === undefined ? { local: { path: `/disks/${name}` } } : {}),
      ...spec,
    },
  });
const claim = (name: string, spec: PersistentVolumeClaimSpec & { size?: string } = {}) => {
  const { size = '1Gi', ...rest } = spec;
  return world.create(persistentVolumeClaims, name, {
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'disks',
      resources: { requests: { storage: size } },
      ...rest,
    },
  });
};
const user = (name: string, claims: readonly string[], spec = {}) =>
  world.create(pods, name, {
    spec: {
      containers: [{ name: 'main', image: 'one' }],
      volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
      ...spec,
    },
  });
const nodeOf = async (name: string) => (await world.get(pods, name)).spec?.nodeName;
const whyNot = async (name: string) =>
  (await world.get(pods, name)).status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False')
    ?.message;

describe('volumes that are there', () => {
  it('draw their pods to their nodes, the smallest that will do', async () => {
    await storageClass('disks', 'kubernetes.io/no-provisioner');
    await volume('large', { capacity: { storage: '9Gi' }, nodeAffinity: on('node-2') });
    await volume('small', { capacity: { storage: '2Gi' }, nodeAffinity: on('node-2') });
    await claim('a', { size: '2Gi' });
    await claim('b', { size: '3Gi' });
    await user('both', ['a', 'b']);
    await world.advance('3s');
    expect(await nodeOf('both')).toBe('node-2');
    expect(isReady(await world.get(pods, 'both'))).toBe(true);
    expect((await world.get(persistentVolumeClaims, 'a')).spec?.volumeName).toBe('small');
    expect((await world.get(persistentVolumeClaims, 'b')).spec?.volumeName).toBe('large');
  });

  it('are waited for', async () => {
    await storageClass('disks', 'kubernetes.io/no-provisioner');
    await user('early', ['a']);
    await world.advance('2s');
    expect(await whyNot('early')).toContain('persistentvolumeclaim "a" not found');
    await claim('a');
    await world.advance('2s');
    expect(await whyNot('early')).toContain("3 node(s) didn't find available persistent volumes to bind");
    await volume('v', { nodeAffinity: on('node-0') });
    await world.advance('10s');
    expect(isReady(await world.get(pods, 'early'))).toBe(true);
  });

  it('are waited for where their class is not there either', async () => {
    await claim('a');
    await user('early', ['a']);
    await world.advance('2s');
    expect(await whyNot('early')).toMatch(/: pod has unbound immediate PersistentVolumeClaims\. not found$/);
    await storageClass('disks', 'kubernetes.io/no-provisioner');
    await volume('v', { nodeAffinity: on('node-0') });
    await world.advance('20s');
    expect(isReady(await world.get(pods, 'early'))).toBe(true);
  });

  it('are not reached from other nodes', async () => {
    await volume('v', { storageClassName: '', nodeAffinity: on('node-0') });
    await claim('a', { storageClassName: '' });
    await world.advance('1s');
    await user('far', ['a'], { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
    await world.advance('2s');
    expect(await whyNot('far')).toContain('1 node(s) had volume node affinity conflict');
  });

  it('are had by the nodes of their zone', async () => {
    for (const [name, zone] of [
      ['node-0', 'east'],
      ['node-1', 'west'],
      ['node-2', 'west'],
    ] as const) {
      const patch = { metadata: { labels: { 'topology.kubernetes.io/zone': zone } } };
      await world.cluster.client.patch(nodes, { name }, 'merge', patch);
    }
    const csi = { driver: 'd.example.com', volumeHandle: 'h' };
    await volume('v', { storageClassName: '', csi }, { 'topology.kubernetes.io/zone': 'east__south' });
    await claim('a', { storageClassName: '' });
    await user('local', ['a']);
    await user('wrong', ['a'], { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
    await world.advance('5s');
    expect(await nodeOf('local')).toBe('node-0');
    expect(await whyNot('wrong')).toContain('node(s) had available volume zone'.replace('available', 'no available'));
  });

  it('are for one pod alone where they are to be', async () => {
    await volume('v', { storageClassName: '', accessModes: ['ReadWriteOncePod'], hostPath: { path: '/x' } });
    await claim('a', { storageClassName: '', accessModes: ['ReadWriteOncePod'] });
    await user('first', ['a']);
    await world.advance('3s');
    await user('second', ['a']);
    await world.advance('3s');
    expect(isReady(await world.get(pods, 'first'))).toBe(true);
    expect(await whyNot('second')).toContain('ReadWriteOncePod access mode');
    await world.delete(pods, 'first', 0);
    await world.advance('15s');
    expect(isReady(await world.get(pods, 'second'))).toBe(true);
  });

  it('are each had by one claim, however many ask', async () => {
    await storageClass('disks', 'kubernetes.io/no-provisioner');
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (offered, asked) => {
        const r = round++;
        for (const [i, size] of offered.entries()) {
          await volume(`v${r}-${i}`, { capacity: { storage: `${size}Gi` }, nodeAffinity: on(`node-${i % 3}`) });
        }
        for (const [i, size] of asked.entries()) {
          await claim(`c${r}-${i}`, { size: `${size}Gi` });
          await user(`p${r}-${i}`, [`c${r}-${i}`]);
        }
        await world.advance('20s');
        const { items } = await world.cluster.client.list(persistentVolumeClaims, { namespace: NAMESPACE });
        const bound = items.filter((c) => c.status?.phase === 'Bound');
        const names = bound.map((c) => c.spec?.volumeName);
        expect(new Set(names).size).toBe(names.length);
        // Nobody waits for what is there: what is free is too small for each that waits.
        const free = (await world.cluster.client.list(persistentVolumes)).items.filter((v) => !v.spec?.claimRef);
        const most = Math.max(0, ...free.map((v) => Number.parseInt(v.spec?.capacity?.storage ?? '0', 10)));
        for (const c of items) {
          const size = Number.parseInt(c.spec?.resources?.requests?.storage ?? '0', 10);
          const is = bound.includes(c) ? (c.status?.capacity?.storage ?? '') : '';
          if (is !== '') expect(Number.parseInt(is, 10)).toBeGreaterThanOrEqual(size);
          else expect(most).toBeLessThan(size);
        }
        for (const [i] of asked.entries()) await world.delete(pods, `p${r}-${i}`, 0);
        for (const [i] of asked.entries()) await world.delete(persistentVolumeClaims, `c${r}-${i}`);
        for (const [i] of offered.entries())
          await world.cluster.client.delete(persistentVolumes, { name: `v${r}-${i}` });
        await world.advance('5s');
      }),
      { numRuns: 8, seed: 7 },
    );
  });
});

describe('drivers', () => {
  const DRIVER = 'd.example.com';
  const csiNode = (name: string, count: number) =>
    world.cluster.client.create(csiNodes, {
      metadata: { name },
      spec: { drivers: [{ name: DRIVER, nodeID: name, allocatable: { count } }] },
    });

  it('bear only so many volumes on a node', async () => {
    await world.cluster.client.create(csiDrivers, { metadata: { name: DRIVER }, spec: { attachRequired: false } });
    for (const name of ['node-0', 'node-1', 'node-2']) await csiNode(name, 1);
    for (const i of [0, 1, 2, 3]) {
      await volume(`v${i}`, { storageClassName: '', csi: { driver: DRIVER, volumeHandle: `h${i}` } });
      await claim(`c${i}`, { storageClassName: '', volumeName: `v${i}` });
      await user(`p${i}`, [`c${i}`]);
      await world.advance('3s');
    }
    const where = await Promise.all([0, 1, 2].map((i) => nodeOf(`p${i}`)));
    expect([...where].sort()).toEqual(['node-0', 'node-1', 'node-2']);
    expect(await whyNot('p3')).toContain('3 node(s) exceed max volume count');
  });

  it('are asked where there is room', async () => {
    await world.cluster.client.create(csiDrivers, {
      metadata: { name: DRIVER },
      spec: { storageCapacity: true, attachRequired: false },
    });
    await storageClass('disks', DRIVER);
    await claim('a', { size: '5Gi' });
    await user('p', ['a']);
    await world.advance('2s');
    expect(await whyNot('p')).toContain('3 node(s) did not have enough free storage');
    for (const [name, capacity] of [
      ['node-0', '1Gi'],
      ['node-1', '9Gi'],
    ] as const) {
      await world.create(csiStorageCapacities, name, {
        storageClassName: 'disks',
        capacity,
        nodeTopology: { matchLabels: { 'kubernetes.io/hostname': name } },
      });
    }
    await world.advance('10s');
    const asked = await world.get(persistentVolumeClaims, 'a');
    expect(asked.metadata.annotations).toMatchObject({
      'volume.kubernetes.io/selected-node': 'node-1',
      'volume.kubernetes.io/storage-provisioner': DRIVER,
    });
    // As an external provisioner does.
    const { name, namespace, uid } = asked.metadata;
    await volume('made', {
      capacity: { storage: '5Gi' },
      csi: { driver: DRIVER, volumeHandle: 'made' },
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, uid, ...(namespace ? { namespace } : {}) },
      persistentVolumeReclaimPolicy: 'Delete',
    });
    await world.advance('5s');
    expect(await nodeOf('p')).toBe('node-1');
    expect((await world.get(persistentVolumeClaims, 'a')).status?.phase).toBe('Bound');
  });

  it('attach a volume to one node after the other', async () => {
    await volume('v', { storageClassName: '', csi: { driver: DRIVER, volumeHandle: 'h' } });
    await claim('a', { storageClassName: '', volumeName: 'v' });
    const attachments = async () => (await world.cluster.client.list(volumeAttachments)).items;
    await user('one', ['a'], { nodeName: 'node-0' });
    await user('other', ['a'], { nodeName: 'node-1' });
    await world.advance('3s');
    expect(await attachments()).toHaveLength(1);
    const [first] = await attachments();
    const winner = first?.spec?.nodeName === 'node-0' ? 'one' : 'other';
    await world.delete(pods, winner, 0);
    await world.advance('5s');
    expect((await attachments()).map((a) => a.spec?.nodeName)).toEqual([winner === 'one' ? 'node-1' : 'node-0']);
  });
});
