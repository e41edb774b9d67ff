import { expect, it } from 'vitest';
import { type MountFailure, mountFailed } from './mountBackoff.ts';

/** When it is said, in seconds, where each try fails for the same reason. */
function saidWithin(seconds: number): number[] {
  const said: number[] = [];
  let failure: MountFailure | undefined;
  for (let now = 0; now < seconds * 1000; ) {
    const outcome = mountFailed('secret "late" not found', failure, now);
    failure = outcome.failure;
    if (outcome.say) said.push(now / 1000);
    expect(outcome.retryMs).toBeGreaterThan(0);
    expect(outcome.retryMs).toBeLessThanOrEqual(2_000);
    now += outcome.retryMs;
  }
  return said;
}

it('says ever more rarely what stays the same, but at least every two minutes', () => {
  expect(saidWithin(60)).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
  const times = saidWithin(1200);
  const [last = 0, before = 0] = times.reverse();
  expect(last - before).toBe(122);
});

it('says at once what is new', () => {
  const { failure } = mountFailed('one', undefined, 0);
  expect(mountFailed('other', failure, 100)).toMatchObject({ say: true, retryMs: 500 });
});
