import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { events } from '../../src/apis/core/event.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { evictions } from '../../src/apis/policy/eviction.ts';
import { type PodDisruptionBudgetSpec, podDisruptionBudgets } from '../../src/apis/policy/podDisruptionBudget.ts';
import type { Kind } from '../../src/machinery/kind.ts';
import { isApiError } from '../../src/machinery/status.ts';
import { formatTime } from '../../src/machinery/time.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
  const spec = {
    replicas: 4,
    selector: { matchLabels: { app: 'web' } },
    template: template('web', 'one', { 'start-delay': '2s' }),
  };
  await world.create(deployments, 'web', { spec });
  await world.advance('10s');
});
afterEach(() => world.stop());

const create = (spec: PodDisruptionBudgetSpec) =>
  world.create(podDisruptionBudgets, 'web', { spec: { selector: { matchLabels: { app: 'web' } }, ...spec } });
const status = async () => (await world.get(podDisruptionBudgets, 'web')).status;

async function evict(name: string): Promise<number> {
  const body = { apiVersion: 'policy/v1', kind: evictions.kind, metadata: { name, namespace: NAMESPACE } };
  try {
    await world.cluster.client.createSubresource(pods as Kind, { namespace: NAMESPACE, name }, 'eviction', body);
    return 201;
  } catch (error) {
    if (isApiError(error)) return error.status.code;
    throw error;
  }
}

describe('a disruption budget', () => {
  it.each<[PodDisruptionBudgetSpec, number, number]>([
    [{ minAvailable: 3 }, 1, 3],
    [{ minAvailable: '50%' }, 2, 2],
    [{ maxUnavailable: 1 }, 1, 3],
    [{ maxUnavailable: '30%' }, 2, 2],
  ])('%j', async (spec, disruptionsAllowed, desiredHealthy) => {
    await create(spec);
    await world.advance('1s');
    expect(await status()).toMatchObject({ disruptionsAllowed, desiredHealthy, currentHealthy: 4, expectedPods: 4 });
    expect((await status())?.conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' },
    ]);
  });

  it('lets pods be evicted one by one, each when the one before is replaced', async () => {
    await create({ maxUnavailable: 1 });
    await world.advance('1s');
    const [a, b] = (await world.pods('web')).map((pod) => pod.metadata.name) as [string, string];
    expect(await evict(a)).toBe(201);
    expect(await evict(b)).toBe(429);
    await world.advance('1s');
    expect(await evict(b)).toBe(429);
    await world.advance('5s');
    expect(await evict(b)).toBe(201);
  });

  it('does not count pods without a controller among those that are expected, and says so', async () => {
    const metadata = { name: 'bare', namespace: NAMESPACE, labels: { app: 'web' } };
    await world.cluster.client.create(pods, { metadata, spec: { containers: [{ name: 'main', image: 'one' }] } });
    await create({ maxUnavailable: 1 });
    await world.advance('5s');
    expect(await status()).toMatchObject({ expectedPods: 4, desiredHealthy: 3, currentHealthy: 5 });
    const told = await world.cluster.client.list(events, { fieldSelector: 'reason=UnmanagedPods' });
    expect(told.items).toMatchObject([{ involvedObject: { kind: 'PodDisruptionBudget', name: 'web' } }]);
  });

  it('takes back the word that a pod is disrupted, where that did not happen', async () => {
    const [pod] = await world.pods('web');
    if (pod === undefined) throw new Error('there is no pod');
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      lastTransitionTime: formatTime(world.cluster.clock.now()),
    };
    const conditions = [...(pod.status?.conditions ?? []), condition];
    await world.cluster.client.update(
      pods,
      { ...pod, status: { ...pod.status, conditions } },
      { subresource: 'status' },
    );
    const target = async () => {
      const found = await world.get(pods, pod.metadata.name);
      return found.status?.conditions?.find((c) => c.type === 'DisruptionTarget')?.status;
    };
    await world.advance('119s');
    expect(await target()).toBe('True');
    await world.advance('2s');
    expect(await target()).toBe('False');
  });
});
