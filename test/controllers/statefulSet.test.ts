import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controllerRevisions } from '../../src/apis/apps/controllerRevision.ts';
import { type StatefulSetSpec, statefulSets } from '../../src/apis/apps/statefulSet.ts';
import { persistentVolumeClaims } from '../../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { isReady, NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

const names = async () => (await world.pods('db')).map((pod) => pod.metadata.name);
const status = async () => (await world.get(statefulSets, 'db')).status;
const newImage = (image: string) => world.patch(statefulSets, 'db', { spec: { template: template('db', image) } });

function create(spec: Partial<StatefulSetSpec> = {}, behavior = {}) {
  const rest = {
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: template('db', 'one', behavior),
  };
  return world.create(statefulSets, 'db', { spec: { replicas: 3, ...rest, ...spec } });
}

describe('a stateful set', () => {
  it('makes its pods one after the other, each when the one before is ready', async () => {
    await create({}, { 'start-delay': '2s' });
    await world.watching('db', { seconds: 8, stepMs: 250 }, (all) => {
      expect(all.map((p) => p.metadata.name)).toEqual(['db-0', 'db-1', 'db-2'].slice(0, all.length));
      expect(all.filter((p) => !isReady(p)).length).toBeLessThanOrEqual(1);
    });
    expect(await names()).toEqual(['db-0', 'db-1', 'db-2']);
    const [first] = await world.pods('db');
    expect(first?.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' });
    expect(first?.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'db-0',
      'apps.kubernetes.io/pod-index': '0',
    });
    expect(await status()).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3 });
    const { currentRevision } = (await status()) ?? {};
    expect(currentRevision).toMatch(/^db-[a-z0-9]+$/);
    for (const { metadata } of await world.pods('db')) {
      expect(metadata.labels?.['controller-revision-hash']).toBe(currentRevision);
    }
    const { items } = await world.cluster.client.list(controllerRevisions, { namespace: NAMESPACE });
    expect(items[0]?.metadata.labels).toEqual({
      app: 'db',
      'controller.kubernetes.io/hash': currentRevision?.slice('db-'.length),
    });
  });

  it('makes them all at once where the order does not matter', async () => {
    await create({ podManagementPolicy: 'Parallel' }, { 'start-delay': '2s' });
    await world.advance('1s');
    expect(await names()).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('begins to count where it is told to', async () => {
    await create({ ordinals: { start: 5 }, replicas: 2 });
    await world.advance('5s');
    expect(await names()).toEqual(['db-5', 'db-6']);
  });

  it('is scaled down from the top, one at a time', async () => {
    await create({}, { 'stop-delay': '1s' });
    await world.advance('5s');
    await world.patch(statefulSets, 'db', { spec: { replicas: 1 } });
    await world.watching('db', { seconds: 6, stepMs: 250 }, (all) => {
      const going = all.filter((p) => p.metadata.deletionTimestamp !== undefined);
      expect(going.length).toBeLessThanOrEqual(1);
      if (going[0] !== undefined) expect(going[0].metadata.name).toBe(`db-${all.length - 1}`);
    });
    expect(await names()).toEqual(['db-0']);
  });

  it('gives a pod that was deleted its name again', async () => {
    await create();
    await world.advance('5s');
    const before = (await world.pods('db'))[1]?.metadata.uid;
    await world.delete(pods, 'db-1');
    await world.advance('5s');
    expect(await names()).toEqual(['db-0', 'db-1', 'db-2']);
    expect((await world.pods('db'))[1]?.metadata.uid).not.toBe(before);
  });

  it('replaces a pod that fails at once, but not all the time', async () => {
    // No kubelet has a say in them.
    await create({ replicas: 1, template: template('db', 'one', {}, { nodeName: 'absent' }) });
    const uids = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await world.advance('100ms');
      const [pod] = await world.pods('db');
      if (pod === undefined || uids.has(pod.metadata.uid)) continue;
      uids.add(pod.metadata.uid);
      const ref = { namespace: NAMESPACE, name: 'db-0' };
      const status = { phase: 'Failed', reason: 'SysctlForbidden' };
      await world.cluster.client.patch(pods, ref, 'merge', { status }, { subresource: 'status' });
    }
    expect(uids.size).toBeGreaterThan(3);
    expect(uids.size).toBeLessThan(12);
  });

  it('replaces a pod that failed', async () => {
    await create({ replicas: 1 });
    await world.advance('3s');
    const status = { phase: 'Failed', reason: 'Evicted' };
    const ref = { namespace: NAMESPACE, name: 'db-0' };
    await world.cluster.client.patch(pods, ref, 'merge', { status }, { subresource: 'status' });
    await world.advance('5s');
    expect((await world.pods('db')).map(isReady)).toEqual([true]);
  });
});

describe('an update', () => {
  it('goes from the top, one pod at a time, and leaves what is below the partition', async () => {
    await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } });
    await world.advance('5s');
    await newImage('two');
    await world.watching('db', { seconds: 15, stepMs: 250 }, (all) => {
      expect(all.filter(isReady).length).toBeGreaterThanOrEqual(2);
    });
    expect(await world.images('db')).toEqual(['db-0 one', 'db-1 two', 'db-2 two']);
    expect(await status()).toMatchObject({ currentReplicas: 1, updatedReplicas: 2 });
    await world.delete(pods, 'db-0');
    await world.advance('5s');
    expect((await world.images('db'))[0]).toBe('db-0 one');
    await world.patch(statefulSets, 'db', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
    await world.advance('10s');
    expect(await world.images('db')).toEqual(['db-0 two', 'db-1 two', 'db-2 two']);
    const { currentRevision, updateRevision, currentReplicas } = (await status()) ?? {};
    expect([currentRevision, currentReplicas]).toEqual([updateRevision, 3]);
  });

  it('replaces as many at once as may be unavailable', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } };
    await create({ replicas: 4, updateStrategy }, { 'start-delay': '500ms' });
    await world.advance('10s');
    await newImage('two');
    let least = 4;
    await world.watching('db', { seconds: 10, stepMs: 50 }, (all) => {
      least = Math.min(least, all.filter(isReady).length);
    });
    expect(least).toBe(2);
    expect(await world.images('db')).toEqual(['db-0 two', 'db-1 two', 'db-2 two', 'db-3 two']);
  });

  it('stops at a pod that does not become ready, until that is mended by hand', async () => {
    await create();
    await world.advance('5s');
    const readinessProbe = { exec: { command: ['x'] }, periodSeconds: 1 };
    const broken = template(
      'db',
      'bad',
      { 'healthy-after': 'never' },
      { containers: [{ name: 'main', image: 'bad', readinessProbe }] },
    );
    await world.patch(statefulSets, 'db', { spec: { template: broken } });
    await world.advance('1m');
    expect(await world.images('db')).toEqual(['db-0 one', 'db-1 one', 'db-2 bad']);
    await newImage('two');
    await world.advance('1m');
    // As documented: the pod that never was ready is waited for.
    expect((await world.images('db'))[2]).toBe('db-2 bad');
    await world.delete(pods, 'db-2');
    await world.advance('30s');
    expect(await world.images('db')).toEqual(['db-0 two', 'db-1 two', 'db-2 two']);
  });

  it('waits for pods to be deleted where it is told to', async () => {
    await create({ updateStrategy: { type: 'OnDelete' } });
    await world.advance('5s');
    await newImage('two');
    await world.advance('10s');
    expect(await world.images('db')).toEqual(['db-0 one', 'db-1 one', 'db-2 one']);
    await world.delete(pods, 'db-1');
    await world.advance('5s');
    expect(await world.images('db')).toEqual(['db-0 one', 'db-1 two', 'db-2 one']);
  });

  it('keeps a history, in which an old template is found again', async () => {
    await create({ replicas: 1, revisionHistoryLimit: 1 });
    await world.advance('3s');
    for (const image of ['two', 'three', 'four', 'two']) {
      await newImage(image);
      await world.advance('10s');
    }
    const { items } = await world.cluster.client.list(controllerRevisions, { namespace: NAMESPACE });
    expect(items.map((r) => r.revision).sort()).toEqual([4, 5]);
  });
});

describe('its claims', () => {
  const volumeClaimTemplates = [
    {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  const claims = async () =>
    (await world.cluster.client.list(persistentVolumeClaims, { namespace: NAMESPACE })).items.map(
      (c) => c.metadata.name,
    );

  it('are made before the pods, and stay', async () => {
    await create({ replicas: 1, volumeClaimTemplates });
    await world.advance('5s');
    expect(await claims()).toEqual(['data-db-0']);
    const [pod] = await world.pods('db');
    expect(pod?.spec?.volumes?.[0]).toMatchObject({ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } });
    await world.delete(statefulSets, 'db');
    await world.advance('10s');
    expect(await names()).toEqual([]);
    expect(await claims()).toEqual(['data-db-0']);
  });

  it('go with the set where it says so', async () => {
    const policy = { whenDeleted: 'Delete', whenScaled: 'Retain' };
    await create({ replicas: 1, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy });
    await world.advance('5s');
    await world.delete(statefulSets, 'db');
    await world.advance('30s');
    expect(await claims()).toEqual([]);
  });

  it('go with the pods that are scaled away where the set says so, and with no others', async () => {
    const policy = { whenDeleted: 'Retain', whenScaled: 'Delete' };
    await create({ replicas: 3, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy });
    await world.advance('15s');
    const uid = async (name: string) => (await world.get(persistentVolumeClaims, name)).metadata.uid;
    const kept = await uid('data-db-0');
    await world.delete(pods, 'db-0');
    await world.patch(statefulSets, 'db', { spec: { replicas: 2 } });
    await world.advance('60s');
    expect(await claims()).toEqual(['data-db-0', 'data-db-1']);
    expect(await uid('data-db-0')).toBe(kept);
    await world.delete(statefulSets, 'db');
    await world.advance('60s');
    expect(await claims()).toEqual(['data-db-0', 'data-db-1']);
  });
});
