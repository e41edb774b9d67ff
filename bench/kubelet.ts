/** Pods on a real node: how fast one starts, what of that is the kubelet's own, and what a hundred cost. Needs root. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../src/apis/core/pod.ts';
import { TestCluster } from '../test/support/cluster.ts';
import { ApiClient } from '../test/support/https.ts';
import type { Figure } from './apiserver.ts';

type Report = (figure: Figure) => void;

const ROUNDS = 15;
const MANY = 100;
const POLL_MS = 5;
const DEADLINE_MS = 120_000;
const SETTLING_MS = 5_000;
const STEADY_MS = 20_000;
const TICKS_PER_SECOND = 100;
const PODS = '/api/v1/namespaces/default/pods';
/** Calls of the runtime without which no pod starts, one after the other. */
const NEEDED = ['run_podsandbox', 'image_status', 'create_container', 'start_container'];

/** @param report is told each figure as it is there */
export async function benchKubelet(report: Report): Promise<void> {
  const cluster = new TestCluster('bench-kubelet');
  try {
    await cluster.up();
    const api = new ApiClient(cluster);
    await until(
      async () => (await api.ask({ path: '/api/v1/namespaces/default/serviceaccounts/default' })).status === 200,
    );
    await measureOne(report, cluster, api);
    await measureMany(report, cluster, api);
    api.close();
  } finally {
    await cluster.remove();
  }
}

const manifest = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sleep', '10000'] }],
  },
});

async function measureOne(report: Report, cluster: TestCluster, api: ApiClient): Promise<void> {
  const [applied, created]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const applying = cluster.apply(manifest(`applied-${round}`));
    await ready(api, `applied-${round}`);
    applied.push(performance.now() - started);
    await applying;
  }
  const before = await runtimeSeconds(cluster, api);
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await create(api, `created-${round}`);
    await ready(api, `created-${round}`);
    created.push(performance.now() - started);
  }
  const runtime = ((await runtimeSeconds(cluster, api)) - before) * 1000;
  const mean = created.reduce((a, b) => a + b, 0) / ROUNDS;
  report({ what: 'kubectl apply until Ready, p50', value: milliseconds(median(applied)), goal: '400 ms' });
  report({ what: 'create until Ready, p50', value: milliseconds(median(created)), goal: '' });
  report({ what: '… containerd and CNI, mean', value: milliseconds(runtime / ROUNDS), goal: '' });
  report({ what: '… all else, mean', value: milliseconds(mean - runtime / ROUNDS), goal: '30 ms' });
  await clear(api);
}

async function measureMany(report: Report, cluster: TestCluster, api: ApiClient): Promise<void> {
  let started = performance.now();
  const names = Array.from({ length: MANY }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => create(api, name)));
  await until(async () => (await list(api)).filter(isReady).length === MANY, 50);
  report({ what: `${MANY} pods: Ready`, value: milliseconds(performance.now() - started), goal: '12000 ms' });
  await sleep(SETTLING_MS);
  const pid = await cluster.pid();
  const ticks = await cpuTicks(pid);
  await sleep(STEADY_MS);
  const share = ((await cpuTicks(pid)) - ticks) / TICKS_PER_SECOND / (STEADY_MS / 1000);
  report({ what: `${MANY} pods, idle: the whole process`, value: `${(share * 100).toFixed(1)} %`, goal: '2 %' });
  started = performance.now();
  await clear(api);
  report({ what: `${MANY} pods: gone`, value: milliseconds(performance.now() - started), goal: '15000 ms' });
}

async function create(api: ApiClient, name: string): Promise<void> {
  const { status, text } = await api.ask({ method: 'POST', path: PODS, body: JSON.stringify(manifest(name)) });
  if (status !== 201) throw new Error(`a pod could not be created: ${text}`);
}

async function clear(api: ApiClient): Promise<void> {
  await api.ask({ method: 'DELETE', path: PODS });
  await until(async () => (await list(api)).length === 0, 50);
}

const isReady = (pod: Pod) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;

async function ready(api: ApiClient, name: string): Promise<void> {
  await until(async () => isReady((await api.ask({ path: `${PODS}/${name}` })).json as Pod));
}

async function list(api: ApiClient): Promise<Pod[]> {
  return ((await api.ask({ path: PODS })).json as { items?: Pod[] }).items ?? [];
}

/** What the runtime took for what no pod starts without, in all. */
async function runtimeSeconds(cluster: TestCluster, api: ApiClient): Promise<number> {
  const [node] = (await cluster.kubectl('get', 'nodes', '-o', 'name')).trim().split('\n');
  const { text } = await api.ask({ path: `/api/v1/${node?.replace('node/', 'nodes/')}/proxy/metrics` });
  const sums = NEEDED.map((name) => {
    const line = new RegExp(
      `^kubelet_runtime_operations_duration_seconds_sum\\{operation_type="${name}"\\} (\\S+)$`,
      'm',
    );
    return Number(line.exec(text)?.[1] ?? 0);
  });
  return sums.reduce((a, b) => a + b, 0);
}

/** User and system time of a process. */
async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

async function until(holds: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it took too long');
    await sleep(pollMs);
  }
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const milliseconds = (ms: number) => `${Math.round(ms)} ms`;
