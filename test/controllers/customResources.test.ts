/** Custom resources are owned, own, are emptied with their namespaces and counted, like any other object. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../../src/apis/apiextensions/customResourceDefinition.ts';
import { configMaps } from '../../src/apis/core/configMap.ts';
import { namespaces } from '../../src/apis/core/namespace.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { resourceQuotas } from '../../src/apis/core/resourceQuota.ts';
import { podDisruptionBudgets } from '../../src/apis/policy/podDisruptionBudget.ts';
import { defineKind, type Kind, type KubeObject, type Stored } from '../../src/machinery/kind.ts';
import { object, opt, str } from '../../src/machinery/schema/types.ts';
import { NAMESPACE, Simulation } from './simulation.ts';

const Any = object('Any', () => ({ spec: opt(1, str) }));
const GROUP = 'farm.example.com';

const kindOf = (version: string, kind: string, plural: string, namespaced = true): Kind =>
  defineKind<KubeObject>({ group: GROUP, version, kind, plural, namespaced, schema: Any as never });
const cows = kindOf('v1', 'Cow', 'cows');
const herds = kindOf('v1', 'Herd', 'herds', false);

function definitionOf({ kind, plural, namespaced }: Kind, served = ['v1']): CustomResourceDefinition {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, kind },
      versions: ['v1', 'v1beta1'].map((name) => ({
        name,
        served: served.includes(name),
        storage: name === 'v1',
        schema,
      })),
    },
  } as CustomResourceDefinition;
}

let simulation: Simulation;
beforeEach(async () => {
  simulation = await Simulation.start();
});
afterEach(() => simulation.stop());

const define = async (kind: Kind, served?: string[]) => {
  await simulation.cluster.client.create(customResourceDefinitions, definitionOf(kind, served));
  await simulation.advance('2s');
};
const ownedBy = (owner: Stored<KubeObject>, more: object = {}) => {
  const { apiVersion = '', kind = '', metadata } = owner;
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }] };
};
const create = (kind: Kind, name: string, meta: object = {}, namespace = NAMESPACE) =>
  simulation.cluster.client.create(kind, {
    metadata: { name, ...(kind.namespaced ? { namespace } : {}), ...meta },
    ...(kind === (pods as Kind) ? { spec: { containers: [{ name: 'c', image: 'a:1' }] } } : {}),
  } as KubeObject);
const namesOf = async (kind: Kind, namespace = NAMESPACE) => {
  const { items } = await simulation.cluster.client.list(kind, kind.namespaced ? { namespace } : {});
  return items.map((o) => o.metadata.name).filter((name) => name !== 'kube-root-ca.crt');
};

describe('the garbage collector', () => {
  it('deletes what custom resources own, and custom resources that are owned', async () => {
    await define(cows);
    const cow = await create(cows, 'lisa');
    await create(pods as Kind, 'milk', ownedBy(cow));
    const farmer = await create(configMaps as Kind, 'farmer');
    await create(cows, 'berta', ownedBy(farmer));
    await create(pods as Kind, 'free', ownedBy({ ...cow, metadata: { ...cow.metadata, uid: 'other', name: 'none' } }));
    await simulation.advance('5s');
    expect(await namesOf(cows)).toEqual(['berta', 'lisa']);
    // Of an owner that never was.
    expect(await namesOf(pods as Kind)).toEqual(['milk']);
    await simulation.delete(cows, 'lisa');
    await simulation.delete(configMaps, 'farmer');
    await simulation.advance('40s');
    expect(await namesOf(cows)).toEqual([]);
    expect(await namesOf(pods as Kind)).toEqual([]);
  });

  it('finds owners by every version, and waits for dependents where it must', async () => {
    await define(cows, ['v1', 'v1beta1']);
    const cow = await create(cows, 'lisa');
    const old = { ...cow, apiVersion: `${GROUP}/v1beta1` } as Stored<KubeObject>;
    await create(configMaps as Kind, 'milk', { ...ownedBy(old, { blockOwnerDeletion: true }), finalizers: ['a.b/c'] });
    await simulation.advance('2s');
    expect(await namesOf(configMaps as Kind)).toEqual(['milk']);
    const ref = { namespace: NAMESPACE, name: 'lisa' };
    await simulation.cluster.client.delete(cows, ref, { propagationPolicy: 'Foreground' });
    await simulation.advance('5s');
    expect(await namesOf(cows)).toEqual(['lisa']);
    await simulation.patch(configMaps, 'milk', { metadata: { finalizers: null } });
    await simulation.advance('5s');
    expect(await namesOf(cows)).toEqual([]);
  });

  it('lets dependents go that are to be orphans', async () => {
    await define(cows);
    const cow = await create(cows, 'lisa');
    await create(configMaps as Kind, 'milk', ownedBy(cow));
    await simulation.advance('2s');
    const ref = { namespace: NAMESPACE, name: 'lisa' };
    await simulation.cluster.client.delete(cows, ref, { propagationPolicy: 'Orphan' });
    await simulation.advance('5s');
    expect(await namesOf(cows)).toEqual([]);
    expect((await simulation.get(configMaps, 'milk')).metadata.ownerReferences).toBeUndefined();
  });

  it('judges what was owned before anybody knew the kind, and what is left when the kind goes', async () => {
    const owner = { apiVersion: `${GROUP}/v1`, kind: 'Herd', metadata: { name: 'all', uid: 'unknown' } };
    await create(configMaps as Kind, 'milk', ownedBy(owner as unknown as Stored<KubeObject>));
    await simulation.advance('10s');
    expect(await namesOf(configMaps as Kind)).toEqual(['milk']);
    await define(herds);
    await simulation.advance('5s');
    expect(await namesOf(configMaps as Kind)).toEqual([]);
    const herd = await create(herds, 'all');
    await create(configMaps as Kind, 'cheese', ownedBy(herd));
    await simulation.cluster.client.delete(customResourceDefinitions, { name: `herds.${GROUP}` });
    await simulation.advance('10s');
    expect(await namesOf(configMaps as Kind)).toEqual([]);
  });

  it('leaves alone what belongs to a kind that is not served for a while', async () => {
    await define(herds);
    const herd = await create(herds, 'all');
    await create(configMaps as Kind, 'cheese', ownedBy(herd));
    await simulation.advance('2s');
    const ref = { name: `herds.${GROUP}` };
    const { client } = simulation.cluster;
    const versions = (served: string[]) => ({ spec: { versions: definitionOf(herds, served).spec.versions } });
    await client.patch(customResourceDefinitions, ref, 'merge', versions([]));
    await simulation.advance('60s');
    await client.patch(customResourceDefinitions, ref, 'merge', versions(['v1', 'v1beta1']));
    await simulation.advance('60s');
    expect(await namesOf(configMaps as Kind)).toEqual(['cheese']);
    await client.delete(herds, { name: 'all' });
    await simulation.advance('5s');
    expect(await namesOf(configMaps as Kind)).toEqual([]);
  });
});

it('a namespace takes its custom resources along, and waits for their finalizers', async () => {
  await define(cows);
  const { client } = simulation.cluster;
  await client.create(namespaces, { metadata: { name: 'farm' } });
  await create(cows, 'lisa', {}, 'farm');
  await create(cows, 'berta', { finalizers: ['example.com/milked'] }, 'farm');
  await client.delete(namespaces, { name: 'farm' });
  await simulation.advance('10s');
  expect(await namesOf(cows, 'farm')).toEqual(['berta']);
  const { status } = await client.get(namespaces, { name: 'farm' });
  expect(status?.conditions).toContainEqual(
    expect.objectContaining({
      type: 'NamespaceFinalizersRemaining',
      status: 'True',
      message: expect.stringContaining('example.com/milked in 1 resource instances'),
    }),
  );
  await client.patch(cows, { namespace: 'farm', name: 'berta' }, 'merge', { metadata: { finalizers: null } });
  await simulation.advance('10s');
  await expect(client.get(namespaces, { name: 'farm' })).rejects.toMatchObject({ reason: 'NotFound' });
});

it('a disruption budget knows how many pods a custom resource is to have', async () => {
  const definition = definitionOf(cows);
  for (const version of definition.spec.versions) {
    version.subresources = { scale: { specReplicasPath: '.spec.calves', statusReplicasPath: '.status.calves' } };
  }
  const { client } = simulation.cluster;
  await client.create(customResourceDefinitions, definition);
  await simulation.advance('2s');
  const metadata = { name: 'lisa', namespace: NAMESPACE };
  const cow = await client.create(cows, { metadata, spec: { calves: 4 } } as KubeObject);
  const owner = ownedBy(cow, { controller: true });
  for (const name of ['a', 'b', 'c']) await create(pods as Kind, name, { ...owner, labels: { app: 'calf' } });
  const selector = { matchLabels: { app: 'calf' } };
  await simulation.create(podDisruptionBudgets, 'calves', { spec: { selector, maxUnavailable: 2 } });
  await simulation.advance('5s');
  const status = async () => (await simulation.get(podDisruptionBudgets, 'calves')).status;
  expect(await status()).toMatchObject({
    expectedPods: 4,
    desiredHealthy: 2,
    currentHealthy: 3,
    disruptionsAllowed: 1,
  });
  await simulation.patch(cows, 'lisa', { spec: { calves: 5 } });
  await simulation.advance('1s');
  expect(await status()).toMatchObject({ expectedPods: 5, desiredHealthy: 3, disruptionsAllowed: 0 });
});

it('a quota counts custom resources', async () => {
  await simulation.create(resourceQuotas, 'cows', { spec: { hard: { [`count/cows.${GROUP}`]: '2' } } });
  await define(cows);
  await create(cows, 'lisa');
  await create(cows, 'berta');
  await simulation.advance('2s');
  await expect(create(cows, 'more')).rejects.toThrow('exceeded quota');
  await simulation.delete(cows, 'lisa');
  await simulation.advance('2s');
  expect((await simulation.get(resourceQuotas, 'cows')).status?.used).toEqual({ [`count/cows.${GROUP}`]: '1' });
  await create(cows, 'more');
});
