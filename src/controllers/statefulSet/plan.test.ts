import { expect, test } from 'vitest';
import type { StatefulSet } from '../../apis/apps/statefulSet.ts';
import type { Stored } from '../../machinery/kind.ts';
import { planStatefulSet } from './plan.ts';

const setOf = (spec: Partial<NonNullable<StatefulSet['spec']>>) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      namespace: 'default',
      name: 's',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      serviceName: 's',
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      ...spec,
    },
  }) as Stored<StatefulSet>;

const podsMadeOf = (set: Stored<StatefulSet>) =>
  planStatefulSet({
    set,
    owned: [],
    orphans: [],
    revisions: [],
    revisionNamed: () => undefined,
    claim: () => undefined,
    now: 0,
  })
    .actions.filter((action) => action.verb === 'create' && action.kind.plural === 'pods')
    .map((action) => (action as { object: { metadata?: { name?: string } } }).object.metadata?.name);

test('more pods than there can be are wished for: no more are planned than can be made at once', () => {
  const replicas = 2 ** 31 - 1;
  expect(podsMadeOf(setOf({ replicas }))).toEqual(['s-0']);
  expect(podsMadeOf(setOf({ replicas, ordinals: { start: replicas } }))).toEqual([`s-${replicas}`]);
  const all = podsMadeOf(setOf({ replicas, podManagementPolicy: 'Parallel' }));
  expect(all).toHaveLength(500);
  expect(all.at(-1)).toBe('s-499');
});
