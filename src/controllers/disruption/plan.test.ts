import { describe, expect, it } from 'vitest';
import { type Pod, pods } from '../../apis/core/pod.ts';
import {
  type PodDisruptionBudget,
  type PodDisruptionBudgetSpec,
  podDisruptionBudgets,
} from '../../apis/policy/podDisruptionBudget.ts';
import { formatTime } from '../../machinery/time.ts';
import { START, TinyWorld } from '../testing/objects.ts';
import { planDisruption } from './plan.ts';
import { planStaleCondition } from './staleConditions.ts';

const MINUTE = 60_000;

function plan(spec: PodDisruptionBudgetSpec, ready: readonly boolean[], scale: number | string, evicted = {}) {
  const world = new TinyWorld();
  const budget = world.put<PodDisruptionBudget>(podDisruptionBudgets, {
    metadata: { name: 'b' },
    spec,
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptedPods: evicted },
  });
  for (const [i, is] of ready.entries()) {
    world.put<Pod>(pods, {
      metadata: {
        name: `p${i}`,
        ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x', controller: true }],
      },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: is ? 'True' : 'False' }] },
    });
  }
  const { actions, againMs } = planDisruption({ budget, pods: world.list(pods), scale, now: START });
  const update = actions.find((action) => action.verb === 'update');
  const events = actions.flatMap((action) => (action.verb === 'event' ? [action.reason] : []));
  return { status: (update?.object as PodDisruptionBudget | undefined)?.status, events, againMs };
}

describe('a budget', () => {
  const all = [true, true, true, false];
  it.each<[PodDisruptionBudgetSpec, number, { allowed: number; desired: number; expected: number }]>([
    [{ minAvailable: 2 }, 4, { allowed: 1, desired: 2, expected: 4 }],
    [{ minAvailable: '50%' }, 6, { allowed: 0, desired: 3, expected: 6 }],
    [{ minAvailable: 0 }, 4, { allowed: 3, desired: 0, expected: 4 }],
    [{ maxUnavailable: 1 }, 4, { allowed: 0, desired: 3, expected: 4 }],
    [{ maxUnavailable: 2 }, 4, { allowed: 1, desired: 2, expected: 4 }],
    [{ maxUnavailable: '100%' }, 4, { allowed: 3, desired: 0, expected: 4 }],
    [{ maxUnavailable: 9 }, 4, { allowed: 3, desired: 0, expected: 4 }],
    [{ maxUnavailable: 1 }, 0, { allowed: 0, desired: 0, expected: 0 }],
  ])('%j of %i', (spec, scale, { allowed, desired, expected }) => {
    expect(plan(spec, all, scale).status).toMatchObject({
      disruptionsAllowed: allowed,
      desiredHealthy: desired,
      expectedPods: expected,
      currentHealthy: 3,
    });
  });

  it('allows nothing where it cannot be told how many there are to be', () => {
    const { status, events } = plan({ maxUnavailable: 1 }, all, 'nobody knows');
    expect(status).toMatchObject({ disruptionsAllowed: 0 });
    expect(status?.conditions).toMatchObject([{ status: 'False', reason: 'SyncFailed', message: 'nobody knows' }]);
    expect(events).toEqual(['CalculateExpectedPodCountFailed']);
  });

  it('counts a pod that was evicted as gone, for two minutes', () => {
    const { status, againMs } = plan({ minAvailable: 1 }, all, 4, {
      p0: formatTime(START - MINUTE),
      p1: formatTime(START - 3 * MINUTE),
    });
    expect(status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 2 });
    expect(Object.keys(status?.disruptedPods ?? {})).toEqual(['p0']);
    expect(againMs).toBe(MINUTE);
  });
});

it.each([
  ['EvictionByEvictionAPI', 'Running', 3, ['update']],
  ['EvictionByEvictionAPI', 'Running', 1, []],
  ['EvictionByEvictionAPI', 'Failed', 3, undefined],
  ['TerminationByKubelet', 'Running', 3, undefined],
])('a pod that was to be disrupted by %s and is %s after %i minutes', (reason, phase, minutes, verbs) => {
  const lastTransitionTime = formatTime(START - minutes * MINUTE);
  const conditions = [{ type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime }];
  const pod = new TinyWorld().put<Pod>(pods, { metadata: { name: 'p' }, status: { phase, conditions } });
  expect(planStaleCondition(pod, START)?.actions.map((action) => action.verb)).toEqual(verbs);
});
