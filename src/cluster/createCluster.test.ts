import { afterEach, expect, test } from 'vitest';
import { deployments } from '../apis/apps/deployment.ts';
import { nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { ANNOTATION_PREFIX } from '../kubelet/simulated/behavior.ts';
import { createCluster, type ProgramCluster, type ProgramClusterOptions } from './createCluster.ts';

let cluster: ProgramCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

async function start(options: ProgramClusterOptions = {}): Promise<ProgramCluster> {
  cluster = await createCluster({ clock: 'virtual', seed: 1, ...options });
  return cluster;
}

const labels = { app: 'web' };
const deployment = (replicas: number, annotations = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels, annotations }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
});
const isReady = (pod: Pod) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
const podsOf = async ({ client }: ProgramCluster) => (await client.list(pods, { namespace: 'default' })).items;

test('nodes are Ready, and pods run, in no time of the machine', async () => {
  const { client, advance } = await start({ nodes: 3 });
  expect((await client.list(nodes)).items).toHaveLength(3);
  await client.create(deployments, deployment(10));
  await advance('5s');
  const running = await podsOf(cluster as ProgramCluster);
  expect(running.map(isReady)).toEqual(Array(10).fill(true));
  expect(new Set(running.map((p) => p.spec?.nodeName)).size).toBe(3);
});

test('an hour of a steady cluster changes nothing', async () => {
  const { client, advance } = await start({ nodes: 3 });
  await client.create(deployments, deployment(5));
  await advance('10s');
  const before = (await podsOf(cluster as ProgramCluster)).map((p) => p.metadata.resourceVersion);
  await advance('1h');
  expect((await podsOf(cluster as ProgramCluster)).map((p) => p.metadata.resourceVersion)).toEqual(before);
});

test('a node sets right what others made of its status, and leaves alone what is not its own', async () => {
  const { client, advance } = await start();
  const node = () => client.get(nodes, { name: 'node-0' });
  const { status: before } = await node();
  const extra = { 'example.com/foo': '5' };
  const blank = { machineID: '', kubeletVersion: '', osImage: '', architecture: '', operatingSystem: '' };
  const status = {
    capacity: extra,
    allocatable: extra,
    nodeInfo: blank,
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  };
  await client.patch(nodes, { name: 'node-0' }, 'strategic', { status }, { subresource: 'status' });
  await advance('12s');
  const { status: after, metadata } = await node();
  expect(after).toMatchObject({
    nodeInfo: before?.nodeInfo,
    daemonEndpoints: before?.daemonEndpoints,
    capacity: { ...before?.capacity, ...extra },
    allocatable: { ...before?.allocatable, ...extra },
  });
  await advance('1m');
  expect((await node()).metadata.resourceVersion).toBe(metadata.resourceVersion);
});

test('containers do as annotations say', async () => {
  const { client, advance } = await start();
  await client.create(
    deployments,
    deployment(1, { [`${ANNOTATION_PREFIX}run-for`]: '7s', [`${ANNOTATION_PREFIX}exit-code`]: '3' }),
  );
  await advance('5s');
  expect((await podsOf(cluster as ProgramCluster)).map(isReady)).toEqual([true]);
  await advance('10s');
  const [pod] = await podsOf(cluster as ProgramCluster);
  const [status] = pod?.status?.containerStatuses ?? [];
  expect(status?.restartCount).toBe(1);
  expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
});

test('containers do as a program says', async () => {
  const behavior = ({ restarts }: { restarts: number }) => (restarts === 0 ? { startError: 'no such file' } : {});
  const { client, advance } = await start({ behavior });
  await client.create(deployments, deployment(1));
  await advance('3s');
  const [pod] = await podsOf(cluster as ProgramCluster);
  expect(pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toMatch(/RunContainerError|CrashLoopBackOff/);
  await advance('1m');
  expect((await podsOf(cluster as ProgramCluster)).map(isReady)).toEqual([true]);
});
