/** Autoscalers in a whole cluster, in virtual time: what pods use is told by annotations. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deployments } from '../../src/apis/apps/deployment.ts';
import {
  type HorizontalPodAutoscalerSpec,
  horizontalPodAutoscalers,
} from '../../src/apis/autoscaling/horizontalPodAutoscaler.ts';
import { events } from '../../src/apis/core/event.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

const TARGET = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

/** @param use of each pod @param request of each pod */
function web(use: Record<string, string>, request: Record<string, string> = { cpu: '100m', memory: '100Mi' }) {
  const containers = [{ name: 'main', image: 'one', resources: { requests: request } }];
  return { ...template('web', 'one', use), spec: { containers } };
}

const deploy = (replicas: number, use: Record<string, string>) =>
  world.create(deployments, 'web', {
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: web(use) },
  });

const autoscale = (spec: Partial<HorizontalPodAutoscalerSpec> = {}, name = 'web') =>
  world.create(horizontalPodAutoscalers, name, { spec: { scaleTargetRef: TARGET, maxReplicas: 10, ...spec } });

const replicas = async () => (await world.get(deployments, 'web')).spec?.replicas;

const status = async (name = 'web') => (await world.get(horizontalPodAutoscalers, name)).status;

/** `AbleToScale=True ReadyForNewScale` */
const conditions = async (name = 'web') =>
  ((await status(name))?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}`);

async function reasons(): Promise<string[]> {
  const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
  const own = items.filter((e) => e.involvedObject.kind === 'HorizontalPodAutoscaler');
  return [...new Set(own.map((e) => `${e.type} ${e.reason}: ${e.message}`))];
}

describe('a deployment', () => {
  test('whose pods use more than they are to use grows, as fast as it may, and no further than it may', async () => {
    await deploy(1, { cpu: '160m' });
    await world.advance('10s');
    await autoscale();
    await world.advance('100s');
    expect(await replicas()).toBe(10);
    expect(await status()).toMatchObject({
      observedGeneration: 1,
      currentReplicas: 10,
      desiredReplicas: 10,
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 160, averageValue: '160m' } } },
      ],
    });
    expect(await conditions()).toEqual([
      'AbleToScale=True ReadyForNewScale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=True TooManyReplicas',
    ]);
    const why = 'reason: cpu resource utilization (percentage of request) above target';
    expect(await reasons()).toEqual([2, 4, 8, 10].map((size) => `Normal SuccessfulRescale: New size: ${size}; ${why}`));
  });
});
