import { expect, it } from 'vitest';
import { formatMicroTime, formatTime, humanDuration, parseTime } from './time.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

it.each([
  [-5 * S, '<invalid>'],
  [-2 * S, '<invalid>'],
  [-1999, '0s'],
  [0, '0s'],
  [999, '0s'],
  [S, '1s'],
  [119 * S, '119s'],
  [120 * S, '2m'],
  [3 * M + 20 * S, '3m20s'],
  [10 * M + 20 * S, '10m'],
  [179 * M, '179m'],
  [3 * H, '3h'],
  [7 * H + 59 * M, '7h59m'],
  [8 * H + 30 * M, '8h'],
  [47 * H, '47h'],
  [48 * H, '2d'],
  [2 * D + 3 * H, '2d3h'],
  [7 * D + 23 * H, '7d23h'],
  [8 * D + 5 * H, '8d'],
  [729 * D, '729d'],
  [730 * D, '2y'],
  [731 * D, '2y1d'],
  [8 * 365 * D + D, '8y'],
])('%d ms are %j', (ms, text) => expect(humanDuration(ms)).toBe(text));

it('writes and reads times of the API', () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  expect(formatTime(ms)).toBe('2026-01-02T03:04:05Z');
  expect(formatMicroTime(ms)).toBe('2026-01-02T03:04:05.678000Z');
  expect(parseTime(formatMicroTime(ms))).toBe(ms);
  expect(parseTime(undefined)).toBeUndefined();
});
