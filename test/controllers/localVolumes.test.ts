/** Volumes of the cluster's own storage class, from the claim to the end, on simulated nodes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { events } from '../../src/apis/core/event.ts';
import { persistentVolumes } from '../../src/apis/core/persistentVolume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { type StorageClass, storageClasses } from '../../src/apis/storage/storageClass.ts';
import { isReady, NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

const claim = (size = '1Gi', spec: PersistentVolumeClaim['spec'] = {}) =>
  world.create(persistentVolumeClaims, 'data', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, ...spec },
  });
const user = (name = 'user', spec = {}) =>
  world.create(pods, name, {
    spec: {
      ...template(name, 'one').spec,
      containers: [{ name: 'main', image: 'one', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      ...spec,
    },
  });
const theClaim = () => world.get(persistentVolumeClaims, 'data');
const volumes = async () => (await world.cluster.client.list(persistentVolumes)).items;
const reasons = async (kind: string) => {
  const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
  return items.filter((e) => e.involvedObject.kind === kind).map((e) => e.reason);
};
const newClass = (name: string, rest: Omit<StorageClass, 'metadata'>) =>
  world.cluster.client.create(storageClasses, { metadata: { name }, ...rest });

describe('a claim of the default class', () => {
  it('gets a volume on the node of its first pod, and the pod runs', async () => {
    await claim();
    await world.advance('1s');
    expect((await theClaim()).spec?.storageClassName).toBe('standard');
    expect((await theClaim()).status?.phase).toBe('Pending');
    expect(await reasons('PersistentVolumeClaim')).toEqual(['WaitForFirstConsumer']);
    await user('user', { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
    await world.advance('3s');
    const pod = await world.get(pods, 'user');
    expect(isReady(pod)).toBe(true);
    expect(pod.spec?.nodeName).toBe('node-1');
    const bound = await theClaim();
    expect(bound.status).toMatchObject({ phase: 'Bound', capacity: { storage: '1Gi' } });
    const [volume] = await volumes();
    expect(volume?.metadata.name).toBe(`pvc-${bound.metadata.uid}`);
    expect(volume?.spec).toMatchObject({
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'standard',
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ values: ['node-1'] }] }] } },
    });
    expect(volume?.status?.phase).toBe('Bound');
    expect(await reasons('PersistentVolumeClaim')).toEqual(
      expect.arrayContaining(['WaitForFirstConsumer', 'ExternalProvisioning', 'Provisioning', 'ProvisioningSucceeded']),
    );
  });

  it('holds its pods on the node of the volume', async () => {
    await claim();
    await user();
    await world.advance('3s');
    const first = await world.get(pods, 'user');
    await world.delete(pods, 'user', 0);
    await user('next');
    await world.advance('3s');
    expect((await world.get(pods, 'next')).spec?.nodeName).toBe(first.spec?.nodeName);
  });

  it('stays while a pod uses it, and then takes its volume along', async () => {
    await claim();
    await user();
    await world.advance('3s');
    await world.delete(persistentVolumeClaims, 'data');
    await world.advance('3s');
    expect((await theClaim()).metadata.deletionTimestamp).toBeDefined();
    await world.delete(pods, 'user', 0);
    await world.advance('5s');
    await expect(theClaim()).rejects.toThrow('not found');
    expect(await volumes()).toEqual([]);
  });

  it('keeps a volume that is to be kept', async () => {
    await claim();
    await user();
    await world.advance('3s');
    const [volume] = await volumes();
    const name = volume?.metadata.name ?? '';
    await world.cluster.client.patch(persistentVolumes, { name }, 'merge', {
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
    await world.delete(pods, 'user', 0);
    await world.delete(persistentVolumeClaims, 'data');
    await world.advance('5s');
    expect((await volumes())[0]?.status?.phase).toBe('Released');
    await world.cluster.client.delete(persistentVolumes, { name });
    await world.advance('2s');
    expect(await volumes()).toEqual([]);
  });

  it('waits with a volume that is deleted before its claim', async () => {
    await claim();
    await user();
    await world.advance('3s');
    await world.cluster.client.delete(persistentVolumes, { name: (await volumes())[0]?.metadata.name ?? '' });
    await world.advance('3s');
    expect(await volumes()).toHaveLength(1);
    await world.delete(pods, 'user', 0);
    await world.delete(persistentVolumeClaims, 'data');
    await world.advance('5s');
    expect(await volumes()).toEqual([]);
  });

  it('grows', async () => {
    await claim();
    await user();
    await world.advance('3s');
    await world.patch(persistentVolumeClaims, 'data', { spec: { resources: { requests: { storage: '3Gi' } } } });
    await world.advance('3s');
    const { status } = await theClaim();
    expect(status).toMatchObject({ capacity: { storage: '3Gi' }, allocatedResources: { storage: '3Gi' } });
    expect(status?.conditions).toBeUndefined();
    expect(status?.allocatedResourceStatuses).toBeUndefined();
    expect((await volumes())[0]?.spec?.capacity).toEqual({ storage: '3Gi' });
    expect(await reasons('PersistentVolumeClaim')).toEqual(
      expect.arrayContaining(['Resizing', 'VolumeResizeSuccessful']),
    );
    expect(isReady(await world.get(pods, 'user'))).toBe(true);
  });

  it.each([
    ['ReadWriteMany', { accessModes: ['ReadWriteMany'] }, 'ReadWriteMany'],
    ['Block', { volumeMode: 'Block' }, 'block device'],
    ['a selector', { selector: { matchLabels: { a: 'b' } } }, 'selector'],
  ])('is told why it cannot have %s', async (_what, spec, why) => {
    await claim('1Gi', spec);
    await user();
    await world.advance('3s');
    const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
    expect(items.find((e) => e.reason === 'ProvisioningFailed')?.message).toContain(why);
    expect((await theClaim()).status?.phase).toBe('Pending');
  });
});

describe('other classes of the same provisioner', () => {
  it('may bind at once, on a node of an allowed topology', async () => {
    await newClass('now', {
      provisioner: 'kubets.io/local',
      volumeBindingMode: 'Immediate',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['node-2'] }] }],
    });
    await claim('1Gi', { storageClassName: 'now' });
    await world.advance('3s');
    expect((await theClaim()).status?.phase).toBe('Bound');
    await user();
    await world.advance('3s');
    expect((await world.get(pods, 'user')).spec?.nodeName).toBe('node-2');
  });

  it('say what they do not understand', async () => {
    await newClass('odd', { provisioner: 'kubets.io/local', parameters: { fast: 'yes' } });
    await claim('1Gi', { storageClassName: 'odd' });
    await world.advance('3s');
    const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
    expect(items.find((e) => e.reason === 'ProvisioningFailed')?.message).toContain('fast');
  });
});
