import fc from 'fast-check';
import { expect, it } from 'vitest';
import { container } from '../testing/observedPods.ts';
import { FailureBackoff } from './backoff.ts';
import { type ActiveFailure, holdBack } from './holdBack.ts';
import type { Plan } from './plan.ts';

it('waits not at all, then 10 s, then twice as long each time, at most 5 minutes', () => {
  const backoff = new FailureBackoff();
  const waits: number[] = [];
  let at = 0;
  for (let i = 0; i < 9; i++) {
    const until = backoff.until('a', at);
    expect(backoff.until('a', at)).toBe(until);
    waits.push((until - at) / 1000);
    at = until + 1000;
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
});

it('begins anew after a long good run, and forgets', () => {
  const backoff = new FailureBackoff();
  for (const at of [0, 1000, 20_000]) backoff.until('u/a', at);
  expect(backoff.until('u/a', 20_000)).toBe(40_000);
  expect(backoff.until('u/a', 40_000 + 10 * 60_000 + 1)).toBe(40_000 + 10 * 60_000 + 1);
  backoff.until('u/a', 40_000 + 10 * 60_000 + 2);
  backoff.forget('u/');
  expect(backoff.current('u/a')).toBeUndefined();
});

it('never waits longer than 5 minutes nor ends before the failure', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { maxLength: 50 }), (gaps) => {
      const backoff = new FailureBackoff();
      let at = 0;
      for (const gap of gaps) {
        at += gap;
        const wait = backoff.until('a', at) - at;
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(300_000);
      }
    }),
  );
});

const start = (image: string): Plan => ({
  actions: [{ action: 'startContainer', container: container('main', { image }), restarts: 0 }],
  waiting: new Map([['main', { reason: 'ContainerCreating', message: '' }]]),
  finished: false,
});

it('holds back what failed until its time, and says why', () => {
  const pull: ActiveFailure = {
    container: 'main',
    waiting: { reason: 'ErrImagePull', message: 'not there' },
    retryAt: 10_000,
    at: 0,
  };
  const failures = new Map([['main', pull]]);
  const at = (now: number) => {
    const { actions, waiting, lookAgainAt } = holdBack(start('nobody'), failures, now);
    return [actions.length, waiting.get('main')?.reason, lookAgainAt];
  };
  expect(at(500)).toEqual([0, 'ErrImagePull', 1000]);
  expect(at(1000)).toEqual([0, 'ImagePullBackOff', 10_000]);
  expect(holdBack(start('nobody'), failures, 1000).waiting.get('main')?.message).toBe(
    'Back-off pulling image "nobody": ErrImagePull: not there',
  );
  expect(at(10_000)).toEqual([1, 'ContainerCreating', undefined]);
  expect(failures.size).toBe(0);
});
