/** Resources of running containers, changed in place. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Node } from '../src/apis/core/node.ts';
import type { Pod } from '../src/apis/core/pod.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('resize');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const get = () => cluster.get<Pod>('pod', 'sized');
const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
const resize = (cpu: string, memory: string) => {
  const patch = JSON.stringify({ spec: { containers: [{ name: 'c', resources: resources(cpu, memory) }] } });
  return cluster.tryKubectl(['patch', 'pod', 'sized', '--subresource=resize', '-p', patch]);
};
/** The limits as the kernel has them: the quota in µs for 100 ms, and bytes. */
async function limits(): Promise<string> {
  const v1 = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/memory/memory.limit_in_bytes';
  const v2 = 'cut -d" " -f1 /sys/fs/cgroup/cpu.max; cat /sys/fs/cgroup/memory.max';
  return (await kubectl('exec', 'sized', '--', 'sh', '-c', `(${v1}) 2>/dev/null || (${v2})`)).trim().replace('\n', ' ');
}
const podSpec = (memory: 'NotRequired' | 'RestartContainer') => ({
  terminationGracePeriodSeconds: 0,
  containers: [
    {
      name: 'c',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sleep', '1000'],
      resources: resources('100m', '64Mi'),
      resizePolicy: [
        { resourceName: 'cpu', restartPolicy: 'NotRequired' },
        { resourceName: 'memory', restartPolicy: memory },
      ],
    },
  ],
});
const conditionOf = ({ status }: Pod, type: string) => status?.conditions?.find((c) => c.type === type);

beforeAll(async () => {
  await cluster.up();
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'sized' },
    spec: podSpec('RestartContainer'),
  });
  await kubectl('wait', 'pod/sized', '--for=condition=Ready', '--timeout=60s');
});
afterAll(() => cluster.remove());

describe('a running container', () => {
  it('gets more cpu, and less, where it is', async () => {
    expect(await limits()).toBe('10000 67108864');
    expect(await resize('200m', '64Mi')).toMatchObject({ code: 0 });
    await eventually(async () => expect(await limits()).toBe('20000 67108864'));
    await eventually(async () => {
      const status = (await get()).status?.containerStatuses?.[0];
      expect(status).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '200m', memory: '64Mi' } });
    });
    expect(await resize('50m', '64Mi')).toMatchObject({ code: 0 });
    await eventually(async () => expect(await limits()).toBe('5000 67108864'));
  });

  it('starts anew for what its policy says', async () => {
    expect(await resize('50m', '96Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect((await get()).status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    });
    expect(await limits()).toBe('5000 100663296');
  });

  it('is refused what its node could never give', async () => {
    const outcome = await resize('1000', '96Mi');
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('enough allocatable resources: cpu') });
    expect((await get()).status?.containerStatuses?.[0]?.allocatedResources?.cpu).toBe('50m');
  });

  it('waits for what others have', async () => {
    const { status } = await cluster.get<Node>('node', (await get()).spec?.nodeName ?? '');
    const whole = status?.allocatable?.cpu ?? '';
    const other = { requests: { cpu: '10m', memory: '8Mi' } };
    const command = ['sleep', '1000'];
    const container = { name: 'c', image: 'busybox', imagePullPolicy: 'IfNotPresent', command, resources: other };
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' }, spec });
    await kubectl('wait', 'pod/other', '--for=condition=Ready', '--timeout=60s');
    expect(await resize(whole, '96Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      const pod = await get();
      expect(conditionOf(pod, 'PodResizePending')).toMatchObject({ status: 'True', reason: 'Deferred' });
      expect(pod.status?.containerStatuses?.[0]?.allocatedResources?.cpu).toBe('50m');
    });
    expect(await resize('100m', '96Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect(conditionOf(await get(), 'PodResizePending')).toBeUndefined();
      expect(await limits()).toBe('10000 100663296');
    });
  });

  it('keeps its memory where it uses more than it is to have', async () => {
    await cluster.kubectl('delete', 'pod', 'sized', '--now');
    const patched = (memory: string) => {
      const spec = { containers: [{ name: 'c', resources: resources('50m', memory) }] };
      return cluster.tryKubectl(['patch', 'pod', 'sized', '--subresource=resize', '-p', JSON.stringify({ spec })]);
    };
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'sized' }, spec: podSpec('NotRequired') });
    await kubectl('wait', 'pod/sized', '--for=condition=Ready', '--timeout=60s');
    expect(await patched('8Ki')).toMatchObject({ code: 0 });
    await eventually(async () => {
      const pod = await get();
      const message = expect.stringMatching(/memory limit \(8192\) below current usage/);
      expect(conditionOf(pod, 'PodResizeInProgress')).toMatchObject({ reason: 'Error', message });
      expect(pod.status?.containerStatuses?.[0]).toMatchObject({
        restartCount: 0,
        resources: resources('100m', '64Mi'),
      });
    });
    expect(await patched('80Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect(conditionOf(await get(), 'PodResizeInProgress')).toBeUndefined();
      expect(await limits()).toBe('5000 83886080');
    });
  });

  it('cannot change its class of service', async () => {
    const patch = JSON.stringify({ spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }] } });
    const outcome = await cluster.tryKubectl(['patch', 'pod', 'sized', '--subresource=resize', '-p', patch]);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('QOS Class may not change') });
  });
});
