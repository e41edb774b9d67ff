/** Ephemeral volumes: claims that are a pod's own, from the pod to the end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { events } from '../../src/apis/core/event.ts';
import { persistentVolumes } from '../../src/apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { isReady, NAMESPACE, Simulation } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const scratch = { name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: { labels: { for: 'job' } }, spec } } };
const create = (name: string) =>
  world.create(pods, name, {
    spec: {
      containers: [{ name: 'main', image: 'one', volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }],
      volumes: [scratch],
    },
  });
const volumes = async () => (await world.cluster.client.list(persistentVolumes)).items;

describe('an ephemeral volume', () => {
  it('comes with its pod and goes with it', async () => {
    const pod = await create('worker');
    await world.advance('3s');
    expect(isReady(await world.get(pods, 'worker'))).toBe(true);
    const claim = await world.get(persistentVolumeClaims, 'worker-scratch');
    expect(claim.status?.phase).toBe('Bound');
    expect(claim.metadata.labels).toEqual({ for: 'job' });
    const { uid } = pod.metadata;
    expect(claim.metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Pod', name: 'worker', uid, controller: true, blockOwnerDeletion: true },
    ]);
    await world.delete(pods, 'worker');
    await world.advance('40s');
    await expect(world.get(persistentVolumeClaims, 'worker-scratch')).rejects.toThrow('not found');
    expect(await volumes()).toEqual([]);
  });

  it("is not another's claim that has its name, until that is gone", async () => {
    await world.create(persistentVolumeClaims, 'worker-scratch', { spec });
    await create('worker');
    await world.advance('3s');
    const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
    const told = items.find((e) => e.reason === 'FailedBinding' && e.involvedObject.kind === 'Pod');
    expect(told?.message).toBe(
      'ephemeral volume scratch: PVC default/worker-scratch was not created for pod default/worker (pod is not owner)',
    );
    expect((await world.get(pods, 'worker')).spec?.nodeName).toBeFalsy();
    // The pod that waits for its own holds it as if it were to use it.
    const { metadata } = await world.get(persistentVolumeClaims, 'worker-scratch');
    await world.patch(persistentVolumeClaims, 'worker-scratch', { metadata: { finalizers: null } });
    await world.cluster.client.delete(persistentVolumeClaims, { namespace: NAMESPACE, name: 'worker-scratch' });
    await world.advance('10s');
    expect((await world.get(persistentVolumeClaims, 'worker-scratch')).metadata.uid).not.toBe(metadata.uid);
    expect(isReady(await world.get(pods, 'worker'))).toBe(true);
  });

  it('is made anew for another pod of the same name', async () => {
    await create('worker');
    await world.advance('3s');
    const before = (await world.get(persistentVolumeClaims, 'worker-scratch')).metadata.uid;
    await world.delete(pods, 'worker', 0);
    await create('worker');
    await world.advance('60s');
    expect((await world.get(persistentVolumeClaims, 'worker-scratch')).metadata.uid).not.toBe(before);
    expect(isReady(await world.get(pods, 'worker'))).toBe(true);
  });
});
