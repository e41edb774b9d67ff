import { expect, it } from 'vitest';
import { DEFAULT_CONFIGURATION } from '../config/configuration.ts';
import { amountOf, thresholdsOf } from './thresholds.ts';

const told = { evictionHard: {}, evictionSoft: {}, evictionSoftGracePeriod: {}, evictionMinimumReclaim: {} };

it('has the defaults of Kubernetes', () => {
  expect(thresholdsOf(DEFAULT_CONFIGURATION).map((t) => [t.signal, t.value, t.hard])).toEqual([
    ['memory.available', { amount: 100 << 20 }, true],
    ['nodefs.available', { share: 0.1 }, true],
    ['nodefs.inodesFree', { share: 0.05 }, true],
    ['imagefs.available', { share: 0.15 }, true],
    ['imagefs.inodesFree', { share: 0.05 }, true],
  ]);
});

it('reads soft ones with their grace, and what is freed beyond', () => {
  const [soft] = thresholdsOf({
    ...told,
    evictionSoft: { 'memory.available': '1Gi' },
    evictionSoftGracePeriod: { 'memory.available': '1m30s' },
    evictionMinimumReclaim: { 'memory.available': '5%' },
  });
  expect(soft).toEqual({
    signal: 'memory.available',
    value: { amount: 2 ** 30 },
    graceMs: 90_000,
    hard: false,
    reclaim: { share: 0.05 },
  });
});

it.each([
  [
    'a signal that there is not',
    { evictionHard: { 'cpu.available': '1' } },
    /unsupported eviction signal cpu.available/,
  ],
  ['no value', { evictionHard: { 'pid.available': 'many' } }, /"many" is no value for pid.available/],
  ['more than all', { evictionHard: { 'pid.available': '101%' } }, /"101%" is no value/],
  ['less than none', { evictionHard: { 'pid.available': '-1' } }, /"-1" is no value/],
  ['a soft one without grace', { evictionSoft: { 'pid.available': '1' } }, /grace period must be specified/],
] as const)('refuses %s', (_what, more, message) => {
  expect(() => thresholdsOf({ ...told, ...more })).toThrow(message);
});

it('takes 0% and 100% for none', () => {
  expect(thresholdsOf({ ...told, evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '100%' } })).toEqual(
    [],
  );
});

it('makes shares to amounts', () => {
  expect(amountOf({ share: 0.1 }, 200)).toBe(20);
  expect(amountOf({ amount: 7 }, 200)).toBe(7);
});
