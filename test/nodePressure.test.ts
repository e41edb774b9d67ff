/** Pods that use more than they may, and nodes that run short: with real containers. Needs root and containerd. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { events } from '../src/apis/core/event.ts';
import { nodes } from '../src/apis/core/node.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import type { PodSpec } from '../src/apis/core/podSpec.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import type { Stored } from '../src/machinery/kind.ts';
import { isApiError } from '../src/machinery/status.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';
const tolerations = [{ operator: 'Exists' }];

describe.skipIf(!isRoot)('a node under pressure', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.7', bridge: 'kubets-t7' });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(() => node?.stop());

  function create(name: string, script: string, more: Partial<PodSpec> = {}, limits?: Record<string, string>) {
    const main = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      ...(limits === undefined ? {} : { resources: { limits } }),
      ...(more.volumes === undefined ? {} : { volumeMounts: [{ name: 'cache', mountPath: '/cache' }] }),
    };
    const spec = { nodeName: node.name, terminationGracePeriodSeconds: 1, containers: [main], ...more };
    return node.client.create(pods, { metadata: { name, namespace }, spec });
  }

  const podWhere = (name: string, what: string, holds: (pod: Stored<Pod>) => boolean) =>
    until(
      `${name} ${what}`,
      async () => {
        const pod = await node.client.get(pods, { namespace, name }).catch((error: unknown) => {
          if (isApiError(error, 'NotFound')) return undefined;
          throw error;
        });
        return pod !== undefined && holds(pod) ? pod : undefined;
      },
      60_000,
    );
  const failed = (name: string) => podWhere(name, 'failed', (p) => p.status?.phase === 'Failed');
  const running = (name: string) => podWhere(name, 'runs', (p) => p.status?.phase === 'Running');
  const pressure = (status: string) =>
    until(
      `MemoryPressure is ${status}`,
      async () => {
        const { status: told } = await node.client.get(nodes, { name: node.name });
        return told?.conditions?.find((c) => c.type === 'MemoryPressure')?.status === status;
      },
      60_000,
    );

  it('evicts pods that use more of the disk than they may, and no others', async () => {
    const fill = (where: string) => `dd if=/dev/zero of=${where}/file bs=1M count=3; sleep 1000`;
    const volumes = (emptyDir: object) => ({ volumes: [{ name: 'cache', emptyDir }] });
    await create('volume', fill('/cache'), volumes({ sizeLimit: '1Mi' }));
    await create('layer', fill('/tmp'), {}, { 'ephemeral-storage': '2Mi' });
    await create('modest', fill('/cache'), volumes({ sizeLimit: '10Mi' }), { 'ephemeral-storage': '50Mi' });
    const evicted = await failed('volume');
    const message = 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ';
    expect(evicted.status).toMatchObject({ reason: 'Evicted', message });
    expect(evicted.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }),
    );
    await until('the event of the eviction', async () => {
      const { items } = await node.client.list(events, { namespace });
      return items.some((e) => e.involvedObject?.name === 'volume' && e.reason === 'Evicted' && e.message === message);
    });
    expect((await failed('layer')).status).toMatchObject({
      reason: 'Evicted',
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ',
    });
    await running('modest');
    await node.client.delete(pods, { namespace, name: 'modest' });
  });

  it('gives a volume in memory no more than it may have', async () => {
    const script = 'df -k /cache | tail -1; sleep 1000';
    await create('memory', script, { volumes: [{ name: 'cache', emptyDir: { medium: 'Memory', sizeLimit: '2Mi' } }] });
    const pod = await running('memory');
    const id = pod.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? '';
    const { stdout = '' } = await node.runtime.call('execSync', { container_id: id, cmd: ['df', '-k', '/cache'] });
    expect(Buffer.from(stdout, 'base64').toString()).toMatch(/\s2048\s.*\/cache/);
    await node.client.delete(pods, { namespace, name: 'memory' });
  });

  it('lets go of pods that asked for nothing, spares critical ones, and takes none in until it is over', async () => {
    await create('critical', 'sleep 1000', { priorityClassName: 'system-node-critical', tolerations });
    await create('modest-request', 'sleep 1000', { tolerations }, { memory: '50Mi', cpu: '10m' });
    await create('greedy', 'sleep 1000', { tolerations });
    await Promise.all(['critical', 'modest-request', 'greedy'].map(running));
    await node.stopKubelet();
    await node.startKubelet({ evictionHard: { 'memory.available': '4Ti' }, evictionPressureTransitionPeriod: '1s' });
    await pressure('True');
    const { status } = await failed('greedy');
    expect(status?.reason).toBe('Evicted');
    expect(status?.message).toMatch(
      /^The node was low on resource: memory\. Threshold quantity: 4Ti, available: \d+Ki\. Container main was using \d+Ki, request is 0, has larger consumption of memory\. $/,
    );
    await create('late', 'sleep 1000');
    expect((await failed('late')).status).toMatchObject({
      reason: 'Evicted',
      message: 'Pod was rejected: The node had condition: [MemoryPressure]. ',
    });
    // There is still too little: the next one goes, and the critical one stays.
    await failed('modest-request');
    expect((await running('critical')).status?.containerStatuses?.[0]?.restartCount).toBe(0);
    const { spec } = await until('the taint of the node', async () => {
      const found = await node.client.get(nodes, { name: node.name });
      return found.spec?.taints?.some((t) => t.key === 'node.kubernetes.io/memory-pressure') ? found : undefined;
    });
    expect(spec?.taints).toContainEqual(expect.objectContaining({ effect: 'NoSchedule' }));
    await node.stopKubelet();
    await node.startKubelet();
    await pressure('False');
    await create('later', 'sleep 1000');
    await running('later');
  });

  it('removes images that nobody uses when their disk is too full', async () => {
    const images = async () => (await node.runtime.call('listImages', {})).images?.flatMap((i) => i.repo_tags ?? []);
    const { items } = await node.client.list(pods, { namespace });
    await Promise.all(
      items.map(({ metadata: { name } }) => node.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 })),
    );
    expect((await images())?.some((name) => name.includes('busybox'))).toBe(true);
    await node.stopKubelet();
    await until('no container is left', async () => {
      const { containers = [] } = await node.runtime.call('listContainers', {});
      // The kubelet that was stopped may be about to do the same.
      for (const { id = '' } of containers)
        await node.runtime.call('removeContainer', { container_id: id }).catch(() => {});
      return containers.length === 0;
    });
    const full = { imageGCHighThresholdPercent: 1, imageGCLowThresholdPercent: 0, imageMinimumGCAge: '0s' };
    await node.startKubelet(full);
    await until('busybox is gone', async () => !(await images())?.some((name) => name.includes('busybox')));
    // Sandboxes are made of this one.
    expect((await images())?.some((name) => name.includes('pause'))).toBe(true);
  });
});
