import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['300ms', 300],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['-2s', -2_000],
  ['1h2m3s4ms', 3_723_004],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['1s2', undefined],
  ['1 s', undefined],
])('%s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
