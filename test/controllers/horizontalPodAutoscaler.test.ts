/** Autoscalers in a whole cluster, in virtual time: what pods use is told by annotations. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../../src/apis/apiextensions/customResourceDefinition.ts';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { replicaSets } from '../../src/apis/apps/replicaSet.ts';
import { statefulSets } from '../../src/apis/apps/statefulSet.ts';
import {
  type HorizontalPodAutoscalerSpec,
  horizontalPodAutoscalers,
  type MetricSpec,
} from '../../src/apis/autoscaling/horizontalPodAutoscaler.ts';
import { events } from '../../src/apis/core/event.ts';
import { replicationControllers } from '../../src/apis/core/replicationController.ts';
import { defineKind, type Kind, type KubeObject } from '../../src/machinery/kind.ts';
import { ObjectMeta } from '../../src/machinery/meta.ts';
import { object, opt } from '../../src/machinery/schema/types.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

const TARGET = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const ABOVE = 'reason: cpu resource utilization (percentage of request) above target';
const labels = { app: 'web' };
const selector = { matchLabels: labels };

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

/** Two containers. @param use of each pod, or by container @param requests of each container; of memory it is as much */
function web(use: Record<string, string>, requests: Record<string, string> = { cpu: '50m', memory: '50Mi' }) {
  const containers = ['main', 'side'].map((name) => ({ name, image: 'one', resources: { requests } }));
  return { ...template('web', 'one', use), spec: { containers } };
}

const deploy = (replicas: number, use: Record<string, string>, requests?: Record<string, string>) =>
  world.create(deployments, 'web', { spec: { replicas, selector, template: web(use, requests) } });

const autoscale = (spec: Partial<HorizontalPodAutoscalerSpec> = {}, name = 'web') =>
  world.create(horizontalPodAutoscalers, name, { spec: { scaleTargetRef: TARGET, maxReplicas: 10, ...spec } });

const replicas = async () => (await world.get(deployments, 'web')).spec?.replicas;
const status = async (name = 'web') => (await world.get(horizontalPodAutoscalers, name)).status;

/** `AbleToScale=True ReadyForNewScale` */
const conditions = async (name = 'web') =>
  ((await status(name))?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}`);

/** What is told of autoscalers, each thing once, in no order. */
async function told(): Promise<string[]> {
  const { items } = await world.cluster.client.list(events, { namespace: NAMESPACE });
  const own = items.filter((e) => e.involvedObject.kind === 'HorizontalPodAutoscaler');
  return [...new Set(own.map((e) => `${e.type} ${e.reason}: ${e.message}`))].sort();
}

/** From now on the pods use this: those that are there are replaced. */
async function use(annotations: Record<string, string>): Promise<void> {
  const { metadata } = web(annotations);
  await world.patch(deployments, 'web', { spec: { template: { metadata } } });
}

/** How many replicas there were to be, whenever that changed, and after how many seconds. */
async function history(seconds: number): Promise<string[]> {
  const all: string[] = [];
  let before: number | undefined = await replicas();
  for (let second = 5; second <= seconds; second += 5) {
    await world.advance('5s');
    const now = await replicas();
    if (now !== before) all.push(`${now} at ${second}`);
    before = now;
  }
  return all;
}

describe('a deployment', () => {
  test('whose pods use more than they are to use grows, as fast as it may, and no further than it may', async () => {
    await deploy(1, { cpu: '80m' });
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
    expect(await told()).toEqual([10, 2, 4, 8].map((n) => `Normal SuccessfulRescale: New size: ${n}; ${ABOVE}`));
  });

  test('shrinks only when less was enough for five minutes', async () => {
    await deploy(4, { cpu: '40m' });
    await autoscale({ minReplicas: 2 });
    await world.advance('60s');
    expect(await replicas()).toBe(4);
    await use({ cpu: '1m' });
    await world.advance('60s');
    expect(await conditions()).toContain('AbleToScale=True ScaleDownStabilized');
    // While the pods were replaced, some of each sort were looked at: three may have been enough a little earlier than two.
    const seen = await history(300);
    for (const line of seen) expect(Number(line.split(' at ')[1])).toBeGreaterThan(200);
    expect(['2', '3,2']).toContain(String(seen.map((line) => line.split(' ')[0])));
    expect(await told()).toContain('Normal SuccessfulRescale: New size: 2; reason: All metrics below target');
    expect(await conditions()).toContain('ScalingLimited=True TooFewReplicas');
  });

  test('shrinks as its behavior says: one pod every 30 seconds', async () => {
    await deploy(5, { cpu: '1m' });
    await world.advance('10s');
    const policies = [{ type: 'Pods', value: 1, periodSeconds: 30 }];
    await autoscale({ behavior: { scaleDown: { stabilizationWindowSeconds: 0, policies } } });
    const seen = await history(180);
    expect(seen.map((line) => line.split(' ')[0])).toEqual(['4', '3', '2', '1']);
    const times = seen.map((line) => Number(line.split(' at ')[1]));
    for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeGreaterThanOrEqual(30);
  });

  test.each<[string, number, Partial<HorizontalPodAutoscalerSpec>, number, string[]]>([
    [
      'without replicas is left alone',
      0,
      {},
      0,
      ['AbleToScale=True SucceededGetScale', 'ScalingActive=False ScalingDisabled'],
    ],
    ['with too many', 4, { maxReplicas: 3 }, 3, ['AbleToScale=True SucceededRescale']],
    ['with too few', 1, { minReplicas: 2 }, 2, ['AbleToScale=True SucceededRescale']],
  ])('%s', async (_what, before, spec, after, expected) => {
    await deploy(before, { cpu: '40m' });
    await world.advance('5s');
    await autoscale(spec);
    await world.advance('5s');
    expect(await replicas()).toBe(after);
    expect(await conditions()).toEqual(expected);
    expect(await status()).toMatchObject({ currentReplicas: before, desiredReplicas: after });
  });

  test.each<[string, MetricSpec, number, object]>([
    [
      'memory, in bytes',
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '64Mi' } } },
      3,
      { resource: { name: 'memory', current: { averageValue: '96Mi' } } },
    ],
    [
      'cpu of one container',
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', container: 'main', target: { type: 'Utilization', averageUtilization: 50 } },
      },
      4,
      {
        containerResource: {
          name: 'cpu',
          container: 'main',
          current: { averageUtilization: 100, averageValue: '50m' },
        },
      },
    ],
    [
      'cpu within the tolerance',
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 47 } } },
      2,
      { resource: { name: 'cpu', current: { averageUtilization: 51, averageValue: '51m' } } },
    ],
  ])('by %s', async (_what, metric, after, current) => {
    await deploy(2, { 'cpu.main': '50m', 'cpu.side': '1m', memory: '48Mi' });
    await world.advance('10s');
    await autoscale({ metrics: [metric] });
    await world.advance('5s');
    expect(await replicas()).toBe(after);
    expect((await status())?.currentMetrics).toMatchObject([{ type: metric.type, ...current }]);
  });
});

describe('what cannot be told', () => {
  test('is no target', async () => {
    await autoscale();
    await autoscale({ scaleTargetRef: { ...TARGET, kind: 'Cabinet' } }, 'other');
    await world.advance('20s');
    expect(await conditions()).toEqual(['AbleToScale=False FailedGetScale']);
    expect(await conditions('other')).toEqual(['AbleToScale=False FailedGetScale']);
    expect(await told()).toEqual([
      'Warning FailedGetScale: deployments.apps "web" not found',
      'Warning FailedGetScale: no matches for kind "Cabinet" in group "apps"',
    ]);
  });

  test('is a share of what is not requested', async () => {
    await deploy(1, { cpu: '50m' }, {});
    await world.advance('10s');
    await autoscale();
    await world.advance('5s');
    expect(await conditions()).toEqual([
      'AbleToScale=True SucceededGetScale',
      'ScalingActive=False FailedGetResourceMetric',
    ]);
    const [pod] = await world.pods('web');
    const why = `failed to get cpu utilization: missing request for cpu in container main of Pod ${pod?.metadata.name}`;
    const whole = `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`;
    expect(await told()).toEqual([
      `Warning FailedComputeMetricsReplicas: ${whole}`,
      `Warning FailedGetResourceMetric: ${why}`,
    ]);
    expect((await status())?.currentMetrics).toEqual([{ type: '' }]);
  });

  test('are metrics that nobody serves: there is no way down, but up by others', async () => {
    await deploy(2, { cpu: '80m' });
    await world.advance('10s');
    const target = { type: 'AverageValue', averageValue: '1' };
    const metrics: MetricSpec[] = [
      { type: 'Pods', pods: { metric: { name: 'requests' }, target } },
      { type: 'External', external: { metric: { name: 'queue' }, target } },
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 1000 } } },
    ];
    await autoscale({ metrics });
    await world.advance('5s');
    expect(await replicas()).toBe(2);
    expect(await conditions()).toContain('ScalingActive=False FailedGetPodsMetric');
    expect((await told()).map((line) => line.split(':')[0])).toEqual([
      'Warning FailedComputeMetricsReplicas',
      'Warning FailedGetExternalMetric',
      'Warning FailedGetPodsMetric',
    ]);
    const [pods, external] = metrics;
    const low = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 100 } },
    };
    await world.patch(horizontalPodAutoscalers, 'web', { spec: { metrics: [pods, external, low] } });
    await world.advance('5s');
    expect(await replicas()).toBe(4);
  });

  test('is what each of two autoscalers of the same pods wants', async () => {
    await deploy(1, { cpu: '80m' });
    await world.advance('10s');
    await autoscale();
    await world.advance('3s');
    await autoscale({}, 'second');
    await world.advance('20s');
    for (const name of ['web', 'second']) {
      expect(await conditions(name)).toContain('ScalingActive=False AmbiguousSelector');
    }
    await world.delete(horizontalPodAutoscalers, 'second');
    await world.advance('20s');
    expect(await conditions()).toContain('ScalingActive=True ValidMetricFound');
  });
});

/** An object of a custom resource. */
interface Custom extends KubeObject {
  readonly [field: string]: unknown;
}
const Custom = object('test.Custom', () => ({ metadata: opt(1, ObjectMeta) }));

/** Has a custom resource served, with a scale. */
async function custom(group: string, version: string, kind: string): Promise<Kind<Custom>> {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const scale = {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  };
  const served = { name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } };
  await world.cluster.client.create(customResourceDefinitions, {
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: [{ ...served, subresources: { scale } }],
    },
  } as unknown as CustomResourceDefinition);
  await world.advance('2s');
  return defineKind<Custom>({ group, version, kind, plural, schema: Custom });
}

describe('what has a scale is scaled:', () => {
  const spec = { replicas: 1, selector, template: web({ cpu: '80m' }) };

  test.each<[string, string, () => Promise<unknown>]>([
    ['ReplicaSet', 'apps/v1', () => world.create(replicaSets, 'web', { spec })],
    ['StatefulSet', 'apps/v1', () => world.create(statefulSets, 'web', { spec: { ...spec, serviceName: 'web' } })],
    [
      'ReplicationController',
      'v1',
      () => world.create(replicationControllers, 'web', { spec: { ...spec, selector: labels } }),
    ],
  ])('a %s', async (kind, apiVersion, create) => {
    await create();
    await world.advance('10s');
    await autoscale({ scaleTargetRef: { apiVersion, kind, name: 'web' } });
    await world.advance('5s');
    expect(await status()).toMatchObject({ currentReplicas: 1, desiredReplicas: 2 });
    await world.advance('5s');
    expect(await world.pods('web')).toHaveLength(2);
  });

  test('a custom resource, whatever version the autoscaler names', async () => {
    const cabinets = await custom('example.com', 'v1', 'Cabinet');
    await deploy(2, { cpu: '80m' });
    const told = { replicas: 2, selector: 'app=web' };
    await world.create(cabinets, 'big', { spec: { replicas: 2 }, status: told });
    await world.advance('10s');
    await autoscale({ scaleTargetRef: { apiVersion: 'example.com/v1beta1', kind: 'Cabinet', name: 'big' } });
    await world.advance('5s');
    expect((await world.get(cabinets, 'big')).spec).toEqual({ replicas: 4 });
    expect(await replicas()).toBe(2);
  });

  test('but nothing that has none', async () => {
    await autoscale({ scaleTargetRef: { apiVersion: 'v1', kind: 'Pod', name: 'web' } });
    await world.advance('5s');
    expect(await conditions()).toEqual(['AbleToScale=False FailedGetScale']);
  });
});

describe('an external metric', () => {
  /** What a server of external metrics would be asked: lists of values, here of a custom resource. */
  async function queue(value: string): Promise<Kind<Custom>> {
    const queues = await custom('external.metrics.k8s.io', 'v1beta1', 'Queue');
    for (const name of ['a', 'b']) await world.create(queues, name, { metricName: 'queues', value });
    return queues;
  }
  const metric = (target: { type: string; value?: string; averageValue?: string }): MetricSpec => ({
    type: 'External',
    external: { metric: { name: 'queues' }, target },
  });

  test('scales to nothing, and back', async () => {
    const queues = await queue('0');
    await deploy(2, {});
    const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
    const metrics = [metric({ type: 'AverageValue', averageValue: '10' })];
    await autoscale({ minReplicas: 0, metrics, behavior });
    await world.advance('10s');
    expect(await replicas()).toBe(0);
    for (const name of ['a', 'b']) await world.patch(queues, name, { value: '15' });
    await world.advance('20s');
    expect(await replicas()).toBe(3);
    await world.advance('20s');
    expect((await status())?.currentMetrics).toEqual([
      { type: 'External', external: { metric: { name: 'queues' }, current: { averageValue: '10' } } },
    ]);
  });

  test('of which there is a whole amount to reach', async () => {
    await queue('1500m');
    await deploy(2, {});
    await world.advance('10s');
    await autoscale({ metrics: [metric({ type: 'Value', value: '2' })] });
    await world.advance('5s');
    expect(await replicas()).toBe(3);
    expect((await status())?.currentMetrics).toMatchObject([{ external: { current: { value: '3' } } }]);
  });
});
