import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DaemonSetSpec, daemonSets } from '../../src/apis/apps/daemonSet.ts';
import { nodes } from '../../src/apis/core/node.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { isReady, NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start({ nodes: ['a', 'b', 'c'] });
});
afterEach(() => world.stop());

const status = async () => (await world.get(daemonSets, 'agent')).status;
const nodesOf = async () => (await world.pods('agent')).map((pod) => pod.spec?.nodeName).sort();
const newImage = (image: string, behavior = {}) =>
  world.patch(daemonSets, 'agent', { spec: { template: template('agent', image, behavior) } });

function create(spec: Partial<DaemonSetSpec> = {}, behavior = {}) {
  const rest = { selector: { matchLabels: { app: 'agent' } }, template: template('agent', 'one', behavior) };
  return world.create(daemonSets, 'agent', { spec: { ...rest, ...spec } });
}

const patchNode = (name: string, patch: unknown) => world.cluster.client.patch(nodes, { name }, 'merge', patch);

describe('a daemon set', () => {
  it('has a pod on every node, with the tolerations of daemons', async () => {
    await create();
    await world.advance('3s');
    expect(await nodesOf()).toEqual(['a', 'b', 'c']);
    expect(await status()).toMatchObject({ desiredNumberScheduled: 3, numberReady: 3, numberAvailable: 3 });
    const [pod] = await world.pods('agent');
    expect(pod?.spec?.tolerations?.map((t) => t.key)).toEqual(
      expect.arrayContaining(['node.kubernetes.io/unschedulable', 'node.kubernetes.io/disk-pressure']),
    );
  });

  it('keeps to the nodes that it selects, and follows their labels', async () => {
    await patchNode('b', { metadata: { labels: { disk: 'fast' } } });
    await create({ template: template('agent', 'one', {}, { nodeSelector: { disk: 'fast' } }) });
    await world.advance('3s');
    expect(await nodesOf()).toEqual(['b']);
    await patchNode('c', { metadata: { labels: { disk: 'fast' } } });
    await patchNode('b', { metadata: { labels: { disk: null } } });
    await world.advance('5s');
    expect(await nodesOf()).toEqual(['c']);
  });

  it('runs on cordoned nodes, but not on tainted ones', async () => {
    await patchNode('a', { spec: { unschedulable: true } });
    await patchNode('b', { spec: { taints: [{ key: 'own', effect: 'NoSchedule' }] } });
    await create();
    await world.advance('3s');
    expect(await nodesOf()).toEqual(['a', 'c']);
  });

  it('replaces a pod that failed, or was deleted', async () => {
    await create();
    await world.advance('3s');
    const [first, second] = await world.pods('agent');
    const ref = { namespace: NAMESPACE, name: first?.metadata.name ?? '' };
    await world.cluster.client.patch(pods, ref, 'merge', { status: { phase: 'Failed' } }, { subresource: 'status' });
    await world.delete(pods, second?.metadata.name ?? '');
    await world.advance('5s');
    expect(await nodesOf()).toEqual(['a', 'b', 'c']);
    expect((await world.pods('agent')).every(isReady)).toBe(true);
  });
});

describe('an update', () => {
  it('goes node by node', async () => {
    await create({}, { 'start-delay': '500ms' });
    await world.advance('5s');
    await newImage('two', { 'start-delay': '500ms' });
    let least = 3;
    await world.watching('agent', { seconds: 10, stepMs: 100 }, (all) => {
      least = Math.min(least, all.filter(isReady).length);
    });
    expect(least).toBe(2);
    expect((await world.images('agent')).every((line) => line.endsWith(' two'))).toBe(true);
    expect(await status()).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3 });
  });

  it('makes the new pods first where it may surge, and is never without one', async () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await create({ updateStrategy }, { 'start-delay': '500ms' });
    await world.advance('5s');
    await newImage('two', { 'start-delay': '500ms' });
    let most = 0;
    await world.watching('agent', { seconds: 10, stepMs: 100 }, (all) => {
      const ready = new Set(all.filter(isReady).map((pod) => pod.spec?.nodeName));
      expect(ready.size).toBe(3);
      most = Math.max(most, all.filter((p) => p.metadata.deletionTimestamp === undefined).length);
    });
    expect(most).toBe(4);
    expect((await world.images('agent')).every((line) => line.endsWith(' two'))).toBe(true);
  });

  it('waits for pods to be deleted where it is told to', async () => {
    await create({ updateStrategy: { type: 'OnDelete' } });
    await world.advance('3s');
    await newImage('two');
    await world.advance('10s');
    expect((await world.images('agent')).every((line) => line.endsWith(' one'))).toBe(true);
    await world.delete(pods, (await world.pods('agent'))[0]?.metadata.name ?? '');
    await world.advance('5s');
    expect((await world.images('agent')).filter((line) => line.endsWith(' two'))).toHaveLength(1);
  });
});
