import { expect, it } from 'vitest';
import { NO_PRESSURE, type Observations, pressureAfter } from './pressure.ts';
import type { Threshold } from './thresholds.ts';

const MINUTE = 60_000;
const hard: Threshold = {
  signal: 'memory.available',
  value: { amount: 100 },
  graceMs: 0,
  hard: true,
  reclaim: { amount: 50 },
};
const soft: Threshold = { signal: 'nodefs.available', value: { share: 0.5 }, graceMs: MINUTE, hard: false };
const thresholds = [soft, hard];
const seen = (memory: number, disk: number): Observations =>
  new Map([
    ['memory.available', { available: memory, capacity: 1000 }],
    ['nodefs.available', { available: disk, capacity: 1000 }],
  ]);

/** Each look: when, what is left, the conditions then, and what is to be freed. */
it.each([
  ['enough of all', [[0, seen(200, 900), [], []]]],
  ['a hard threshold acts at once', [[0, seen(99, 900), ['MemoryPressure'], [hard]]]],
  ['what is just enough is enough', [[0, seen(100, 500), [], []]]],
  [
    'after a hard one a little more is freed',
    [
      [0, seen(99, 900), ['MemoryPressure'], [hard]],
      [1, seen(149, 900), ['MemoryPressure'], [hard]],
      [2, seen(150, 900), ['MemoryPressure'], []],
      [3, seen(120, 900), ['MemoryPressure'], []],
    ],
  ],
  [
    'a soft one waits, but the condition is there',
    [
      [0, seen(200, 499), ['DiskPressure'], []],
      [MINUTE - 1, seen(200, 499), ['DiskPressure'], []],
      [MINUTE, seen(200, 499), ['DiskPressure'], [soft]],
    ],
  ],
  [
    'the wait of a soft one begins anew when there was enough in between',
    [
      [0, seen(200, 499), ['DiskPressure'], []],
      [MINUTE / 2, seen(200, 501), ['DiskPressure'], []],
      [MINUTE, seen(200, 499), ['DiskPressure'], []],
    ],
  ],
  [
    'a condition stays for a while',
    [
      [0, seen(99, 900), ['MemoryPressure'], [hard]],
      [5 * MINUTE - 1, seen(900, 900), ['MemoryPressure'], []],
      [5 * MINUTE, seen(900, 900), [], []],
    ],
  ],
  [
    'memory first',
    [
      [0, seen(200, 400), ['DiskPressure'], []],
      [MINUTE, seen(50, 400), ['DiskPressure', 'MemoryPressure'], [hard, soft]],
    ],
  ],
  ['what cannot be seen is not short', [[0, new Map(), [], []]]],
] as const)('%s', (_what, looks) => {
  let state = NO_PRESSURE;
  for (const [now, observations, conditions, urgent] of looks) {
    state = pressureAfter(state, thresholds, observations, now, 5 * MINUTE);
    expect([[...state.conditions].sort(), state.urgent]).toEqual([[...conditions], urgent]);
  }
});
