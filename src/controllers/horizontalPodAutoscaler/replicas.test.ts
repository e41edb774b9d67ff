import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import { groupPods, type PodMetrics } from './podGroups.ts';
import { byAverage, byShare, byTotal, byUtilization, type Proposal, type ReplicaWorld } from './replicas.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const NOW = 1_000_000_000_000;
const before = (seconds: number) => formatTime(NOW - seconds * 1000);

interface PodState {
  readonly phase?: string;
  readonly ready?: boolean;
  /** seconds ago */
  readonly started?: number;
  readonly changed?: number;
  readonly deleted?: boolean;
  readonly requests?: Record<string, string>;
}

function pod(name: string, state: PodState = {}): Stored<Pod> {
  const { phase = 'Running', ready = true, started = 1000, changed = 900, deleted = false } = state;
  const { requests = { cpu: '1' } } = state;
  const metadata = {
    name,
    namespace: 'default',
    uid: name,
    resourceVersion: '1',
    ...(deleted ? { deletionTimestamp: before(1) } : {}),
  };
  const status = {
    phase,
    startTime: before(started),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: before(changed) }],
  };
  const spec = { containers: [{ name: 'main', image: 'one', resources: { requests } }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec, status } as unknown as Stored<Pod>;
}

const pods = (...states: readonly PodState[]) => states.map((state, i) => pod(`pod-${i}`, state));
const same = (count: number, state: PodState = {}) => pods(...Array.from({ length: count }, () => state));

/** By the pods' places; undefined for none. */
function using(...values: readonly (number | undefined)[]): PodMetrics {
  const known = values.flatMap((value, i) =>
    value === undefined ? [] : [[`pod-${i}`, { at: NOW, windowMs: 30_000, value }] as const],
  );
  return new Map(known);
}

function world(all: readonly Stored<Pod>[], rest: Partial<ReplicaWorld> = {}): ReplicaWorld {
  const tolerances = { up: 0.1, down: 0.1 };
  const count = all.length;
  return {
    specReplicas: count,
    statusReplicas: count,
    pods: all,
    tolerances,
    now: NOW,
    settings: DEFAULT_SETTINGS,
    ...rest,
  };
}

const CPU = { resource: 'cpu', container: '' };

/** `4 replicas, 50%, 500 each` */
const textOf = ({ replicas, usage, utilization }: Proposal) =>
  `${replicas} replicas${utilization === undefined ? '' : `, ${utilization}%`}, ${usage} each`;

describe('a share of what pods request', () => {
  it.each<[string, readonly Stored<Pod>[], PodMetrics, number, string]>([
    ['above', same(3), using(300, 500, 700), 30, '5 replicas, 50%, 500 each'],
    ['below', same(5), using(100, 100, 100, 100, 100), 50, '1 replicas, 10%, 100 each'],
    ['within the tolerance', same(3), using(330, 330, 320), 30, '3 replicas, 32%, 326 each'],
    [
      'above, with one that is not ready yet',
      pods({}, {}, { ready: false, started: 60, changed: 60 }),
      using(600, 600, 900),
      30,
      '4 replicas, 60%, 600 each',
    ],
    [
      'above, with half that wait for a node',
      pods({}, {}, { phase: 'Pending' }, { phase: 'Pending' }),
      using(500, 500),
      30,
      '4 replicas, 50%, 500 each',
    ],
    ['above, with one that is not measured', same(3), using(500, undefined, 900), 30, '5 replicas, 70%, 700 each'],
    [
      'below, with one that is not measured: it may use all it requests',
      same(4),
      using(100, 100, 100),
      50,
      '3 replicas, 10%, 100 each',
    ],
    [
      'below, with one that is not measured and may use more than it requests',
      same(3),
      using(1000, 1000),
      200,
      '2 replicas, 100%, 1000 each',
    ],
    [
      'below, with one that is not ready: it counts for nothing',
      pods({}, {}, {}, { ready: false, started: 60, changed: 60 }),
      using(100, 100, 100, 100),
      50,
      '1 replicas, 10%, 100 each',
    ],
    [
      'with one that failed, which is no pod any more',
      pods({}, {}, { phase: 'Failed' }),
      using(600, 600),
      30,
      '4 replicas, 60%, 600 each',
    ],
    ['with one that goes', pods({}, {}, { deleted: true }), using(600, 600, 900), 30, '4 replicas, 60%, 600 each'],
  ])('%s', (_what, all, metrics, target, expected) => {
    expect(textOf(byUtilization(world(all), metrics, { ...CPU, target }))).toBe(expected);
  });

  it.each<[string, readonly Stored<Pod>[], PodMetrics, string, string]>([
    ['no pods', [], new Map(), '', 'no pods returned by selector while calculating replica count'],
    [
      'no metrics of pods that are there',
      same(1),
      new Map(),
      '',
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
    ['no requests', same(1, { requests: {} }), using(5), '', 'missing request for cpu in container main of Pod pod-0'],
    ['no such container', same(1), using(5), 'side', 'container side not found in Pod pod-0'],
  ])('cannot be told with %s', (_what, all, metrics, container, message) => {
    expect(() => byUtilization(world(all), metrics, { ...CPU, container, target: 50 })).toThrow(message);
  });
});

describe('an average', () => {
  it.each<[string, readonly Stored<Pod>[], PodMetrics, string]>([
    ['above', same(2), using(40, 60), '5 replicas, 50 each'],
    ['below', same(4), using(5, 5, 5, 5), '1 replicas, 5 each'],
    ['up, with one that is not measured', same(2), using(50), '3 replicas, 50 each'],
    ['down, with one that is not measured', same(3), using(10, 10), '2 replicas, 10 each'],
    ['exactly, with one that is not measured', same(2), using(20), '2 replicas, 20 each'],
  ])('%s', (_what, all, metrics, expected) => {
    expect(textOf(byAverage(world(all), metrics, '', 20))).toBe(expected);
  });
});

describe('a total', () => {
  it.each<[string, Partial<ReplicaWorld>, number, string]>([
    ['above', {}, 400, '6 replicas, 400 each'],
    ['within the tolerance', {}, 210, '3 replicas, 210 each'],
    ['of pods of which not all are ready', { pods: pods({}, { ready: false }, {}) }, 400, '4 replicas, 400 each'],
    ['from nothing', { specReplicas: 0, statusReplicas: 0, pods: [] }, 500, '3 replicas, 500 each'],
    ['of nothing, from nothing', { specReplicas: 0, statusReplicas: 0, pods: [] }, 0, '0 replicas, 0 each'],
    ['with a tolerance of its own', { tolerances: { up: 1, down: 0 } }, 400, '3 replicas, 400 each'],
    ['with none downwards', { tolerances: { up: 1, down: 0 } }, 130, '2 replicas, 130 each'],
    ['beyond all numbers', {}, 1e300, `${2 ** 31 - 1} replicas, 1e+300 each`],
  ])('%s', (_what, rest, usage, expected) => {
    expect(textOf(byTotal(world(same(3), rest), usage, 200))).toBe(expected);
  });

  it.each<[string, number, number, string]>([
    ['above', 3, 1000, '5 replicas, 334 each'],
    ['within the tolerance', 3, 620, '3 replicas, 207 each'],
    ['of nothing', 3, 0, '0 replicas, 0 each'],
    ['from nothing', 0, 500, '3 replicas, 0 each'],
    ['of nothing, from nothing', 0, 0, '0 replicas, 0 each'],
  ])('for each pod, %s', (_what, statusReplicas, usage, expected) => {
    expect(textOf(byShare(world([], { statusReplicas }), usage, 200))).toBe(expected);
  });
});

describe('a pod that starts', () => {
  it.each<[string, PodState, 'counts' | 'is unready']>([
    ['ready since a window', { started: 100, changed: 31 }, 'counts'],
    ['ready since less than a window', { started: 100, changed: 29 }, 'is unready'],
    ['not ready', { started: 100, ready: false, changed: 31 }, 'is unready'],
    ['not ready, and started long ago, and ready once', { started: 1000, ready: false, changed: 900 }, 'counts'],
    ['not ready, and started long ago, and never ready', { started: 1000, ready: false, changed: 971 }, 'is unready'],
    ['ready, and started long ago', { started: 301, changed: 1 }, 'counts'],
  ])('%s', (_what, state, expected) => {
    const groups = groupPods(pods(state), using(100), 'cpu', NOW, DEFAULT_SETTINGS);
    expect(groups.readyCount === 1 ? 'counts' : 'is unready').toBe(expected);
    expect(groups.metrics.size).toBe(groups.readyCount);
    // Nothing but cpu is used by starting.
    expect(groupPods(pods(state), using(100), 'memory', NOW, DEFAULT_SETTINGS).readyCount).toBe(1);
  });
});

const states = fc.record({
  phase: fc.constantFrom('Running', 'Running', 'Pending', 'Failed', 'Succeeded'),
  ready: fc.boolean(),
  started: fc.integer({ min: 0, max: 1000 }),
  changed: fc.integer({ min: 0, max: 1000 }),
  deleted: fc.boolean(),
});

describe('whatever pods do', () => {
  it('each is in one group, and what is not known never makes more of a change', () => {
    const known = fc.array(fc.tuple(states, fc.option(fc.integer({ min: 0, max: 3000 }), { nil: undefined })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(known, fc.integer({ min: 1, max: 300 }), (all, target) => {
        const observed = pods(...all.map(([state]) => state));
        const metrics = using(...all.map(([, value]) => value));
        const groups = groupPods(observed, metrics, 'cpu', NOW, DEFAULT_SETTINGS);
        expect(groups.readyCount + groups.unready.length + groups.missing.length).toBeLessThanOrEqual(all.length);
        if (groups.metrics.size === 0) return;
        const { replicas, utilization = 0 } = byUtilization(world(observed), metrics, { ...CPU, target });
        const { up, down } = world(observed).tolerances;
        expect(Number.isInteger(replicas)).toBe(true);
        const ratio = utilization / target;
        const unbounded = Math.ceil(ratio * all.length);
        // Pods that went do not count, so that fewer may be needed though each has more to do.
        if (ratio > 1 + up) expect(replicas).toBeLessThanOrEqual(Math.max(unbounded, all.length));
        if (ratio < 1 - down) expect(replicas).toBeLessThanOrEqual(all.length);
        else expect(replicas).toBeGreaterThanOrEqual(Math.min(all.length, groups.readyCount));
      }),
      { numRuns: 300 },
    );
  });
});
