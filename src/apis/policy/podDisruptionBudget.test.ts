import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { podDisruptionBudgets } from './podDisruptionBudget.ts';

const budget = (spec: object = {}) => ({ metadata: { name: 'web', namespace: 'default' }, spec });
const condition = (more: object = {}) => ({
  type: 'DisruptionAllowed',
  status: 'True',
  reason: 'SufficientPods',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...more,
});

describe('a disruption budget', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, []],
    ['a number', { minAvailable: 2, selector: {} }, []],
    ['a share', { maxUnavailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }, []],
    ['both', { minAvailable: 1, maxUnavailable: 1 }, ['spec: Invalid']],
    ['less than nothing', { minAvailable: -1 }, ['spec.minAvailable: Invalid']],
    ['more than all', { maxUnavailable: '101%' }, ['spec.maxUnavailable: Invalid']],
    ['no number', { maxUnavailable: 'many' }, ['spec.maxUnavailable: Invalid']],
    ['an odd policy', { unhealthyPodEvictionPolicy: 'x' }, ['spec.unhealthyPodEvictionPolicy: NotSupported']],
    [
      'an odd selector',
      { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      ['spec.selector.matchExpressions[0].values: Required'],
    ],
  ])('of %s', (_what, spec, expected) => {
    expect(createFaults(podDisruptionBudgets, budget(spec))).toEqual(expected);
  });

  it.each<[string, object, string[]]>([
    ['all in order', { conditions: [condition()], disruptionsAllowed: 1 }, []],
    [
      'counts below nothing',
      { disruptionsAllowed: -1, expectedPods: -1 },
      ['status.disruptionsAllowed: Invalid', 'status.expectedPods: Invalid'],
    ],
    [
      'conditions that say too little',
      { conditions: [condition(), condition({ status: 'x', reason: '' })] },
      [
        'status.conditions[1].type: Duplicate',
        'status.conditions[1].status: NotSupported',
        'status.conditions[1].reason: Required',
      ],
    ],
  ])('has a status with %s', (_what, status, expected) => {
    const { faults } = updated(podDisruptionBudgets, podDisruptionBudgets.status, budget(), { ...budget(), status });
    expect(faults).toEqual(expected);
  });

  it('shows what it asks for and allows', () => {
    expect(
      tableRow(podDisruptionBudgets, created(podDisruptionBudgets, budget({ maxUnavailable: '50%' })), 0, 'None'),
    ).toEqual({
      cells: ['web', 'N/A', '50%', 0, '<unknown>'],
    });
  });

  it('keeps its status when its spec is written', () => {
    const { object } = updated(podDisruptionBudgets, podDisruptionBudgets.update, budget(), {
      ...budget({ minAvailable: 1 }),
      status: { disruptionsAllowed: 9 },
    });
    expect(object.status).toEqual({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 });
  });
});
