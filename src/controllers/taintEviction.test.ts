import { expect, it } from 'vitest';
import type { Toleration } from '../apis/core/affinity.ts';
import { evictionTime } from './taintEviction.ts';

const NOW = Date.UTC(2026, 0, 1);
const taint = (more = {}) => ({
  key: 'k',
  value: 'v',
  effect: 'NoExecute',
  timeAdded: '2026-01-01T00:00:00Z',
  ...more,
});

const cases: [string, Toleration[], number | undefined][] = [
  ['no toleration', [], NOW],
  ['another key', [{ key: 'x', operator: 'Exists' }], NOW],
  ['another value', [{ key: 'k', value: 'w' }], NOW],
  ['another effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], NOW],
  ['the value', [{ key: 'k', value: 'v', effect: 'NoExecute' }], undefined],
  ['any value', [{ key: 'k', operator: 'Exists' }], undefined],
  ['everything', [{ operator: 'Exists' }], undefined],
  ['for a time', [{ key: 'k', operator: 'Exists', tolerationSeconds: 300 }], NOW + 300_000],
  ['not at all', [{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }], NOW],
  [
    'the shortest of several times',
    [
      { key: 'k', operator: 'Exists', tolerationSeconds: 300 },
      { operator: 'Exists', tolerationSeconds: 60 },
    ],
    NOW + 60_000,
  ],
];
it.each(cases)('tolerating %s', (_what, tolerations, at) => {
  expect(evictionTime({ spec: { containers: [], tolerations } }, [taint()], NOW)).toBe(at);
});

it('every taint has to be tolerated', () => {
  const pod = { spec: { containers: [], tolerations: [{ key: 'k', operator: 'Exists' }] } };
  expect(evictionTime(pod, [taint(), taint({ key: 'other' })], NOW)).toBe(NOW);
  expect(evictionTime(pod, [], NOW)).toBeUndefined();
});

it('a pod tolerates a taint from when it came, and one without a time from when it was seen', () => {
  const tolerations = [{ key: 'k', operator: 'Exists', tolerationSeconds: 60 }];
  const pod = { metadata: { creationTimestamp: '2026-01-01T01:00:00Z' }, spec: { containers: [], tolerations } };
  const hour = 3_600_000;
  expect(evictionTime(pod, [taint()], NOW + 2 * hour)).toBe(NOW + hour + 60_000);
  expect(evictionTime(pod, [{ key: 'k', effect: 'NoExecute' }], NOW + 2 * hour)).toBe(NOW + 2 * hour + 60_000);
});
