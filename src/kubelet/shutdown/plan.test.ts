import { expect, it } from 'vitest';
import { podOf } from '../testing/observedPods.ts';
import { shutdownGroups } from './plan.ts';

const pod = (name: string, priority: number, terminationGracePeriodSeconds?: number) =>
  podOf(
    { priority, ...(terminationGracePeriodSeconds === undefined ? {} : { terminationGracePeriodSeconds }) },
    { metadata: { name } },
  );
const usual = pod('usual', 0);
const quick = pod('quick', 0, 5);
const critical = pod('critical', 2_000_000_000, 60);

it.each([
  ['none', [], []],
  [
    'the usual ones, then the critical ones',
    [critical, usual, quick],
    [
      [20, ['usual', 20], ['quick', 5]],
      [10, ['critical', 10]],
    ],
  ],
  ['only critical ones', [critical], [[10, ['critical', 10]]]],
] as const)('%s', (_what, pods, expected) => {
  const groups = shutdownGroups(pods, 30, 10).map(({ seconds, pods: of }) => [
    seconds,
    ...of.map((one) => [one.pod.metadata?.name, one.graceSeconds]),
  ]);
  expect(groups).toEqual(expected);
});

it('never has more for the critical ones than there is', () => {
  expect(shutdownGroups([usual, critical], 5, 10).map(({ seconds }) => seconds)).toEqual([0, 5]);
});
