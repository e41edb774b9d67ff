import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { nodeMetrics } from '../../src/apis/metrics/nodeMetrics.ts';
import { podMetrics } from '../../src/apis/metrics/podMetrics.ts';
import { milliValue } from '../../src/machinery/quantity.ts';
import { isApiError } from '../../src/machinery/status.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

const SPEC = { replicas: 2, selector: { matchLabels: { app: 'web' } } };
const USAGE = { 'cpu.main': '250m', 'memory.main': '64Mi', 'cpu.side': '50m', 'memory.side': '16Mi' };

function pods() {
  const { metadata } = template('web', 'one', USAGE);
  const containers = [
    { name: 'main', image: 'one' },
    { name: 'side', image: 'two' },
  ];
  return { ...(metadata === undefined ? {} : { metadata }), spec: { containers } };
}

describe('in virtual time', () => {
  let world: Simulation;
  beforeAll(async () => {
    world = await Simulation.start();
    await world.create(deployments, 'web', { spec: { ...SPEC, template: pods() } });
    await world.advance('20s');
  });
  afterAll(() => world.stop());

  test('pods are told of by container, with their labels, over a window', async () => {
    const asked = world.cluster.client.list(podMetrics, { namespace: NAMESPACE, labelSelector: 'app=web' });
    await world.advance('2s');
    const { items } = await asked;
    expect(items).toHaveLength(2);
    expect(items[0]).toMatchObject({
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: { namespace: NAMESPACE, labels: { app: 'web' } },
      window: '1s',
      containers: [
        { name: 'main', usage: { cpu: '250m', memory: '64Mi' } },
        { name: 'side', usage: { cpu: '50m', memory: '16Mi' } },
      ],
    });
    expect(items[0]?.metadata).not.toHaveProperty('resourceVersion');
  });

  test('who asks again is told of the time since', async () => {
    const { client } = world.cluster;
    await world.advance('15s');
    const { items } = await client.list(podMetrics, { labelSelector: 'app=web' });
    expect(items[0]?.window).toBe('17s');
    const name = items[0]?.metadata.name ?? '';
    expect(await client.get(podMetrics, { namespace: NAMESPACE, name })).toMatchObject({ window: '17s' });
    expect((await client.list(podMetrics, { labelSelector: 'app=other' })).items).toEqual([]);
    expect((await client.list(podMetrics, { fieldSelector: `metadata.name=${name}` })).items).toHaveLength(1);
  });

  test('nodes use what their containers use', async () => {
    const asked = world.cluster.client.list(nodeMetrics);
    await world.advance('2s');
    const { items } = await asked;
    expect(items.map((n) => n.metadata.name).sort()).toEqual(['node-0', 'node-1', 'node-2']);
    const used = items.map((n) => Number.parseInt(n.usage.cpu ?? '', 10));
    expect(used.reduce((a, b) => a + b)).toBe(600);
  });

  test.each([
    ['metrics of what is not there', () => world.cluster.client.get(nodeMetrics, { name: 'none' }), 'NotFound'],
    ['writing', () => world.cluster.client.delete(nodeMetrics, { name: 'node-0' }), 'MethodNotAllowed'],
    [
      'a field that nobody selects by',
      () => world.cluster.client.list(podMetrics, { fieldSelector: 'spec.nodeName=a' }),
      'BadRequest',
    ],
  ] as const)('%s is refused', async (_what, ask, reason) => {
    const error: unknown = await ask().catch((e: unknown) => e);
    expect(isApiError(error, reason)).toBe(true);
  });
});

describe('kubectl', () => {
  let world: Simulation;
  let dir = '';
  beforeAll(async () => {
    world = await Simulation.start({ clock: 'system', nodes: 1 });
    dir = mkdtempSync(join(tmpdir(), 'kubets-top-'));
    writeFileSync(join(dir, 'kubeconfig'), world.cluster.kubeconfig);
    await world.create(deployments, 'web', { spec: { ...SPEC, template: pods() } });
    await vi.waitFor(async () => expect((await world.cluster.client.list(podMetrics, {})).items).toHaveLength(2), {
      timeout: 20_000,
    });
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await world.stop();
  });

  async function kubectl(...args: string[]): Promise<string[][]> {
    const env = { ...process.env, KUBECONFIG: join(dir, 'kubeconfig') };
    const { stdout } = await promisify(execFile)('kubectl', args, { env, timeout: 20_000 });
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  }

  /** Rates are measured: the last digit of millicores may be one more or less. */
  const aboutMilli = (cpu = '') => `${Math.round(milliValue(cpu) / 10) * 10}m`;

  test('top', async () => {
    const [head, ...rows] = await kubectl('top', 'pod', '-l', 'app=web', '--sort-by=cpu');
    expect(head).toEqual(['NAME', 'CPU(cores)', 'MEMORY(bytes)']);
    expect(rows.map(([, cpu, memory]) => [aboutMilli(cpu), memory])).toEqual([
      ['300m', '80Mi'],
      ['300m', '80Mi'],
    ]);
    const all = await kubectl('top', 'pod', '-A', '--containers', '--sort-by=memory', '--no-headers');
    expect(all.map(([, , name, cpu, memory]) => [name, aboutMilli(cpu), memory]).sort()).toEqual([
      ['main', '250m', '64Mi'],
      ['main', '250m', '64Mi'],
      ['side', '50m', '16Mi'],
      ['side', '50m', '16Mi'],
    ]);
    const [, [node, cpu, ...rest] = []] = await kubectl('top', 'node');
    expect([node, aboutMilli(cpu), ...rest]).toEqual(['node-0', '600m', '1%', '160Mi', '0%']);
  });

  test('the group is discovered, and has tables', async () => {
    const rows = await kubectl('api-resources', '--api-group=metrics.k8s.io', '--no-headers');
    expect(rows).toEqual([
      ['nodes', 'metrics.k8s.io/v1beta1', 'false', 'NodeMetrics'],
      ['pods', 'metrics.k8s.io/v1beta1', 'true', 'PodMetrics'],
    ]);
    const [head, row] = await kubectl('get', 'pods.metrics.k8s.io', '-l', 'app=web');
    expect(head).toEqual(['NAME', 'CPU', 'MEMORY', 'WINDOW']);
    expect([aboutMilli(row?.[1]), row?.[2]]).toEqual(['300m', '80Mi']);
    expect(
      (await kubectl('explain', 'pods.containers.usage', '--api-version=metrics.k8s.io/v1beta1')).flat(),
    ).toContain('usage');
  });

  test("the kubelet's own endpoints, through the API server", async () => {
    const raw = (path: string) => kubectl('get', '--raw', `/api/v1/nodes/node-0/proxy${path}`);
    const summary = (await raw('/stats/summary')).flat().join('');
    expect(JSON.parse(summary)).toMatchObject({ node: { nodeName: 'node-0' }, pods: [{}, {}] });
    expect((await raw('/metrics/resource')).map(([name]) => name)).toContain('node_cpu_usage_seconds_total');
  });
});
