import { describe, expect, it } from 'vitest';
import { created, createFaults, updated } from '../testing/create.ts';
import { workloadSpec } from '../testing/pods.ts';
import { replicaSets } from './replicaSet.ts';

const set = (more: object = {}) => ({ metadata: { name: 'web', namespace: 'default' }, spec: workloadSpec(more) });

describe('a replica set', () => {
  it('is defaulted', () => {
    const object = created(replicaSets, set({ minReadySeconds: 0 }));
    expect(object.spec).toMatchObject({ replicas: 1, template: { spec: { dnsPolicy: 'ClusterFirst' } } });
    expect(object.spec).not.toHaveProperty('minReadySeconds');
    expect(object.status).toEqual({ replicas: 0 });
  });

  it('of none stays of none', () => {
    expect(created(replicaSets, set({ replicas: 0 })).spec?.replicas).toBe(0);
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no selector', { selector: undefined }, ['spec.selector: Required']],
    ['no template', { template: undefined }, ['spec.template: Required']],
    ['a selector for others', { selector: { matchLabels: { app: 'b' } } }, ['spec.template.metadata.labels: Invalid']],
    [
      'numbers below nothing',
      { replicas: -1, minReadySeconds: -1 },
      ['spec.replicas: Invalid', 'spec.minReadySeconds: Invalid'],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(replicaSets, set(more))).toEqual(expected);
  });

  it('keeps its selector', () => {
    const selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
    expect(updated(replicaSets, replicaSets.update, set(), set({ selector })).faults).toEqual([
      'spec.selector: Invalid',
    ]);
  });

  it('counts no more ready pods than there are', () => {
    const write = { ...set(), status: { replicas: 1, readyReplicas: 2 } };
    expect(updated(replicaSets, replicaSets.status, set(), write).faults).toEqual(['status.readyReplicas: Invalid']);
  });

  it('is selected by the number of its pods', () => {
    expect(replicaSets.selectableFields?.['status.replicas']?.({ status: { replicas: 3 } })).toBe('3');
  });
});
