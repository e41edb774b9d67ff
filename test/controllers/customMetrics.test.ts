/** Autoscalers by metrics that an API server behind this one tells. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { apiServices, availability } from '../../src/apis/apiregistration/apiService.ts';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { horizontalPodAutoscalers, type MetricSpec } from '../../src/apis/autoscaling/horizontalPodAutoscaler.ts';
import { services } from '../../src/apis/core/service.ts';
import { MetricsServer } from '../support/metricsServer.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

const GROUPS = [
  ['custom.metrics.k8s.io', 'v1beta2'],
  ['external.metrics.k8s.io', 'v1beta1'],
] as const;
const WAIT = { timeout: 40_000, interval: 50 };

let world: Simulation;
let metrics: MetricsServer;
beforeAll(async () => {
  metrics = await MetricsServer.start();
  world = await Simulation.start({ clock: 'system', nodes: 1 });
  const { client } = world.cluster;
  await world.create(services, 'adapter', { spec: { type: 'ExternalName', externalName: 'localhost' } });
  for (const [group, version] of GROUPS) {
    const name = `${version}.${group}`;
    await client.create(apiServices, {
      metadata: { name },
      spec: {
        group,
        version,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { namespace: NAMESPACE, name: 'adapter', port: metrics.port },
      },
    });
    await vi.waitFor(
      async () => expect(availability(await client.get(apiServices, { name }))?.reason).toBe('Passed'),
      WAIT,
    );
  }
});
afterAll(async () => {
  await world?.stop();
  await metrics?.stop();
});

const target = { type: 'AverageValue', averageValue: '10' };
const selector = { matchLabels: { route: 'a' } };
const AT = '2026-01-01T00:00:00Z';

describe('a deployment', () => {
  test.each<[string, MetricSpec, string, (pods: readonly string[]) => object[], string]>([
    [
      'pods',
      { type: 'Pods', pods: { metric: { name: 'requests', selector }, target } },
      `/namespaces/${NAMESPACE}/pods/*/requests`,
      (pods) => pods.map((name) => ({ describedObject: { kind: 'Pod', name }, timestamp: AT, value: '20' })),
      '?labelSelector=app%3Dpods&metricLabelSelector=route%3Da',
    ],
    [
      'object',
      {
        type: 'Object',
        object: {
          metric: { name: 'hits' },
          target,
          describedObject: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
        },
      },
      `/namespaces/${NAMESPACE}/services/shop/hits`,
      () => [{ describedObject: { kind: 'Service', name: 'shop' }, timestamp: AT, value: '36500m' }],
      '',
    ],
    [
      'external',
      { type: 'External', external: { metric: { name: 'queue', selector }, target } },
      `/namespaces/${NAMESPACE}/queue`,
      () => [
        { metricName: 'queue', timestamp: AT, value: '15' },
        { metricName: 'queue', timestamp: AT, value: '25' },
      ],
      '?labelSelector=route%3Da',
    ],
  ])('scales by metrics of %s', async (name, metric, path, values, query) => {
    const labels = { app: name };
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: template(name, 'one') };
    await world.create(deployments, name, { spec });
    await vi.waitFor(async () => {
      const all = await world.pods(name);
      expect(all.map((pod) => pod.status?.phase)).toEqual(['Running', 'Running']);
    }, WAIT);
    metrics.values = { [path]: values((await world.pods(name)).map((pod) => pod.metadata.name)) };
    await world.create(horizontalPodAutoscalers, name, {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, maxReplicas: 10, metrics: [metric] },
    });
    await vi.waitFor(async () => {
      const { status } = await world.get(horizontalPodAutoscalers, name);
      expect(status?.desiredReplicas, JSON.stringify(status)).toBe(4);
    }, WAIT);
    expect((await world.get(deployments, name)).spec?.replicas).toBe(4);
    expect(
      metrics.asked.some((url) => url.endsWith(`${path}${query}`)),
      metrics.asked.join(' '),
    ).toBe(true);
  });
});
