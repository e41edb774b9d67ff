import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import { type Memory, NO_MEMORY, type Stabilized, stabilize, withChange } from './stabilize.ts';

const DOWNSCALE_MS = 300_000;
const NOW = 10_000_000;
const WISH = { current: 10, desired: 10, min: 1, max: 100, now: NOW };

/** `[replicas, seconds ago]` */
const asked = (...all: [number, number][]): Memory => ({
  ...NO_MEMORY,
  recommendations: all.map(([replicas, ago]) => ({ replicas, at: NOW - ago * 1000 })),
});
/** `[by, seconds ago]` */
const changed = (...all: [number, number][]): Memory => ({
  ...NO_MEMORY,
  changes: all.map(([by, ago]) => ({ by, at: NOW - ago * 1000 })),
});

/** `5 ReadyForNewScale, limited: ScaleUpLimit` */
const textOf = ({ replicas, able, limit }: Stabilized) =>
  `${replicas} ${able.reason}, ${limit.limited ? 'limited' : 'not limited'}: ${limit.reason}`;

describe('without a behavior', () => {
  it.each<[string, Partial<typeof WISH>, Memory, string]>([
    ['what is wanted is made', { desired: 15 }, NO_MEMORY, '15 ReadyForNewScale, not limited: DesiredWithinRange'],
    ['at most twice as many at once', { desired: 25 }, NO_MEMORY, '20 ReadyForNewScale, limited: ScaleUpLimit'],
    ['four at once always', { current: 1, desired: 9 }, NO_MEMORY, '4 ReadyForNewScale, limited: ScaleUpLimit'],
    ['no more than there may be', { desired: 25, max: 12 }, NO_MEMORY, '12 ReadyForNewScale, limited: TooManyReplicas'],
    ['no fewer than there may be', { desired: 2, min: 3 }, NO_MEMORY, '3 ReadyForNewScale, limited: TooFewReplicas'],
    [
      'fewer, where long nothing more was asked for',
      { desired: 2 },
      asked([9, 301]),
      '2 ReadyForNewScale, not limited: DesiredWithinRange',
    ],
    [
      'the most of what was asked for lately',
      { desired: 2 },
      asked([9, 301], [7, 200], [5, 10]),
      '7 ScaleDownStabilized, not limited: DesiredWithinRange',
    ],
  ])('%s', (_what, wish, memory, expected) => {
    expect(textOf(stabilize({ ...WISH, ...wish }, undefined, memory, DOWNSCALE_MS))).toBe(expected);
  });
});

describe('with a behavior', () => {
  const pods = (value: number, periodSeconds: number) => ({ type: 'Pods', value, periodSeconds });
  const percent = (value: number, periodSeconds: number) => ({ type: 'Percent', value, periodSeconds });
  const up = (rules: HPAScalingRules): HorizontalPodAutoscalerBehavior => ({ scaleUp: rules });
  const down = (rules: HPAScalingRules): HorizontalPodAutoscalerBehavior => ({
    scaleDown: { stabilizationWindowSeconds: 0, ...rules },
  });

  it.each<[string, Partial<typeof WISH>, HorizontalPodAutoscalerBehavior, Memory, string]>([
    [
      'so many pods in a time',
      { desired: 30 },
      up({ policies: [pods(5, 60)] }),
      NO_MEMORY,
      '15 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'those of this time counted',
      { desired: 30 },
      up({ policies: [pods(5, 60)] }),
      changed([3, 59], [9, 60]),
      '12 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'those that went as well',
      { desired: 30 },
      up({ policies: [pods(5, 60)] }),
      changed([-3, 30]),
      '18 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'more than that were made already',
      { desired: 30 },
      up({ policies: [pods(5, 60)] }),
      changed([8, 30]),
      '10 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'so many percent, rounded up',
      { current: 3, desired: 30 },
      up({ policies: [percent(10, 60)] }),
      NO_MEMORY,
      '4 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'the most of the policies',
      { desired: 30 },
      up({ policies: [pods(4, 15), percent(100, 15)] }),
      NO_MEMORY,
      '20 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'the least of them',
      { desired: 30 },
      up({ selectPolicy: 'Min', policies: [pods(4, 15), percent(100, 15)] }),
      NO_MEMORY,
      '14 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'never up',
      { desired: 30 },
      up({ selectPolicy: 'Disabled', policies: [pods(4, 15)] }),
      NO_MEMORY,
      '10 ReadyForNewScale, limited: ScaleUpLimit',
    ],
    [
      'up to what there may be',
      { desired: 30, max: 12 },
      up({ policies: [pods(4, 15)] }),
      NO_MEMORY,
      '12 ReadyForNewScale, limited: TooManyReplicas',
    ],
    [
      'so many fewer',
      { desired: 1 },
      down({ policies: [pods(2, 60)] }),
      NO_MEMORY,
      '8 ReadyForNewScale, limited: ScaleDownLimit',
    ],
    [
      'so many percent fewer',
      { desired: 1 },
      down({ policies: [percent(25, 60)] }),
      NO_MEMORY,
      '7 ReadyForNewScale, limited: ScaleDownLimit',
    ],
    [
      'the greatest change down',
      { desired: 1 },
      down({ policies: [pods(2, 60), percent(50, 60)] }),
      NO_MEMORY,
      '5 ReadyForNewScale, limited: ScaleDownLimit',
    ],
    [
      'the smallest change down',
      { desired: 1 },
      down({ selectPolicy: 'Min', policies: [pods(2, 60), percent(50, 60)] }),
      NO_MEMORY,
      '8 ReadyForNewScale, limited: ScaleDownLimit',
    ],
    [
      'never down',
      { desired: 1 },
      down({ selectPolicy: 'Disabled', policies: [pods(2, 60)] }),
      NO_MEMORY,
      '10 ReadyForNewScale, limited: ScaleDownLimit',
    ],
    [
      'down to what there must be',
      { desired: 1, min: 4 },
      down({ policies: [percent(100, 15)] }),
      NO_MEMORY,
      '4 ReadyForNewScale, limited: TooFewReplicas',
    ],
    [
      'up by the least of what was asked for',
      { desired: 30 },
      up({ stabilizationWindowSeconds: 60, policies: [percent(900, 15)] }),
      asked([2, 61], [14, 30], [40, 5]),
      '14 ScaleUpStabilized, not limited: DesiredWithinRange',
    ],
    [
      'down by the most of what was asked for',
      { desired: 1 },
      down({ stabilizationWindowSeconds: 60, policies: [percent(100, 15)] }),
      asked([9, 61], [6, 30], [2, 5]),
      '6 ScaleDownStabilized, not limited: DesiredWithinRange',
    ],
    [
      'down after five minutes where it does not say',
      { desired: 1 },
      { scaleDown: { policies: [percent(100, 15)] } },
      asked([6, 299]),
      '6 ScaleDownStabilized, not limited: DesiredWithinRange',
    ],
  ])('%s', (_what, wish, behavior, memory, expected) => {
    expect(textOf(stabilize({ ...WISH, ...wish }, behavior, memory, DOWNSCALE_MS))).toBe(expected);
  });

  it('only changes of its longest period are kept', () => {
    const behavior = { ...up({ policies: [pods(1, 60)] }), ...down({ policies: [pods(1, 30)] }) };
    const memory = withChange(changed([1, 61], [2, 59]), behavior, -3, NOW);
    expect(memory.changes.map(({ by }) => by)).toEqual([2, -3]);
    expect(withChange(memory, undefined, 5, NOW)).toBe(memory);
  });
});

const rules = fc.record(
  {
    selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
    stabilizationWindowSeconds: fc.integer({ min: 0, max: 600 }),
    policies: fc.array(
      fc.record({
        type: fc.constantFrom('Pods', 'Percent'),
        value: fc.integer({ min: 1, max: 200 }),
        periodSeconds: fc.integer({ min: 1, max: 600 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: ['policies'] },
);
const behaviors = fc.option(fc.record({ scaleUp: rules, scaleDown: rules }, { requiredKeys: [] }), { nil: undefined });
const wishes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 });

describe('whatever is asked for, over time', () => {
  it('stays within the limits, and rests where the wish rests', () => {
    fc.assert(
      fc.property(behaviors, wishes, fc.integer({ min: 1, max: 40 }), (behavior, all, start) => {
        let memory: Memory = { ...NO_MEMORY, recommendations: [{ replicas: start, at: NOW }] };
        let current = start;
        let now = NOW;
        const step = (desired: number, ms = 15_000) => {
          now += ms;
          const wish = { current, desired, min: 1, max: 40, now };
          const { replicas, memory: next } = stabilize(wish, behavior, memory, DOWNSCALE_MS);
          expect(replicas).toBeGreaterThanOrEqual(1);
          expect(replicas).toBeLessThanOrEqual(40);
          expect(Number.isInteger(replicas)).toBe(true);
          if (behavior?.scaleUp?.selectPolicy === 'Disabled') expect(replicas).toBeLessThanOrEqual(current);
          if (behavior?.scaleDown?.selectPolicy === 'Disabled') expect(replicas).toBeGreaterThanOrEqual(current);
          memory = replicas === current ? next : withChange(next, behavior, replicas - current, now);
          current = replicas;
        };
        for (const desired of all) step(desired);
        expect(memory.recommendations.length).toBeLessThanOrEqual(42);
        const disabled = [behavior?.scaleUp, behavior?.scaleDown].some((r) => r?.selectPolicy === 'Disabled');
        // Longer than any window and any period: the slowest makes one pod at a time.
        for (let i = 0; i < 42; i++) step(20, 700_000);
        if (!disabled) expect(current).toBe(20);
      }),
      { numRuns: 60 },
    );
  });
});
