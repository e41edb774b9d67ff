/** Scaling by what real containers use. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Deployment } from '../src/apis/apps/deployment.ts';
import type { HorizontalPodAutoscaler } from '../src/apis/autoscaling/horizontalPodAutoscaler.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('autoscale');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
/** It looks every 15 seconds, and what it sees is an average over as many. */
const PATIENCE_MS = 150_000;

function deployment(name: string, container: object) {
  const labels = { app: name };
  const spec = {
    terminationGracePeriodSeconds: 0,
    containers: [{ name, imagePullPolicy: 'IfNotPresent', ...container }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

beforeAll(async () => {
  await cluster.up();
  // Who asks keeps whoever answers a little busy: ten times as busy as is wanted of the answering side.
  const asking = 'while true; do wget -qO- http://web/cgi-bin/index.cgi >/dev/null; sleep 0.05; done';
  const items = [
    deployment('web', { image: 'kubets/echo', resources: { requests: { cpu: '10m' } } }),
    deployment('load', { image: 'busybox', command: ['sh', '-c', asking] }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await kubectl('rollout', 'status', 'deployment/load', '--timeout=60s');
});
afterAll(() => cluster.remove());

const replicas = async () => (await cluster.get<Deployment>('deployment', 'web')).spec?.replicas;

it('a deployment grows with its load, and shrinks without', { timeout: 2 * PATIENCE_MS }, async () => {
  await kubectl('autoscale', 'deployment', 'web', '--min=1', '--max=3', '--cpu-percent=60');
  // Not the five minutes that are usual.
  const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
  await kubectl('patch', 'hpa', 'web', '--type=merge', '-p', JSON.stringify({ spec: { behavior } }));
  await eventually(async () => expect(await replicas()).toBe(3), PATIENCE_MS);
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await kubectl('delete', 'deployment', 'load');
  await eventually(async () => expect(await replicas()).toBe(1), PATIENCE_MS);
  await eventually(async () => {
    const { status } = await cluster.get<HorizontalPodAutoscaler>('hpa', 'web');
    expect(status).toMatchObject({ desiredReplicas: 1, currentMetrics: [{ type: 'Resource' }] });
    expect(status?.lastScaleTime).toBeDefined();
  });
  expect(await kubectl('describe', 'hpa', 'web')).toMatch(/SuccessfulRescale .*New size: 1; reason: All metrics below/);
});
