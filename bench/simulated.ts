/** What the controllers, the scheduler and a thousand simulated kubelets do together, in one process. */
import { deployments } from '../src/apis/apps/deployment.ts';
import { type Node, nodes } from '../src/apis/core/node.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import { Informer } from '../src/client/informer.ts';
import { createCluster, type ProgramCluster } from '../src/cluster/createCluster.ts';
import { silentLogger } from '../src/lib/log.ts';
import { SystemRandom } from '../src/lib/random.ts';
import type { Figure } from './apiserver.ts';

const NODES = 1_000;
const POLL_MS = 5;
const DEADLINE_MS = 120_000;
const SETTLING_MS = 2_000;
const STEADY_MS = 20_000;
const NAMESPACE = 'default';

type Report = (figure: Figure) => void;

/** @param report is told each figure as it is there */
export async function benchSimulated(report: Report): Promise<void> {
  await measureStart(report);
  const cluster = await createCluster({ nodes: NODES });
  const watched = new Pods(cluster);
  try {
    await nodesReady(cluster);
    await measureOne(report, cluster, watched);
    await measureMany(report, cluster, watched);
    await measureSteady(report, cluster, watched);
  } finally {
    watched.stop();
    await cluster.stop();
  }
}

async function measureStart(report: Report): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    const cluster = await createCluster({ clock: 'virtual', nodes: 3 });
    times.push(performance.now() - started);
    if (round === 4) {
      const before = performance.now();
      await cluster.advance('1h');
      report({ what: 'an hour of 3 nodes', value: milliseconds(performance.now() - before), goal: '1000 ms' });
    }
    await cluster.stop();
  }
  times.sort((a, b) => a - b);
  report({ what: 'createCluster, median of 5', value: milliseconds(times[2] ?? 0), goal: '200 ms' });
}

async function measureOne(report: Report, cluster: ProgramCluster, watched: Pods): Promise<void> {
  const started = performance.now();
  const since = () => milliseconds(performance.now() - started);
  await create(cluster, 'one', 1_000);
  await watched.until((all) => all.length === 1_000);
  report({ what: 'Deployment of 1,000: all pods created', value: since(), goal: '1000 ms' });
  await watched.until((all) => all.every(isReady));
  report({ what: 'Deployment of 1,000: Ready', value: since(), goal: '3000 ms' });
  const deleted = performance.now();
  await cluster.client.delete(deployments, { namespace: NAMESPACE, name: 'one' });
  await watched.until((all) => all.length === 0);
  report({ what: 'Deployment of 1,000: gone', value: milliseconds(performance.now() - deleted), goal: '3000 ms' });
}

async function measureMany(report: Report, cluster: ProgramCluster, watched: Pods): Promise<void> {
  const started = performance.now();
  const names = Array.from({ length: 1_000 }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => create(cluster, name, 3)));
  await watched.until((all) => all.length === 3_000 && all.every(isReady));
  report({ what: '1,000 Deployments of 3: Ready', value: milliseconds(performance.now() - started), goal: '6000 ms' });
}

async function measureSteady(report: Report, cluster: ProgramCluster, watched: Pods): Promise<void> {
  await create(cluster, 'rest', 7_000);
  await watched.until((all) => all.length === 10_000 && all.every(isReady));
  // What is told late is no part of the steady state.
  await cluster.clock.sleep(STEADY_MS / 2);
  const before = process.cpuUsage();
  await cluster.clock.sleep(STEADY_MS);
  const { user, system } = process.cpuUsage(before);
  const share = ((user + system) / 1000 / STEADY_MS) * 100;
  report({ what: `10,000 pods on ${NODES} nodes: processor`, value: `${share.toFixed(1)} %`, goal: '3 %' });
  report({ what: '… memory', value: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`, goal: '' });
}

/** Also lets those be done that have work with new nodes. */
async function nodesReady({ client, clock }: ProgramCluster): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await client.list(nodes)).items.every(isReady)) {
    if (performance.now() > deadline) throw new Error('the nodes are not Ready in time');
    await clock.sleep(POLL_MS);
  }
  await clock.sleep(SETTLING_MS);
}

async function create({ client }: ProgramCluster, name: string, replicas: number): Promise<void> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'app:1' }] } };
  await client.create(deployments, {
    metadata: { name, namespace: NAMESPACE },
    spec: { replicas, selector: { matchLabels: labels }, template },
  });
}

/** The pods that there are, as a client sees them. */
class Pods {
  readonly #informer: Informer<Pod>;
  readonly #cluster: ProgramCluster;
  readonly #abort = new AbortController();

  constructor(cluster: ProgramCluster) {
    const { client, clock } = cluster;
    this.#cluster = cluster;
    this.#informer = new Informer({
      kind: pods,
      client,
      clock,
      random: new SystemRandom(),
      log: silentLogger,
      signal: this.#abort.signal,
      namespace: NAMESPACE,
    });
  }

  async until(holds: (all: readonly Pod[]) => boolean): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!holds(this.#informer.list())) {
      if (performance.now() > deadline) throw new Error(`${this.#informer.size} pods are not as expected in time`);
      await this.#cluster.clock.sleep(POLL_MS);
    }
  }

  stop(): void {
    this.#abort.abort();
  }
}

const isReady = (object: Pod | Node) =>
  object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

const milliseconds = (ms: number) => `${Math.round(ms)} ms`;
