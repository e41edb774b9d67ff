import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricSpec } from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import { FakeTransport } from '../../client/testing/fakeClient.ts';
import type { ApiRequest } from '../../client/transport.ts';
import { apiError } from '../../machinery/status.ts';
import type { Measured } from './metrics.ts';
import { measure } from './metricsClient.ts';

const target = { type: 'AverageValue', averageValue: '1' };
const selector = { matchLabels: { route: 'a' } };
const AT = Date.UTC(2026, 0, 1);
const timestamp = '2026-01-01T00:00:00Z';

const cpu: MetricSpec = { type: 'Resource', resource: { name: 'cpu', target } };
const memory: MetricSpec = { type: 'Resource', resource: { name: 'memory', target } };
const ofMain: MetricSpec = { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target } };
const requests: MetricSpec = { type: 'Pods', pods: { metric: { name: 'requests', selector }, target } };
const queue: MetricSpec = { type: 'External', external: { metric: { name: 'queue', selector }, target } };
const describing = (apiVersion: string, kind: string): MetricSpec => ({
  type: 'Object',
  object: { metric: { name: 'hits' }, target, describedObject: { apiVersion, kind, name: 'main' } },
});

/** What is at each path, without the query; nothing is at others. */
type Api = Readonly<Record<string, unknown>>;

const DISCOVERY: Api = {
  '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta1' }, { version: 'v1beta2' }] },
  '/api/v1': {
    resources: [
      { name: 'namespaces', kind: 'Namespace' },
      { name: 'namespaces/status', kind: 'Namespace' },
    ],
  },
  '/apis/networking.k8s.io/v1': { resources: [{ name: 'ingresses', kind: 'Ingress' }] },
};

async function ask(api: Api, ...specs: readonly MetricSpec[]) {
  const transport = new FakeTransport();
  transport.answer = ({ path }: ApiRequest) => {
    const found = { ...DISCOVERY, ...api }[path];
    if (found === undefined) throw apiError('NotFound', 'nothing is here');
    return found;
  };
  const signal = new AbortController().signal;
  const question = { client: transport.client, namespace: 'shop', podSelector: 'app=web', signal };
  const all = await measure(question, specs);
  const asked = transport.requests.map(({ path, query = {} }) => `${path}?${new URLSearchParams(query)}`);
  return { all, asked };
}

/** What was measured of pods, by name; or the amounts; or why nothing. */
function plain(measured: Measured | undefined): unknown {
  if (measured?.type !== 'pods') return measured?.type === 'amounts' ? measured.amounts : measured?.message;
  return Object.fromEntries([...measured.metrics].map(([name, { value }]) => [name, value]));
}

const PODS = '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods';
const measuredPod = (name: string, containers: Record<string, Record<string, string>>) => ({
  metadata: { name, namespace: 'shop' },
  timestamp,
  window: '15.5s',
  containers: Object.entries(containers).map(([of, usage]) => ({ name: of, usage })),
});

describe('resources', () => {
  const items = [
    measuredPod('a', { main: { cpu: '250m', memory: '1Ki' }, side: { cpu: '1', memory: '1Ki' } }),
    measuredPod('b', { main: { cpu: '5m' }, side: { memory: '1Ki' } }),
    measuredPod('c', {}),
  ];

  it('are told of in one answer, of pods whose containers are all told of', async () => {
    const { all, asked } = await ask({ [PODS]: { metadata: {}, items: items.slice(0, 2) } }, cpu, memory, ofMain);
    expect(all.map(plain)).toEqual([{ a: 1250 }, { a: 2_048_000 }, { a: 250, b: 5 }]);
    expect(asked).toEqual([`${PODS}?labelSelector=app%3Dweb`]);
    const [first] = all;
    expect(first?.type === 'pods' && first.metrics.get('a')).toEqual({ at: AT, windowMs: 15_500, value: 1250 });
  });

  it.each<[string, Api, MetricSpec, string]>([
    ['of no pod', { [PODS]: { metadata: {}, items: [] } }, cpu, 'no metrics returned from resource metrics API'],
    ['by nobody', {}, cpu, 'unable to fetch metrics from resource metrics API: nothing is here'],
    [
      'without the container',
      { [PODS]: { metadata: {}, items } },
      ofMain,
      'failed to get container metrics: container main not present in metrics for pod shop/c',
    ],
  ])('told %s', async (_what, api, spec, message) => {
    expect((await ask(api, spec)).all.map(plain)).toEqual([message]);
  });
});

describe('custom metrics', () => {
  const BASE = '/apis/custom.metrics.k8s.io/v1beta2';
  const item = (name: string, value: string) => ({
    describedObject: { name },
    metric: { name: 'x' },
    timestamp,
    value,
  });

  it('of pods', async () => {
    const path = `${BASE}/namespaces/shop/pods/*/requests`;
    const items = [item('a', '1500m'), { ...item('b', '7'), windowSeconds: 5 }];
    const { all, asked } = await ask({ [path]: { items } }, requests);
    expect(all.map(plain)).toEqual([{ a: 1500, b: 7000 }]);
    expect(asked.at(-1)).toBe(`${path}?labelSelector=app%3Dweb&metricLabelSelector=route%3Da`);
    const [first] = all;
    expect(first?.type === 'pods' && [...first.metrics.values()].map((m) => m.windowMs)).toEqual([60_000, 5_000]);
  });

  it.each<[string, MetricSpec, string]>([
    [
      'an object of a group',
      describing('networking.k8s.io/v1', 'Ingress'),
      '/namespaces/shop/ingresses.networking.k8s.io/main/hits',
    ],
    ['a namespace', describing('v1', 'Namespace'), '/namespaces/main/metrics/hits'],
  ])('of %s', async (_what, spec, path) => {
    const { all } = await ask({ [BASE + path]: { items: [item('main', '3')] } }, spec);
    expect(all.map(plain)).toEqual([[3000]]);
  });

  it('in the older version, where there is no other', async () => {
    const path = '/apis/custom.metrics.k8s.io/v1beta1/namespaces/shop/pods/*/requests';
    const api = {
      '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta1' }] },
      [path]: { items: [item('a', '1')] },
    };
    expect((await ask(api, requests)).all.map(plain)).toEqual([{ a: 1000 }]);
  });

  it.each<[string, Api, MetricSpec, string | RegExp]>([
    [
      'by nobody',
      { '/apis/custom.metrics.k8s.io': undefined },
      requests,
      /^unable to fetch metrics from custom metrics API: no custom metrics API .* registered$/,
    ],
    ['of nothing', {}, requests, 'unable to fetch metrics from custom metrics API: nothing is here'],
    [
      'empty',
      { [`${BASE}/namespaces/shop/pods/*/requests`]: { items: [] } },
      requests,
      'no metrics returned from custom metrics API',
    ],
    ['of a kind that is not there', {}, describing('v1', 'Cabinet'), 'no matches for kind "Cabinet" in group ""'],
  ])('told %s', async (_what, api, spec, message) => {
    expect((await ask(api, spec)).all.map(plain)).toEqual([expect.stringMatching(message)]);
  });
});

describe('external metrics', () => {
  const PATH = '/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue';

  it('are amounts', async () => {
    const { all, asked } = await ask({ [PATH]: { items: [{ value: '10' }, { value: '-500m' }, { value: 3 }] } }, queue);
    expect(all.map(plain)).toEqual([[10_000, -500, 3000]]);
    expect(asked).toEqual([`${PATH}?labelSelector=route%3Da`]);
  });

  it('that fail leave others as they are', async () => {
    const { all } = await ask(
      { [PODS]: { metadata: {}, items: [measuredPod('a', { main: { cpu: '1' } })] } },
      queue,
      cpu,
    );
    expect(all.map(plain)).toEqual(['unable to fetch metrics from external metrics API: nothing is here', { a: 1000 }]);
  });

  it('whatever a server says, it is measured or failed', async () => {
    const paths = [PATH, '/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/requests', PODS];
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.record({ items: fc.jsonValue() })), async (said) => {
        const { all } = await ask(Object.fromEntries(paths.map((path) => [path, said])), queue, requests, cpu, ofMain);
        expect(all).toHaveLength(4);
        for (const measured of all) expect(['pods', 'amounts', 'failed']).toContain(measured.type);
      }),
      { numRuns: 200 },
    );
  });
});
