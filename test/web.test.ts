/** The main job, with the real kubectl and real containers: a Deployment from apply to delete. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/apis/core/pod.ts';
import { EXAMPLES, type Footprint, TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const WEB = join(EXAMPLES, 'web.yaml');
const APP = 'deployment/nginx-app';
const cluster = new TestCluster('web');
const kubectl = (...args: string[]) => cluster.kubectl(...args);

let empty: Footprint;

beforeAll(async () => {
  await cluster.up();
  empty = await cluster.footprint();
});
afterAll(() => cluster.remove());

async function readyPods(): Promise<Pod[]> {
  const { items } = await cluster.get<{ items: Pod[] }>('pods', '-l', 'app=nginx-app');
  return items.filter(
    (pod) =>
      pod.metadata?.deletionTimestamp === undefined &&
      pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
  );
}

const images = async () => [...new Set((await readyPods()).map((pod) => pod.spec?.containers[0]?.image))];

const rolledOut = () => kubectl('rollout', 'status', APP, '--timeout=60s');

describe('a Deployment of nginx', () => {
  it('comes up with three pods that answer HTTP from the host', async () => {
    const watch = cluster.start('kubectl', ['get', 'pods', '-o', 'wide', '-w']);
    await kubectl('apply', '-f', WEB);
    await rolledOut();
    const pods = await readyPods();
    expect(pods).toHaveLength(3);
    expect(new Set(pods.map((pod) => pod.status?.podIP)).size).toBe(3);
    for (const pod of pods) {
      const answer = await fetch(`http://${pod.status?.podIP}/`, { signal: AbortSignal.timeout(5_000) });
      expect(await answer.text()).toContain('Welcome to nginx');
      await watch.said(new RegExp(`${pod.metadata?.name} +1/1 +Running +0 +\\d+s +${pod.status?.podIP} `));
    }
    await watch.stop();
    expect(await kubectl('get', APP)).toMatch(/nginx-app +3\/3 +3 +3 /);
    expect(await kubectl('apply', '-f', WEB)).toContain('unchanged');
  });

  it('shows itself in describe and logs', async () => {
    expect(await kubectl('describe', APP)).toMatch(
      /ScalingReplicaSet +\d+s.*Scaled up replica set nginx-app-\w+ from 0 to 3/,
    );
    const [pod] = await readyPods();
    const described = await kubectl('describe', 'pod', pod?.metadata?.name ?? '');
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(described).toContain(reason);
    expect(described).toMatch(/Limits:\n +cpu: +500m\n +memory: +128Mi/);
    expect(described).toMatch(/Liveness: +http-get http:\/\/:80\/ delay=1s timeout=1s period=5s/);
    expect(await kubectl('logs', APP)).toContain('start worker process');
    expect(await kubectl('logs', '-l', 'app=nginx-app', '--prefix', '--tail=1')).toMatch(/(\[pod\/nginx-app-.*\n){3}/);
  });

  it('replaces a pod that is deleted', async () => {
    const [gone] = await readyPods();
    await kubectl('delete', 'pod', gone?.metadata?.name ?? '', '--wait=false');
    await eventually(async () => {
      const pods = await readyPods();
      expect(pods).toHaveLength(3);
      expect(pods.map((pod) => pod.metadata?.uid)).not.toContain(gone?.metadata?.uid);
    }, 30_000);
  });

  it('is updated and rolled back, and never has fewer than three pods available', async () => {
    const watch = cluster.start('kubectl', ['get', APP, '-w', '-o', 'jsonpath={.status.availableReplicas} ']);
    await kubectl('set', 'image', APP, 'nginx=nginx:1.22');
    await rolledOut();
    expect(await images()).toEqual(['nginx:1.22']);
    expect(await kubectl('rollout', 'history', APP)).toMatch(/^1 .*\n2 /m);
    await kubectl('rollout', 'undo', APP);
    await rolledOut();
    expect(await images()).toEqual(['nginx']);
    await watch.stop();
    const available = watch.output.trim().split(' ').map(Number);
    expect(available.length).toBeGreaterThan(2);
    expect(Math.min(...available)).toBe(3);
  });

  it('is scaled down and up', async () => {
    await kubectl('scale', APP, '--replicas=1');
    await eventually(async () => expect(await readyPods()).toHaveLength(1));
    await kubectl('scale', APP, '--replicas=3');
    await rolledOut();
    expect(await readyPods()).toHaveLength(3);
  });

  it('leaves nothing behind when it is deleted', async () => {
    // Pods that are on their way out may go while they are looked at.
    const traces = await eventually(async () => {
      const found = await cluster.namespacesAndCgroups();
      expect(found.filter((path) => existsSync(path)).length).toBeGreaterThan(3);
      return found;
    });
    await kubectl('delete', '-f', WEB);
    await eventually(async () => {
      expect(await cluster.footprint()).toEqual(empty);
      expect(traces.filter((path) => existsSync(path))).toEqual([]);
    });
    expect(await kubectl('get', 'deployments,replicasets,pods', '-o', 'name')).toBe('');
  });
});
