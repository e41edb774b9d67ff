import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import type { Scale } from '../../apis/autoscaling/scale.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Measured } from './metrics.ts';
import { conclude, concludeWithoutScale, decide, type Observation } from './plan.ts';
import { ambiguity, selectorOf } from './selections.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { NO_MEMORY } from './stabilize.ts';

const NOW = Date.UTC(2026, 0, 1);
const EARLIER = formatTime(NOW - 60_000);

const average = (name: string): MetricSpec => ({
  type: 'Pods',
  pods: { metric: { name }, target: { type: 'AverageValue', averageValue: '10' } },
});
const external = (averageValue: string): MetricSpec => ({
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue } },
});
const each = (count: number, value: number): Measured => ({
  type: 'pods',
  metrics: new Map(
    Array.from({ length: count }, (_, i) => [`pod-${i}`, { at: NOW, windowMs: 1, value: value * 1000 }]),
  ),
});
const amount = (value: number): Measured => ({ type: 'amounts', amounts: [value * 1000] });
const failed: Measured = { type: 'failed', message: 'nobody tells' };

interface Case {
  readonly spec?: Partial<HorizontalPodAutoscalerSpec>;
  readonly status?: HorizontalPodAutoscalerStatus;
  readonly replicas?: number;
  readonly measured?: Observation['measured'];
}

function observe({ spec = {}, status, replicas = 2, measured = [each(replicas, 10)] }: Case): Observation {
  const autoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 3 },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [average('requests')],
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  } as Stored<HorizontalPodAutoscaler>;
  const pods = Array.from({ length: replicas }, (_, i) => ({
    metadata: { name: `pod-${i}` },
    status: { phase: 'Running' },
  })) as unknown as Stored<Pod>[];
  const scale: Scale = { spec: { replicas }, status: { replicas, selector: 'app=web' } };
  return { autoscaler, scale, pods, measured, memory: NO_MEMORY, now: NOW, settings: DEFAULT_SETTINGS };
}

/** What comes of it: the size, conditions as `AbleToScale=True ReadyForNewScale`, events as `Normal SuccessfulRescale: …`. */
function run(given: Case, error?: string) {
  const observation = observe(given);
  const decision = decide(observation);
  const { status, events } = conclude(observation, decision, error === undefined ? {} : { error });
  return {
    to: decision.rescale?.to,
    conditions: (status?.conditions ?? []).map((c) => `${c.type}=${c.status} ${c.reason}`),
    events: events.map((e) => `${e.type} ${e.reason}: ${e.message}`),
    status,
  };
}

const ACTIVE = 'ScalingActive=True ValidMetricFound';
const WITHIN = 'ScalingLimited=False DesiredWithinRange';
const GOT = 'AbleToScale=True SucceededGetScale';
const DONE = 'AbleToScale=True SucceededRescale';

describe('what an autoscaler decides', () => {
  it.each<[string, Case, number | undefined, string[], string[]]>([
    ['as it is to be', {}, undefined, ['AbleToScale=True ReadyForNewScale', ACTIVE, WITHIN], []],
    [
      'more',
      { measured: [each(2, 15)] },
      3,
      [DONE, ACTIVE, WITHIN],
      ['Normal SuccessfulRescale: New size: 3; reason: pods metric requests above target'],
    ],
    [
      'less, but not at once',
      { measured: [each(2, 1)] },
      undefined,
      ['AbleToScale=True ScaleDownStabilized', ACTIVE, WITHIN],
      [],
    ],
    [
      'the most that any metric asks for',
      {
        spec: { metrics: [average('a'), average('b'), external('10')] },
        measured: [each(2, 1), each(2, 20), amount(31)],
      },
      4,
      [DONE, ACTIVE, WITHIN],
      ['Normal SuccessfulRescale: New size: 4; reason: pods metric b above target'],
    ],
    [
      'more, though one metric is not told',
      { spec: { metrics: [average('a'), average('b')] }, measured: [failed, each(2, 20)] },
      4,
      [DONE, ACTIVE, WITHIN],
      [
        'Warning FailedGetPodsMetric: unable to get metric a: nobody tells',
        'Normal SuccessfulRescale: New size: 4; reason: pods metric b above target',
      ],
    ],
    [
      'not less, where one metric is not told',
      {
        spec: { metrics: [average('a'), average('b')], behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
        measured: [each(2, 1), failed],
      },
      undefined,
      [GOT, 'ScalingActive=False FailedGetPodsMetric'],
      [
        'Warning FailedGetPodsMetric: unable to get metric b: nobody tells',
        'Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 2), first error is: failed to get pods metric value: unable to get metric b: nobody tells',
      ],
    ],
    ['nothing where there is nothing', { replicas: 0 }, undefined, [GOT, 'ScalingActive=False ScalingDisabled'], []],
    [
      'something where there is nothing, and may be nothing',
      { replicas: 0, spec: { minReplicas: 0, metrics: [external('10')] }, measured: [amount(25)] },
      3,
      [DONE, ACTIVE, WITHIN],
      ['Normal SuccessfulRescale: New size: 3; reason: external metric queue() above target'],
    ],
    [
      'without a selector',
      { measured: selectorOf('') as never },
      undefined,
      [GOT, 'ScalingActive=False InvalidSelector'],
      ['Warning SelectorRequired: selector is required', 'Warning FailedComputeMetricsReplicas: selector is required'],
    ],
  ])('%s', (_what, given, to, conditions, events) => {
    expect(run(given)).toMatchObject({ to, conditions, events });
  });

  it('pods that others want to scale as well are left alone', () => {
    const { autoscaler } = observe({});
    const { conditions, events } = run({ measured: ambiguity('app=web', [autoscaler, autoscaler]) });
    expect(conditions).toEqual([GOT, 'ScalingActive=False AmbiguousSelector']);
    expect(events[0]).toBe(
      'Warning AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [default/web default/web]',
    );
  });
});

describe('what it tells', () => {
  const old: HorizontalPodAutoscalerStatus = {
    desiredReplicas: 2,
    currentReplicas: 2,
    lastScaleTime: EARLIER,
    conditions: [
      { type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale', message: '', lastTransitionTime: EARLIER },
      { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message: '', lastTransitionTime: EARLIER },
    ],
  };

  it('of a change', () => {
    const { status } = run({ status: old, measured: [each(2, 15)] });
    expect(status).toMatchObject({
      observedGeneration: 3,
      lastScaleTime: formatTime(NOW),
      currentReplicas: 2,
      desiredReplicas: 3,
      currentMetrics: [{ type: 'Pods', pods: { metric: { name: 'requests' }, current: { averageValue: '15' } } }],
    });
    // A condition is as old as its status.
    expect(status?.conditions?.map((c) => c.lastTransitionTime)).toEqual([EARLIER, formatTime(NOW), formatTime(NOW)]);
  });

  it('of a change that was refused', () => {
    const { status, conditions, events } = run({ status: old, measured: [each(2, 15)] }, 'no quota');
    expect(conditions[0]).toBe('AbleToScale=False FailedUpdateScale');
    expect(events).toEqual([
      'Warning FailedRescale: New size: 3; reason: pods metric requests above target; error: no quota',
    ]);
    expect(status).toMatchObject({ lastScaleTime: EARLIER, desiredReplicas: 2 });
  });

  it('nothing that was told before', () => {
    const first = run({}).status;
    expect(first).toBeDefined();
    expect(run(first === undefined ? {} : { status: first }).status).toBeUndefined();
  });

  it('of a target that is not there', () => {
    const { autoscaler } = observe({ status: old });
    const { status, events } = concludeWithoutScale(autoscaler, 'no such thing', NOW);
    expect(status?.conditions?.[0]).toMatchObject({ status: 'False', reason: 'FailedGetScale' });
    expect(status).toMatchObject({ desiredReplicas: 2, currentReplicas: 2 });
    expect(events).toEqual([{ type: 'Warning', reason: 'FailedGetScale', message: 'no such thing' }]);
  });
});

const measurements: fc.Arbitrary<Measured> = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 1000 })).map(([n, value]) => each(n, value)),
  fc.constant(failed),
);

describe('whatever is measured', () => {
  it('there are as many as there may be, and none fewer where something is not told', () => {
    const limits = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 }));
    fc.assert(
      fc.property(
        fc.array(measurements, { minLength: 1, maxLength: 4 }),
        limits,
        fc.integer({ min: 0, max: 15 }),
        (measured, [minReplicas, more], replicas) => {
          const metrics = measured.map((_, i) => average(`m${i}`));
          const maxReplicas = minReplicas + more;
          const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
          const decision = decide(
            observe({ replicas, measured, spec: { minReplicas, maxReplicas, metrics, behavior } }),
          );
          const to = decision.rescale?.to ?? replicas;
          if (replicas === 0) expect(to).toBe(0);
          else {
            expect(to).toBeGreaterThanOrEqual(minReplicas);
            expect(to).toBeLessThanOrEqual(maxReplicas);
            const isIn = minReplicas <= replicas && replicas <= maxReplicas;
            if (isIn && measured.some((m) => m.type === 'failed')) expect(to).toBeGreaterThanOrEqual(replicas);
          }
          const types = decision.findings.map((f) => f.type);
          expect(new Set(types).size).toBe(types.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
