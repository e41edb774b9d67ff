/** Resources of running containers, changed in place. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
const conditionOf = ({ status }: Pod, type: string) => status?.conditions?.find((c) => c.type === type);

beforeAll(async () => {
  await cluster.up();
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'sized' },
    spec: {
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
            { resourceName: 'memory', restartPolicy: 'RestartContainer' },
          ],
        },
      ],
    },
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

  it('keeps what it has where the node has no more', async () => {
    expect(await resize('1000', '96Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      const pod = await get();
      expect(conditionOf(pod, 'PodResizePending')).toMatchObject({ status: 'True', reason: 'Infeasible' });
      expect(pod.status?.containerStatuses?.[0]?.allocatedResources?.cpu).toBe('50m');
    });
    expect(await resize('100m', '96Mi')).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect(conditionOf(await get(), 'PodResizePending')).toBeUndefined();
      expect(await limits()).toBe('10000 100663296');
    });
  });

  it('cannot change its class of service', async () => {
    const patch = JSON.stringify({ spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }] } });
    const outcome = await cluster.tryKubectl(['patch', 'pod', 'sized', '--subresource=resize', '-p', patch]);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('QOS Class may not change') });
  });
});
