/** The main job, with the real kubectl and real containers: a Deployment from apply to delete, and restarts in between. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/apis/core/pod.ts';
import { EXAMPLES, TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const WEB = join(EXAMPLES, 'web.yaml');
const APP = 'deployment/nginx-app';
const cluster = new TestCluster('web');
const kubectl = (...args: string[]) => cluster.kubectl(...args);

beforeAll(async () => {
  await cluster.up();
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

const containersOf = (pods: readonly Pod[]) =>
  pods.map((pod) => pod.status?.containerStatuses?.[0]?.containerID).sort();

const rolledOut = () => kubectl('rollout', 'status', APP, '--timeout=60s');

describe('a Deployment of nginx', () => {
  it('comes up with three pods that answer HTTP from the host', async () => {
    await kubectl('apply', '-f', WEB);
    await rolledOut();
    const pods = await readyPods();
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      const answer = await fetch(`http://${pod.status?.podIP}/`, { signal: AbortSignal.timeout(5_000) });
      expect(await answer.text()).toContain('Welcome to nginx');
    }
  });

  it('shows itself in get, describe and logs', async () => {
    expect(await kubectl('get', 'pods', '-o', 'wide')).toMatch(/1\/1 +Running +0 /);
    expect(await kubectl('describe', APP)).toContain('NewReplicaSetAvailable');
    expect(await kubectl('logs', APP)).toContain('start worker process');
  });

  it('runs commands: output, exit codes, and standard input to its end', async () => {
    expect(await kubectl('exec', APP, '--', 'sh', '-c', 'echo out; echo err >&2')).toBe('out\n');
    expect((await cluster.tryKubectl(['exec', APP, '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    const input = Buffer.alloc(300_000, 'kubets ');
    const { stdout } = await cluster.tryKubectl(['exec', '-i', APP, '--', 'cat'], { input });
    expect(stdout).toBe(input.toString());
  });

  it('survives kill -9 of kubets, and down and up, with its containers untouched', async () => {
    const before = containersOf(await readyPods());
    process.kill(await cluster.pid(), 'SIGKILL');
    await cluster.up();
    await rolledOut();
    expect(containersOf(await readyPods())).toEqual(before);
    await cluster.kubets(['down']);
    await cluster.up();
    await rolledOut();
    const after = await readyPods();
    expect(containersOf(after)).toEqual(before);
    expect(after.map((pod) => pod.status?.containerStatuses?.[0]?.restartCount)).toEqual([0, 0, 0]);
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

  it('is updated, rolled back and scaled', async () => {
    await kubectl('set', 'image', APP, 'nginx=nginx:1.22');
    await rolledOut();
    expect(new Set((await readyPods()).map((pod) => pod.spec?.containers[0]?.image))).toEqual(new Set(['nginx:1.22']));
    await kubectl('rollout', 'undo', APP);
    await rolledOut();
    expect(new Set((await readyPods()).map((pod) => pod.spec?.containers[0]?.image))).toEqual(new Set(['nginx']));
    await kubectl('scale', APP, '--replicas=1');
    await eventually(async () => expect(await readyPods()).toHaveLength(1), 30_000);
  });

  it('leaves nothing behind when it is deleted', async () => {
    const traces = await eventually(async () => {
      // Containers of pods that are on their way out may go while they are looked at.
      const found = await cluster.namespacesAndCgroups();
      expect(found.length).toBeGreaterThan(0);
      return found;
    });
    await kubectl('delete', '-f', WEB);
    const { existsSync } = await import('node:fs');
    await eventually(async () => {
      const left = await cluster.footprint();
      expect({ ...left, mounts: [] }).toEqual({
        containers: [],
        tasks: [],
        ports: [],
        mounts: [],
        addresses: [],
        podFolders: [],
        logFolders: [],
      });
      expect(traces.filter((path) => existsSync(path))).toEqual([]);
    }, 60_000);
  });
});

describe('a container', () => {
  const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  const shell = (command: string, more: object = {}) => ({
    name: 'c',
    image: 'busybox',
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', command],
    ...more,
  });

  it('over its memory limit is OOMKilled with exit code 137', async () => {
    await cluster.apply(
      pod('oom', {
        restartPolicy: 'Never',
        containers: [shell('tail /dev/zero', { resources: { limits: { memory: '32Mi' } } })],
      }),
    );
    await eventually(async () => {
      const { status } = await cluster.get<Pod>('pod', 'oom');
      expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
    }, 60_000);
  });

  it('that fails again and again is restarted with back-off', async () => {
    await cluster.apply(pod('crash', { containers: [shell('echo run; exit 3')] }));
    await eventually(async () => {
      const [status] = (await cluster.get<Pod>('pod', 'crash')).status?.containerStatuses ?? [];
      expect(status?.restartCount).toBeGreaterThan(0);
      expect(status?.state?.waiting?.reason).toBe('CrashLoopBackOff');
      expect(status?.lastState?.terminated?.exitCode).toBe(3);
    }, 60_000);
    expect(await kubectl('logs', 'crash', '--previous')).toBe('run\n');
  });
});
