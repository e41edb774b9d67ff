import { describe, expect, it } from 'vitest';
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { START, setOf, TinyWorld } from '../testing/objects.ts';
import { BURST } from './plan.ts';
import { podsToDelete } from './podOrder.ts';

const names = (all: readonly { metadata: { name: string } }[]) => all.map((o) => o.metadata.name);

function worldOf(spec = {}) {
  const world = new TinyWorld();
  world.put(replicaSets, setOf(spec));
  const set = () => {
    const found = world.get(replicaSets, 'web');
    if (found === undefined) throw new Error('the set is gone');
    return found;
  };
  const step = () => world.carryOut(world.planSet(set()));
  return { world, set, step };
}

describe('a replica set', () => {
  it('makes the pods that are missing, from its template and as its own', () => {
    const { world, set, step } = worldOf();
    step();
    expect(world.list(pods)).toHaveLength(3);
    expect(world.list(pods)[0]).toMatchObject({
      metadata: {
        generateName: 'web-',
        labels: { app: 'web' },
        ownerReferences: [{ kind: 'ReplicaSet', uid: set().metadata.uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: { containers: [{ image: 'one' }] },
    });
    expect(world.events).toHaveLength(3);
    expect(world.events[0]).toMatch(/^SuccessfulCreate: Created pod: web-/);
    step();
    expect(set().status).toMatchObject({ replicas: 3, fullyLabeledReplicas: 3, observedGeneration: 1 });
    expect(step()).toBe(false);
  });

  it('makes no more at once than a burst', () => {
    const { world } = worldOf({ replicas: BURST + 100 });
    const set = world.list(replicaSets)[0];
    expect(set && world.planSet(set).actions).toHaveLength(BURST);
  });

  it('says how far it is while many pods are still to be made', () => {
    const { set, step } = worldOf({ replicas: 3 * BURST });
    step();
    step();
    expect(set().status?.replicas).toBe(BURST);
    while (step());
    expect(set().status?.replicas).toBe(3 * BURST);
  });

  it('adopts pods that it selects, and lets go of those that it no longer selects', () => {
    const { world, set, step } = worldOf();
    world.put<Pod>(pods, { metadata: { name: 'stray', labels: { app: 'web' } } });
    world.put<Pod>(pods, { metadata: { name: 'other', labels: { app: 'db' } } });
    step();
    expect(world.owned(pods, set().metadata.uid)).toHaveLength(3);
    const stray = world.get(pods, 'stray') as Stored<Pod>;
    expect(stray.metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', controller: true }]);
    world.put(pods, { ...stray, metadata: { ...stray.metadata, labels: { app: 'elsewhere' } } });
    step();
    expect(world.get(pods, 'stray')?.metadata.ownerReferences ?? []).toEqual([]);
    expect(world.owned(pods, set().metadata.uid)).toHaveLength(3);
  });

  it('leaves pods alone while it is being deleted', () => {
    const { world, step } = worldOf();
    const set = world.list(replicaSets)[0] as Stored<ReturnType<typeof setOf>>;
    world.put(replicaSets, { ...set, metadata: { ...set.metadata, deletionTimestamp: formatTime(START) } });
    world.put<Pod>(pods, { metadata: { name: 'stray', labels: { app: 'web' } } });
    step();
    expect(world.orphans(pods)).toHaveLength(1);
    expect(world.list(pods)).toHaveLength(1);
  });

  it('replaces pods that failed or are being deleted, and counts those that are going', () => {
    const { world, set, step } = worldOf();
    step();
    const [a, b] = world.list(pods);
    if (a === undefined || b === undefined) throw new Error('no pods');
    world.setPodStatus(a, 'Failed', false);
    world.put(pods, { ...b, metadata: { ...b.metadata, deletionTimestamp: formatTime(START) } });
    step();
    expect(world.list(pods)).toHaveLength(5);
    step();
    expect(set().status).toMatchObject({ replicas: 3, terminatingReplicas: 1 });
  });

  it('counts a pod as available once it has been ready for long enough, and looks again then', () => {
    const { world, set, step } = worldOf({ replicas: 1, minReadySeconds: 30 });
    step();
    for (const pod of world.list(pods)) world.setPodStatus(pod, 'Running', true);
    world.now += 10_000;
    expect(world.planSet(set()).againMs).toBe(20_000);
    step();
    expect(set().status).toMatchObject({ readyReplicas: 1 });
    expect(set().status?.availableReplicas).toBeUndefined();
    world.now += 20_000;
    step();
    expect(set().status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
  });

  it('makes pods that fail at once anew less often', () => {
    const { world, step } = worldOf({ replicas: 1 });
    const fail = () => {
      for (const pod of world.list(pods)) world.put<Pod>(pods, { ...pod, status: { phase: 'Failed' } });
    };
    for (let i = 0; i < 20; i++, fail()) step();
    expect(world.list(pods)).toHaveLength(5);
    world.now += 6_000;
    for (let i = 0; i < 20; i++, fail()) step();
    expect(world.list(pods)).toHaveLength(10);
  });

  it('says why pods cannot be made, until they can', () => {
    const { world, set, step } = worldOf();
    const failed = world.planSet(set()).after?.(apiError('Forbidden', 'exceeded quota'));
    expect(failed).toMatchObject([
      {
        verb: 'update',
        subresource: 'status',
        object: {
          status: {
            conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
          },
        },
      },
    ]);
    const [update] = failed ?? [];
    if (update?.verb !== 'update') throw new Error('no update');
    world.put(replicaSets, update.object);
    // What was made just now is told of when it is seen.
    step();
    expect(set().status?.conditions).toHaveLength(1);
    step();
    expect(set().status).toMatchObject({ replicas: 3 });
    expect(set().status?.conditions ?? []).toEqual([]);
  });
});

describe('of too many pods', () => {
  const base = START - 3_600_000;
  const pod = (
    name: string,
    more: { node?: string; phase?: string; ready?: number; cost?: string; restarts?: number; age?: number } = {},
  ) => {
    const { node = 'n1', phase = 'Running', ready = base, cost, restarts = 0, age = base } = more;
    return {
      metadata: {
        name,
        uid: name,
        resourceVersion: '1',
        creationTimestamp: formatTime(age),
        ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      },
      spec: { containers: [], ...(node === '' ? {} : { nodeName: node }) },
      status: {
        phase,
        conditions: [{ type: 'Ready', status: ready === 0 ? 'False' : 'True', lastTransitionTime: formatTime(ready) }],
        containerStatuses: [{ name: 'c', restartCount: restarts }],
      },
    } as unknown as Stored<Pod>;
  };

  const cases: [string, Stored<Pod>, Stored<Pod>][] = [
    ['one without a node', pod('a', { node: '' }), pod('b')],
    ['one that is pending', pod('a', { phase: 'Pending' }), pod('b')],
    ['one of unknown phase', pod('a', { phase: 'Unknown' }), pod('b')],
    ['one that is not ready', pod('a', { ready: 0 }), pod('b')],
    ['one that costs less', pod('a', { cost: '-5' }), pod('b')],
    ['one that was ready last', pod('a', { ready: START - 1000 }), pod('b')],
    ['one that restarted more often', pod('a', { restarts: 3 }), pod('b')],
    ['the younger one', pod('a', { age: START - 1000 }), pod('b')],
    [
      'one that costs less, though ready for longer',
      pod('a', { cost: '1' }),
      pod('b', { cost: '2', ready: START - 1000 }),
    ],
    ['the younger one, where the cost is nonsense', pod('a', { age: START - 1000 }), pod('b', { cost: '-1x' })],
  ];
  it.each(cases)('%s goes first', (_what, first, second) => {
    expect(names(podsToDelete([second, first], [second, first], 1, START))).toEqual(['a']);
  });

  it('one goes first whose node has more of them', () => {
    const all = [pod('a', { node: 'n2' }), pod('b'), pod('c')];
    expect(names(podsToDelete(all, all, 1, START))).toEqual(['b']);
  });
});
