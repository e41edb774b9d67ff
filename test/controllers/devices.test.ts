import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jobs } from '../../src/apis/batch/job.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { deviceClasses } from '../../src/apis/resource/deviceClass.ts';
import { resourceClaims } from '../../src/apis/resource/resourceClaim.ts';
import { resourceClaimTemplates } from '../../src/apis/resource/resourceClaimTemplate.ts';
import { resourceSlices } from '../../src/apis/resource/resourceSlice.ts';
import { NAMESPACE, Simulation } from './simulation.ts';

const DRIVER = 'gpu.example.com';
let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start({ nodes: 3 });
  const { client } = world.cluster;
  const expression = `device.driver == "${DRIVER}"`;
  await client.create(deviceClasses, { metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression } }] } });
  // Two on node-1, one on node-2.
  for (const [node, count] of [
    ['node-1', 2],
    ['node-2', 1],
  ] as const) {
    await client.create(resourceSlices, {
      metadata: { name: `slice-${node}` },
      spec: {
        driver: DRIVER,
        nodeName: node,
        pool: { name: node, generation: 1, resourceSliceCount: 1 },
        devices: Array.from({ length: count }, (_, i) => ({ name: `gpu-${i}`, attributes: { slot: { int: i } } })),
      },
    });
  }
  const exactly = { deviceClassName: 'gpu' };
  await world.create(resourceClaimTemplates, 'one', {
    spec: { spec: { devices: { requests: [{ name: 'g', exactly }] } } },
  });
});
afterEach(() => world.stop());

const pod = (name: string) =>
  world.create(pods, name, {
    spec: {
      containers: [{ name: 'c', image: 'one', resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one' }],
    },
  });
const nodeOf = async (name: string) => (await world.get(pods, name)).spec?.nodeName;
/** What looks after devices is loaded when it is first needed, which takes the machine its time. */
const settled = (look: () => Promise<void>) =>
  vi.waitFor(async () => {
    await world.advance('1s');
    await look();
  }, 10_000);

describe('devices', () => {
  it('are given to pods on the nodes that have them, each once, and again when they are free', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await pod(name);
    await settled(async () => {
      const placed = await Promise.all(['a', 'b', 'c', 'd'].map(nodeOf));
      expect(placed.filter((node) => node !== undefined)).toHaveLength(3);
    });
    const { items } = await world.cluster.client.list(resourceClaims, { namespace: NAMESPACE });
    const given = items.filter((claim) => claim.status?.allocation !== undefined);
    const results = given.flatMap((claim) => claim.status?.allocation?.devices?.results ?? []);
    expect(results.map((r) => `${r.pool}/${r.device}`).sort()).toEqual([
      'node-1/gpu-0',
      'node-1/gpu-1',
      'node-2/gpu-0',
    ]);
    for (const claim of given) {
      expect(claim.metadata.finalizers).toEqual(['resource.kubernetes.io/delete-protection']);
      const [consumer] = claim.status?.reservedFor ?? [];
      expect(await nodeOf(consumer?.name ?? '')).toBe(claim.status?.allocation?.devices?.results?.[0]?.pool);
    }
    const names = ['a', 'b', 'c', 'd'];
    const nodes = await Promise.all(names.map(nodeOf));
    const waiting = names[nodes.indexOf(undefined)] ?? '';
    const condition = (await world.get(pods, waiting)).status?.conditions?.find((c) => c.type === 'PodScheduled');
    expect(condition?.message).toContain('3 cannot allocate all claims');
    await world.delete(pods, names[nodes.findIndex((node) => node !== undefined)] ?? '', 0);
    await settled(async () => expect(await nodeOf(waiting)).toBeDefined());
  });

  it('of one claim are shared by pods, on the node where they are', async () => {
    const exactly = { deviceClassName: 'gpu' };
    await world.create(resourceClaims, 'shared', { spec: { devices: { requests: [{ name: 'g', exactly }] } } });
    for (const name of ['a', 'b']) {
      await world.create(pods, name, {
        spec: {
          containers: [{ name: 'c', image: 'one' }],
          resourceClaims: [{ name: 'gpu', resourceClaimName: 'shared' }],
        },
      });
    }
    await settled(async () => {
      expect(await nodeOf('a')).toBeDefined();
      expect(await nodeOf('b')).toBe(await nodeOf('a'));
    });
    const claim = await world.get(resourceClaims, 'shared');
    expect(claim.status?.reservedFor?.map((c) => c.name).sort()).toEqual(['a', 'b']);
    await world.delete(pods, 'a', 0);
    await world.delete(pods, 'b', 0);
    await world.advance('5s');
    // Nobody uses it: its device is free.
    expect((await world.get(resourceClaims, 'shared')).status?.allocation).toBeUndefined();
  });

  it('are used by a job that has more pods than there are devices, in turn', async () => {
    await world.create(jobs, 'train', {
      spec: {
        completions: 7,
        parallelism: 7,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'c', image: 'one' }],
            resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one' }],
          },
        },
      },
    });
    await settled(async () => {
      await world.advance('30s');
      expect((await world.get(jobs, 'train')).status?.succeeded).toBe(7);
    });
    await world.advance('5s');
    expect((await world.cluster.client.list(resourceClaims, { namespace: NAMESPACE })).items).toEqual([]);
  });
});
