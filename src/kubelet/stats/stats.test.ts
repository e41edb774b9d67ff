import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { cpuOf, memoryOf } from '../machine/linuxUsage.ts';
import type { Machine } from '../machine/machine.ts';
import { RuntimeObserver } from '../pods/observed.ts';
import { fakeRuntime, runningContainer } from '../testing/fakeRuntime.ts';
import type { ContainerReading, NodeReading } from './reading.ts';
import { resourceMetricsOf } from './resourceMetrics.ts';
import { readStatistics } from './statistics.ts';
import { summaryOf } from './summary.ts';

const MINUTE = Date.UTC(2026, 0, 1, 0, 1);
const container = (name: string, rest: Partial<ContainerReading> = {}): ContainerReading => ({
  namespace: 'shop',
  pod: 'web',
  podUid: 'u1',
  container: name,
  id: `id-${name}`,
  image: 'busybox',
  startedAt: MINUTE - 60_000,
  at: MINUTE,
  cpuNanoseconds: 3e9,
  workingSetBytes: 1000,
  ...rest,
});
const reading = (containers: ContainerReading[], rest: Partial<NodeReading> = {}): NodeReading => ({
  nodeName: 'node-0',
  at: MINUTE,
  startedAt: 0,
  cpuNanoseconds: 10e9,
  workingSetBytes: 5000,
  usageBytes: 6000,
  availableBytes: 1000,
  containers,
  ...rest,
});

describe('/metrics/resource', () => {
  test('tells of containers, their pod and the node', () => {
    const text = resourceMetricsOf(reading([container('a'), container('b', { cpuNanoseconds: 1.5e9 })]));
    expect(text).toContain(
      `container_cpu_usage_seconds_total{container="b",namespace="shop",pod="web"} 1.5 ${MINUTE}\n`,
    );
    expect(text).toContain(`pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 4.5 ${MINUTE}\n`);
    expect(text).toContain(`pod_memory_working_set_bytes{namespace="shop",pod="web"} 2000 ${MINUTE}\n`);
    expect(text).toContain(`node_cpu_usage_seconds_total 10 ${MINUTE}\n`);
    expect(text).toContain('resource_scrape_error 0\n');
    expect(text.match(/^# TYPE \w+ (counter|gauge)$/gm)).toHaveLength(8);
  });

  test('an empty node has no families of containers', () => {
    expect(resourceMetricsOf(reading([]))).not.toContain('container_');
  });
});

describe('/stats/summary', () => {
  test('a rate needs an earlier reading of the same run', () => {
    const now = reading([container('a'), container('b')]);
    expect(summaryOf(now)).toMatchObject({
      node: { nodeName: 'node-0', cpu: { usageCoreNanoSeconds: 10e9 }, memory: { workingSetBytes: 5000 } },
      pods: [{ podRef: { name: 'web', namespace: 'shop', uid: 'u1' }, containers: [{ name: 'a' }, { name: 'b' }] }],
    });
    expect(JSON.stringify(summaryOf(now))).not.toContain('usageNanoCores');
    const at = MINUTE - 10_000;
    const old = reading(
      [container('a', { at, cpuNanoseconds: 1e9 }), container('b', { at, startedAt: 5, cpuNanoseconds: 1e9 })],
      { at, cpuNanoseconds: 5e9 },
    );
    const told = summaryOf(now, old);
    expect(told).toMatchObject({
      node: { cpu: { usageNanoCores: 0.5e9 } },
      pods: [{ containers: [{ cpu: { usageNanoCores: 0.2e9 } }, { name: 'b' }] }],
    });
    // One container's rate is not known, so neither is the pod's.
    expect(JSON.stringify(told).match(/usageNanoCores/g)).toHaveLength(2);
  });
});

test('only containers that run, and that are of a pod, are told of', async () => {
  const clock = new VirtualClock(MINUTE);
  const runtime = fakeRuntime({
    ...runningContainer({ uid: 'u1', name: 'web', namespace: 'shop', container: 'main' }),
    listContainerStats: () => ({
      stats: [
        {
          attributes: { id: 'c1' },
          cpu: { timestamp: MINUTE * 1e6, usage_core_nano_seconds: { value: 7 } },
          memory: { working_set_bytes: { value: 9 }, rss_bytes: {} },
        },
        { attributes: { id: 'other' }, cpu: { usage_core_nano_seconds: { value: 1 } } },
      ],
    }),
  });
  const observer = new RuntimeObserver(runtime, clock, silentLogger);
  await observer.look();
  const machine = { usage: async () => reading([]) } as unknown as Machine;
  const { containers, nodeName } = await readStatistics({
    nodeName: 'n',
    runtime,
    machine,
    observer,
    clock,
    volumes: async () => [],
  });
  expect(nodeName).toBe('n');
  expect(containers).toMatchObject([
    { namespace: 'shop', pod: 'web', container: 'main', cpuNanoseconds: 7, workingSetBytes: 9, rssBytes: 0 },
  ]);
});

describe('the machine', () => {
  test('its processors', () => {
    const stat = 'cpu  100 10 50 1000 30 5 6 9 0 0\ncpu0 1 1 1 1\nbtime 1700000000\n';
    expect(cpuOf(stat)).toEqual({ cpuNanoseconds: 1.8e9, startedAt: 1_700_000_000_000 });
    expect(cpuOf('')).toEqual({ cpuNanoseconds: 0, startedAt: 0 });
  });

  test('its memory', () => {
    const meminfo = 'MemTotal: 1000 kB\nMemFree: 400 kB\nInactive(file): 100 kB\n';
    expect(memoryOf(meminfo)).toEqual({
      usageBytes: 600 * 1024,
      workingSetBytes: 500 * 1024,
      availableBytes: 500 * 1024,
    });
  });
});
