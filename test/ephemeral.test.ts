/** Containers that are added to a running pod, to look into it: `kubectl debug`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/apis/core/pod.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('ephemeral');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const statusOf = async (name: string) => {
  const { status } = await cluster.get<Pod>('pod', 'web');
  return status?.ephemeralContainerStatuses?.find((s) => s.name === name);
};

beforeAll(async () => {
  await cluster.up();
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'web', image: 'nginx', imagePullPolicy: 'IfNotPresent' }],
    },
  });
  await kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=60s');
});
afterAll(() => cluster.remove());

const debug = (name: string, command: string, ...flags: string[]) =>
  kubectl(
    'debug',
    'web',
    '--image=busybox',
    '--image-pull-policy=IfNotPresent',
    '-c',
    name,
    ...flags,
    '--',
    'sh',
    '-c',
    command,
  );

describe('an ephemeral container', () => {
  it('runs once beside the others, which it leaves alone', async () => {
    await debug('once', 'echo looking; hostname; exit 3');
    await eventually(async () => expect((await statusOf('once'))?.state?.terminated?.exitCode).toBe(3));
    expect(await kubectl('logs', 'web', '-c', 'once')).toBe('looking\nweb\n');
    const { status } = await cluster.get<Pod>('pod', 'web');
    expect(status?.phase).toBe('Running');
    expect(status?.containerStatuses?.[0]).toMatchObject({ ready: true, restartCount: 0 });
    expect((await statusOf('once'))?.restartCount).toBe(0);
  });

  it('shares the network, and sees the processes of its target', async () => {
    await debug('target', 'sleep 1000', '--target=web');
    await eventually(async () => expect((await statusOf('target'))?.state?.running).toBeDefined());
    const inside = (command: string) => kubectl('exec', 'web', '-c', 'target', '--', 'sh', '-c', command);
    expect(await inside('ps')).toContain('nginx');
    expect(await inside('timeout 5 wget -qO- http://127.0.0.1/')).toContain('Welcome to nginx');
  });

  it('cannot be changed or taken away, and goes with the pod', async () => {
    const patch = JSON.stringify({ spec: { ephemeralContainers: [] } });
    const flags = ['--subresource=ephemeralcontainers', '--type=merge', '-p', patch];
    const outcome = await cluster.tryKubectl(['patch', 'pod', 'web', ...flags]);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('existing ephemeral containers') });
    await kubectl('delete', 'pod', 'web', '--wait', '--timeout=30s');
    await eventually(async () => expect((await cluster.footprint()).containers).toEqual([]));
  });
});
