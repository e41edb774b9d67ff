/** The kubets process ends, in every way and at any moment: what was acknowledged is there, what ran runs on. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Deployment } from '../src/apis/apps/deployment.ts';
import type { Pod } from '../src/apis/core/pod.ts';
import { TestCluster } from './support/cluster.ts';
import { ApiClient } from './support/https.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('restart');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const REPLICAS = 2;

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'web',
            image: 'busybox',
            imagePullPolicy: 'IfNotPresent',
            command: ['sh', '-c', 'echo started; httpd -f -p 80 -h /etc'],
            readinessProbe: { httpGet: { path: '/passwd', port: 80 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

async function webPods(): Promise<Pod[]> {
  return (await cluster.get<{ items: Pod[] }>('pods', '-l', 'app=web')).items;
}

/** What must be the same after a restart. */
const identities = (pods: readonly Pod[]) =>
  pods
    .map((pod) => {
      const status = pod.status?.containerStatuses?.[0];
      return { uid: pod.metadata?.uid, ip: pod.status?.podIP, id: status?.containerID, restarts: status?.restartCount };
    })
    .sort((a, b) => ((a.uid ?? '') < (b.uid ?? '') ? -1 : 1));

const kill = async () => process.kill(await cluster.pid(), 'SIGKILL');

beforeAll(async () => {
  await cluster.up();
});
beforeEach(async () => {
  await cluster.apply(deployment);
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  await eventually(async () => expect(await webPods()).toHaveLength(REPLICAS));
});
afterAll(() => cluster.remove());

it('kill -9: objects and containers are as they were, and the containers still serve', async () => {
  await kubectl('create', 'configmap', 'kept', '--from-literal=a=1');
  const before = identities(await webPods());
  const [uid, revision] = await versionOfKept();
  await kill();
  for (const { ip } of before) expect((await fetch(`http://${ip}/passwd`)).status).toBe(200);
  await cluster.up();
  expect(await versionOfKept()).toEqual([uid, revision]);
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(identities(await webPods())).toEqual(before);
  expect(before.map(({ restarts }) => restarts)).toEqual(Array(REPLICAS).fill(0));
  // What was adopted is reached as before.
  expect(await kubectl('exec', 'deployment/web', '--', 'echo', 'here')).toBe('here\n');
  expect(await kubectl('logs', 'deployment/web')).toBe('started\n');

  async function versionOfKept(): Promise<unknown[]> {
    const { metadata } = await cluster.get<Deployment>('configmap', 'kept');
    return [metadata?.uid, metadata?.resourceVersion];
  }
});

it('down and up: the same, with a stream open', async () => {
  const before = identities(await webPods());
  const attached = cluster.start('kubectl', ['attach', 'deployment/web']);
  const watching = cluster.start('kubectl', ['get', 'pods', '-w']);
  await watching.said(/web-/);
  const down = await cluster.kubets(['down'], { timeoutMs: 15_000 });
  expect(down).toMatchObject({ code: 0, stdout: expect.stringContaining('is stopped') });
  expect((await cluster.kubets(['down'])).stdout).toContain('is not running');
  expect((await cluster.kubets(['status'])).stdout).toMatch(/^state +stopped$/m);
  await Promise.all([attached.ended(), watching.ended()]);
  await cluster.up();
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(identities(await webPods())).toEqual(before);
});

it('kill -9 among writes: each that was acknowledged is there', async () => {
  const api = new ApiClient(cluster);
  const acknowledged: string[] = [];
  const write = async (writer: number) => {
    for (let i = 0; i < 1_000; i++) {
      const name = `write-${writer}-${i}`;
      const body = JSON.stringify({ metadata: { name }, data: { text: 'x'.repeat(1_000) } });
      const { status } = await api.ask({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', body });
      if (status === 201) acknowledged.push(name);
    }
  };
  const writers = Array.from({ length: 8 }, (_, writer) => write(writer).catch(() => {}));
  const pid = await cluster.pid();
  await eventually(() => expect(acknowledged.length).toBeGreaterThan(200));
  process.kill(pid, 'SIGKILL');
  await Promise.all(writers);
  api.close();
  await cluster.up();
  const names = new Set((await kubectl('get', 'configmaps', '-o', 'name')).split('\n'));
  expect(acknowledged.filter((name) => !names.has(`configmap/${name}`))).toEqual([]);
  // Waiting, kubectl asks for each of them, five a second.
  await kubectl('delete', 'configmaps', '--all', '--wait=false');
});

it('kill -9 amid a scale up and amid a scale down: it ends as was asked, without leftovers', async () => {
  for (const [replicas, moment] of [
    [6, (count: number) => count > REPLICAS],
    [1, (count: number) => count < 6],
  ] as const) {
    await kubectl('scale', 'deployment/web', `--replicas=${replicas}`);
    await eventually(async () => {
      const { containers } = await cluster.footprint();
      expect(moment(containers.length / 2)).toBe(true);
    });
    await kill();
    await cluster.up();
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await eventually(async () => {
      expect(await webPods()).toHaveLength(replicas);
      const { containers, running, tasks, ports, addresses, podFolders } = await cluster.footprint();
      // A pod is a sandbox and one container, and perhaps one more: a run that the kill kept from starting is
      // dead and kept for `logs --previous`, as any other.
      expect({ running, tasks: tasks.length, ports: ports.length }).toEqual({
        running: 2 * replicas,
        tasks: 2 * replicas,
        ports: replicas,
      });
      expect(containers.length).toBeGreaterThanOrEqual(2 * replicas);
      expect(containers.length).toBeLessThanOrEqual(3 * replicas);
      expect({ addresses: addresses.length, podFolders: podFolders.length }).toEqual({
        addresses: replicas,
        podFolders: replicas,
      });
    });
  }
});

it('a container that ended in between is started again', async () => {
  const [pod] = await webPods();
  const id = pod?.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? 'none';
  const line = (await cluster.ctr('tasks', 'list')).split('\n').find((row) => row.startsWith(id));
  await kill();
  process.kill(Number(line?.split(/\s+/)[1]), 'SIGKILL');
  await cluster.up();
  await eventually(async () => {
    const status = (await webPods()).find((p) => p.metadata?.uid === pod?.metadata?.uid)?.status
      ?.containerStatuses?.[0];
    expect(status).toMatchObject({ restartCount: 1, ready: true, lastState: { terminated: { exitCode: 137 } } });
  });
});

it('containerd killed with kill -9 comes back, and nobody notices', async () => {
  const before = identities(await webPods());
  const containerd = Number(/(\d+)/.exec((await readPidFile()) ?? '')?.[1]);
  process.kill(containerd, 'SIGKILL');
  await eventually(async () => {
    expect(Number(await readPidFile())).not.toBe(containerd);
    expect(await kubectl('exec', 'deployment/web', '--', 'echo', 'here')).toBe('here\n');
  });
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
  expect(identities(await webPods())).toEqual(before);

  async function readPidFile(): Promise<string> {
    const { readFile } = await import('node:fs/promises');
    const { join } = await import('node:path');
    return readFile(join(cluster.paths.runDir, 'containerd.pid'), 'utf8');
  }
});
