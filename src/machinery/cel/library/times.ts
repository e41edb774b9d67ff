/** The parts of timestamps and durations. */
import { CelError } from '../error.ts';
import { method, type Overload } from '../overload.ts';
import type { Timestamp } from '../timestamp.ts';
import { DURATION, INT, STRING, TIMESTAMP } from '../types.ts';
import type { Duration } from '../value.ts';

const MILLION = 1_000_000n;

/** The time as a clock in the zone shows it, told as if that were UTC. */
function shown(time: Timestamp, zone?: string): Date {
  const ms = Number((time.nanos - (((time.nanos % MILLION) + MILLION) % MILLION)) / MILLION);
  const offset = zone === undefined ? 0 : offsetOf(ms, zone);
  return new Date(ms + offset);
}

function offsetOf(ms: number, zone: string): number {
  const fixed = /^([+-])?(\d{2}):(\d{2})$/.exec(zone);
  if (fixed !== null) return (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000 * (fixed[1] === '-' ? -1 : 1);
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}

const PARTS: Readonly<Record<string, (d: Date) => number>> = {
  getFullYear: (d) => d.getUTCFullYear(),
  getMonth: (d) => d.getUTCMonth(),
  getDate: (d) => d.getUTCDate(),
  getDayOfMonth: (d) => d.getUTCDate() - 1,
  getDayOfWeek: (d) => d.getUTCDay(),
  getDayOfYear: (d) =>
    Math.floor(
      (Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()) - Date.UTC(d.getUTCFullYear(), 0, 1)) / 86_400_000,
    ),
  getHours: (d) => d.getUTCHours(),
  getMinutes: (d) => d.getUTCMinutes(),
  getSeconds: (d) => d.getUTCSeconds(),
  getMilliseconds: (d) => d.getUTCMilliseconds(),
};

const DURATION_PARTS: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: MILLION,
};

export const times: readonly Overload[] = [
  ...Object.entries(PARTS).flatMap(([name, part]) => [
    method(name, [TIMESTAMP], INT, (t: Timestamp) => BigInt(part(shown(t)))),
    method(name, [TIMESTAMP, STRING], INT, (t: Timestamp, zone: string) => BigInt(part(shown(t, zone)))),
  ]),
  ...Object.entries(DURATION_PARTS).map(([name, size]) =>
    method(name, [DURATION], INT, (d: Duration) => d.nanos / size),
  ),
];
