import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule, ScheduleSyntaxError } from './schedule.ts';
import { nextTime } from './scheduleTimes.ts';

const fieldsOf = (text: string) => {
  const schedule = parseSchedule(text);
  return schedule.type === 'fields' ? schedule.fields.join(' ') : undefined;
};
const timeAfter = (text: string, from: string, zone?: string) => {
  const next = nextTime(parseSchedule(text), Date.parse(from), zone);
  return next === undefined ? undefined : new Date(next).toISOString().replace('.000Z', 'Z');
};

describe('a schedule is read', () => {
  it.each([
    ['* * * * *', '* * * * *'],
    ['  5   4 * *  0 ', '5 4 * * 0'],
    ['*/20 ? 1-3 jan,DEC mon-fri', '0,20,40 * 1,2,3 1,12 1,2,3,4,5'],
    ['50/5 9-17/4 */1 * *', '50,55 9,13,17 * * *'],
    ['1,1,1-2,* * * * *', '* * * * *'],
    ['+5 0 1 1 *', '5 0 1 1 *'],
    ['@hourly', '0 * * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * 0'],
    ['@yearly', '0 0 1 1 *'],
  ])('%s', (text, expected) => {
    expect(fieldsOf(text)).toBe(expected);
  });

  it.each([
    ['@every 5m', 300_000],
    ['@every 1h30m10.9s', 5_410_000],
    ['@every 1ms', 1000],
    ['@every -5m', 1000],
    ['@every 0', 1000],
  ])('%s', (text, ms) => {
    expect(parseSchedule(text)).toEqual({ type: 'every', ms });
  });

  it.each([
    '',
    ' ',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '* * * 13 *',
    '* * * * 7',
    '5-1 * * * *',
    '*/0 * * * *',
    '1-2-3 * * * *',
    '1/2/3 * * * *',
    '-1 * * * *',
    'x * * * *',
    '1.5 * * * *',
    '@Hourly',
    '@reboot',
    '@every',
    '@every ',
    '@every 5',
    '@every 5x',
    '@every 9999999999h',
    '* * * foo *',
    '* * L * *',
  ])('and not: %j', (text) => {
    expect(() => parseSchedule(text)).toThrow(ScheduleSyntaxError);
  });

  it('whatever is sent: it has times, or it is refused', () => {
    const piece = fc.constantFrom(
      '*',
      '?',
      '1',
      '5',
      '31',
      '59',
      '-',
      '/',
      ',',
      ' ',
      'mon',
      'jan',
      '@every ',
      '1h',
      'x',
      '0',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        try {
          const next = nextTime(parseSchedule(pieces.join('')), 0);
          expect(next === undefined || next > 0).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ScheduleSyntaxError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the next time of', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00Z'],
    ['*/5 * * * *', '2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 30 2 *', '2026-01-01T00:00:00Z', undefined],
    [',, * * * *', '2026-01-01T00:00:00Z', undefined],
    // Either day will do where both are given, and only then.
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['0 0 13 * *', '2026-01-01T00:00:00Z', '2026-01-13T00:00:00Z'],
    ['0 0 */2 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['@every 90s', '2026-01-01T00:00:30.700Z', '2026-01-01T00:02:00Z'],
  ])('%s after %s', (text, from, expected) => {
    expect(timeAfter(text, from)).toBe(expected);
  });

  it('a day, where the clock hangs', () => {
    expect(timeAfter('0 0 * * *', '2026-07-01T00:00:00Z', 'Europe/Vienna')).toBe('2026-07-01T22:00:00Z');
    expect(timeAfter('0 0 * * *', '2026-01-01T00:00:00Z', 'Asia/Kathmandu')).toBe('2026-01-01T18:15:00Z');
  });
});

it('what has no end is refused in time', () => {
  for (const text of [`@every ${'1'.repeat(1_000_000)}`, `@every ${'1s'.repeat(200_000)}x`, '1,'.repeat(500_000)]) {
    expect(() => parseSchedule(text)).toThrow(ScheduleSyntaxError);
  }
});
