import { afterEach, describe, expect, it } from 'vitest';
import { replicaSets } from '../../src/apis/apps/replicaSet.ts';
import { leases } from '../../src/apis/coordination/lease.ts';
import { events } from '../../src/apis/core/event.ts';
import { nodes } from '../../src/apis/core/node.ts';
import { type Pod, pods } from '../../src/apis/core/pod.ts';
import { formatMicroTime, formatTime } from '../../src/machinery/time.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
afterEach(() => world.stop());

/** Nodes that are nothing but objects: heard of as long as somebody writes their leases. */
async function addGhosts(names: readonly string[]) {
  const { client, clock } = world.cluster;
  for (const name of names) {
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: formatTime(clock.now()) }];
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
    await client.create(nodes, { metadata: { name, labels: { 'topology.kubernetes.io/zone': 'far' } } });
    await client.patch(nodes, { name }, 'merge', { status: { conditions, allocatable } }, { subresource: 'status' });
  }
}
const bind = (name: string, nodeName: string, more: Partial<NonNullable<Pod['spec']>> = {}) =>
  world.cluster.client.create(pods, {
    metadata: { name, namespace: NAMESPACE },
    spec: { nodeName, containers: [{ name: 'c', image: 'one' }], ...more },
  });
async function tainted(): Promise<string[]> {
  const { items } = await world.cluster.client.list(nodes);
  return items.filter((n) => n.spec?.taints?.some((t) => t.effect === 'NoExecute')).map((n) => n.metadata.name);
}

it('is told of in events when it comes and when it goes', async () => {
  world = await Simulation.start({ nodes: 1 });
  const told = async (reason: string) => {
    const { items } = await world.cluster.client.list(events);
    return items.filter((e) => e.reason === reason && e.involvedObject.name === 'far-1').map((e) => e.message);
  };
  await addGhosts(['far-1']);
  await world.advance('2s');
  expect(await told('RegisteredNode')).toEqual(['Node far-1 event: Registered Node far-1 in Controller']);
  await world.cluster.client.delete(nodes, { name: 'far-1' });
  await world.advance('2s');
  expect(await told('RemovingNode')).toEqual(['Node far-1 event: Removing Node far-1 from Controller']);
});

describe('nodes that fall silent', () => {
  it('lose their pods one node after the other; a set makes them anew elsewhere', async () => {
    world = await Simulation.start({ nodes: 2 });
    const heard = ['far-3', 'far-4', 'far-5', 'far-6'];
    await addGhosts(['far-1', 'far-2', ...heard]);
    await bind('lone', 'far-1');
    const beat = async (seconds: number) => {
      for (let s = 0; s < seconds; s += 5) {
        for (const name of heard) {
          const spec = { holderIdentity: name, renewTime: formatMicroTime(world.cluster.clock.now()) };
          const ref = { namespace: 'kube-node-lease', name };
          await world.cluster.client
            .patch(leases, ref, 'merge', { spec })
            .catch(() => world.cluster.client.create(leases, { metadata: ref, spec }));
        }
        await world.advance('5s');
      }
    };
    await beat(45);
    expect(await tainted()).toEqual([]);
    await beat(10);
    expect(await tainted()).toHaveLength(1);
    await beat(10);
    expect([...(await tainted())].sort()).toEqual(['far-1', 'far-2']);
    // Every pod tolerates this for five minutes.
    await beat(275);
    expect((await world.get(pods, 'lone')).metadata.deletionTimestamp).toBeUndefined();
    await beat(40);
    const lone = await world.get(pods, 'lone');
    expect(lone.metadata.deletionTimestamp).toBeDefined();
    expect(lone.status?.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({
      observedGeneration: 1,
      status: 'True',
      reason: 'DeletionByTaintManager',
    });
    // Whoever looks after the node says that nothing runs there.
    const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }];
    await world.cluster.client.patch(nodes, { name: 'far-1' }, 'merge', { spec: { taints } });
    await beat(5);
    await expect(world.get(pods, 'lone')).rejects.toMatchObject({ status: { reason: 'NotFound' } });
  });

  it('keep their pods where all are silent: then the fault is elsewhere', async () => {
    world = await Simulation.start({ nodes: 0 });
    await addGhosts(['a', 'b', 'c']);
    await bind('lone', 'a', { tolerations: [] });
    await world.advance('1h');
    expect(await tainted()).toEqual([]);
    expect((await world.get(pods, 'lone')).metadata.deletionTimestamp).toBeUndefined();
    const node = await world.cluster.client.get(nodes, { name: 'a' });
    expect(node.spec?.taints).toMatchObject([{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }]);
    expect(node.status?.conditions).toMatchObject([{ status: 'Unknown' }, {}, {}, {}]);
  });

  it('lose their pods when they are deleted, which are made anew', async () => {
    world = await Simulation.start({ nodes: 1 });
    await addGhosts(['far-1']);
    const spec = { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('web', 'one') };
    const cordon = (unschedulable: boolean) =>
      world.cluster.client.patch(nodes, { name: 'node-0' }, 'merge', { spec: { unschedulable } });
    await cordon(true);
    await world.advance('1s');
    await world.create(replicaSets, 'web', { spec });
    await world.advance('5s');
    await cordon(false);
    expect((await world.pods('web')).every((pod) => pod.spec?.nodeName === 'far-1')).toBe(true);
    await world.cluster.client.delete(nodes, { name: 'far-1' });
    await world.advance('50s');
    const all = await world.pods('web');
    expect(all).toHaveLength(3);
    for (const pod of all) expect(pod.spec?.nodeName).toBe('node-0');
  });
});

it('nodes get ranges of addresses for their pods, of both families, and give them back', async () => {
  world = await Simulation.start({ nodes: 1, podCIDRs: ['100.64.0.0/22', 'fd00:64::/62'] });
  const cidrs = async (name: string) => (await world.cluster.client.get(nodes, { name })).spec?.podCIDRs;
  const add = async (name: string) => {
    await world.cluster.client.create(nodes, { metadata: { name } });
    await world.advance('1s');
  };
  // The first part is of the simulated node, which brings it.
  for (const name of ['a', 'b', 'c', 'd']) await add(name);
  expect(await cidrs('a')).toEqual(['100.64.1.0/24', 'fd00:64::/64']);
  expect(await cidrs('c')).toEqual(['100.64.3.0/24', 'fd00:64:0:2::/64']);
  expect((await world.cluster.client.get(nodes, { name: 'c' })).spec?.podCIDR).toBe('100.64.3.0/24');
  expect(await cidrs('d')).toBeUndefined();
  const told = await world.cluster.client.list(events, { fieldSelector: 'reason=CIDRNotAvailable' });
  expect(told.items).toMatchObject([{ involvedObject: { name: 'd' } }]);
  await world.cluster.client.delete(nodes, { name: 'b' });
  await world.advance('1s');
  expect(await cidrs('d')).toEqual(['100.64.2.0/24', 'fd00:64:0:3::/64']);
});

it('nodes say what they are fit for', async () => {
  world = await Simulation.start({ nodes: 1 });
  const { client } = world.cluster;
  const [node] = (await client.list(nodes)).items;
  const name = node?.metadata.name ?? '';
  await client.patch(nodes, { name }, 'merge', { spec: { unschedulable: true } });
  await world.advance('15s');
  await client.patch(nodes, { name }, 'merge', { spec: { unschedulable: false } });
  await world.advance('15s');
  const said = (await client.list(events, { namespace: 'default' })).items.filter(
    (e) => e.involvedObject.kind === 'Node',
  );
  expect(said.map((e) => e.reason)).toEqual(
    expect.arrayContaining([
      'NodeHasSufficientMemory',
      'NodeHasNoDiskPressure',
      'NodeHasSufficientPID',
      'NodeReady',
      'NodeNotSchedulable',
      'NodeSchedulable',
    ]),
  );
});
