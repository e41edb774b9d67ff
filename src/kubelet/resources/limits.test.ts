import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { container, podOf } from '../testing/observedPods.ts';
import { Cgroups, podCgroup } from './cgroups.ts';
import { containerResources, cpuWeight, oomScoreAdj, podTotals } from './limits.ts';

const GI = 2 ** 30;
const guaranteed = container('g', {
  resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '500m', memory: '1Gi' } },
});
const burstable = container('b', { resources: { requests: { cpu: '250m', memory: '2Gi' } } });
const bestEffort = container('e');
const pod = (...containers: ReturnType<typeof container>[]) => podOf({ containers });

it('puts requests and limits in the terms of the kernel', () => {
  expect(containerResources(pod(guaranteed), guaranteed, 8 * GI)).toEqual({
    cpu_period: 100_000,
    cpu_shares: 512,
    cpu_quota: 50_000,
    memory_limit_in_bytes: GI,
    oom_score_adj: -997,
  });
  expect(containerResources(pod(bestEffort), bestEffort, 8 * GI)).toEqual({
    cpu_period: 100_000,
    cpu_shares: 2,
    oom_score_adj: 1000,
  });
  const huge = container('h', { resources: { limits: { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' } } });
  expect(containerResources(pod(huge), huge, GI).hugepage_limits).toEqual([
    { page_size: '2MB', limit: 4 << 20 },
    { page_size: '1GB', limit: GI },
  ]);
  expect(oomScoreAdj(pod(burstable), burstable, 8 * GI)).toBe(750);
  expect(oomScoreAdj(podOf({ containers: [bestEffort], priority: 2_000_001_000 }), bestEffort, GI)).toBe(-997);
  expect([0, 1000, 256_000, 10_000_000].map(cpuWeight)).toEqual([1, 39, 10_000, 10_000]);
});

it('ends no sidecar before the containers it serves, and counts what the pod has asked for', () => {
  const sidecar = container('s', { restartPolicy: 'Always' });
  const score = (one: typeof sidecar, more: object = {}) =>
    oomScoreAdj(podOf({ initContainers: [sidecar], containers: [burstable], ...more }), one, 8 * GI);
  expect(score(burstable)).toBe(750);
  expect(score(sidecar)).toBe(750);
  expect(score({ ...sidecar, resources: { requests: { memory: '4Gi' } } })).toBe(500);
  // Of four, two are asked for by a container; each has one of the others.
  const whole = { resources: { requests: { memory: '4Gi' } } };
  expect(score(burstable, whole)).toBe(625);
  expect(score(sidecar, whole)).toBe(625);
});

it('adds up a pod', () => {
  expect(podTotals(pod(guaranteed, guaranteed))).toEqual({ cpuRequest: 1000, cpuLimit: 1000, memoryLimit: 2 * GI });
  expect(podTotals(pod(guaranteed, burstable))).toEqual({ cpuRequest: 750 });
  expect(podTotals(podOf({ containers: [bestEffort], resources: { limits: { memory: '1Gi' } } }))).toEqual({
    cpuRequest: 0,
    memoryLimit: GI,
  });
});

it('names the cgroup by class of service', () => {
  expect([guaranteed, burstable, bestEffort].map((c) => podCgroup(pod(c)))).toEqual([
    '/kubepods/podu',
    '/kubepods/burstable/podu',
    '/kubepods/besteffort/podu',
  ]);
});

it('makes and removes cgroups of both versions', async () => {
  const root = mkdtempSync(join(tmpdir(), 'kubets-cgroups-'));
  try {
    const read = (path: string) => readFileSync(join(root, path), 'utf8');
    const first = new Cgroups(
      `cgroup ${root}/cpu cgroup rw,cpu 0 0\ncgroup ${root}/mem cgroup rw,memory 0 0\ncgroup ${root}/pids cgroup rw,pids 0 0\ncgroup2 ${root}/uni cgroup2 rw 0 0`,
      33,
    );
    await first.ensurePod(pod(guaranteed));
    expect(read('cpu/kubepods/podu/cpu.shares')).toBe('512');
    expect(read('cpu/kubepods/podu/cpu.cfs_quota_us')).toBe('50000');
    expect(read('mem/kubepods/podu/memory.limit_in_bytes')).toBe(String(GI));
    expect(read('pids/kubepods/podu/pids.max')).toBe('33');
    expect(existsSync(join(root, 'uni/kubepods'))).toBe(false);

    mkdirSync(join(root, 'v2'));
    const second = new Cgroups(`cgroup2 ${root}/v2 cgroup2 rw 0 0`, 77);
    await second.ensurePod(pod(guaranteed));
    expect(read('v2/kubepods/podu/cpu.max')).toBe('50000 100000');
    expect(read('v2/kubepods/podu/memory.max')).toBe(String(GI));
    expect(read('v2/kubepods/podu/pids.max')).toBe('77');
    expect(read('v2/kubepods/cgroup.subtree_control')).toBe('+io');

    const whole = { cpuMilli: 1500, memoryBytes: 4 * GI };
    await first.shareOut([pod(guaranteed), pod(burstable), pod(burstable), pod(bestEffort)], whole);
    expect(read('cpu/kubepods/burstable/cpu.shares')).toBe('512');
    expect(read('cpu/kubepods/cpu.shares')).toBe('1536');
    expect(read('mem/kubepods/memory.limit_in_bytes')).toBe(String(4 * GI));
    await second.shareOut([pod(burstable)], undefined);
    expect(read('v2/kubepods/burstable/cpu.weight')).toBe(String(cpuWeight(250)));
    expect(existsSync(join(root, 'v2/kubepods/memory.max'))).toBe(false);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
