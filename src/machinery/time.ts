/** Times as the API writes them. */
import type { MicroTime, Time } from './schema/types.ts';

/** The second that was written last: every write of an object asks for the same few. */
let lastSecond = Number.NaN;
let lastTime: Time = '';

/** RFC 3339 with seconds. @param ms since the epoch */
export function formatTime(ms: number): Time {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastTime = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTime;
}

/** RFC 3339 with microseconds. @param ms since the epoch */
export function formatMicroTime(ms: number): MicroTime {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds since the epoch; undefined for an absent time. */
export function parseTime(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

/** A moment as it was written, exact to the microsecond. */
export interface Moment {
  /** whole seconds, as RFC 3339 in UTC, e.g. `2026-01-01T00:00:00Z` */
  readonly seconds: Time;
  /** six digits */
  readonly micros: string;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|([-+])(\d{2}):(\d{2}))$/;

/** Reads RFC 3339 as strictly as Go does: no 30th of February, no second 60. Undefined for anything else. */
export function readTime(text: string): Moment | undefined {
  const m = RFC3339.exec(text);
  if (m === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone, sign, zoneHours, zoneMinutes] = m;
  const wholeDay = `${year}-${month}-${day}`;
  const midnight = Date.parse(`${wholeDay}T00:00:00Z`);
  // An engine that takes the 30th of February makes another day of it.
  if (Number.isNaN(midnight) || formatTime(midnight).slice(0, 10) !== wholeDay) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  if (zone === 'Z') return { seconds: `${text.slice(0, 19)}Z`, micros };
  if (Number(zoneHours) > 24 || Number(zoneMinutes) > 59) return undefined;
  const ahead = (Number(zoneHours) * HOUR + Number(zoneMinutes) * MINUTE) * (sign === '-' ? -1 : 1);
  const seconds = formatTime(Date.parse(`${text.slice(0, 19)}Z`) - ahead);
  // Across the end of the calendar: years of four digits are all that RFC 3339 has.
  return /^\d{4}-/.test(seconds) ? { seconds, micros } : undefined;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, as short as kubectl prints it: `5s`, `3m20s`, `4h`, `2d3h`, `1y200d`. */
export function humanDuration(ms: number): string {
  // Two clocks may differ by a moment.
  if (ms <= -2 * SECOND) return '<invalid>';
  if (ms < 0) return '0s';
  const s = Math.floor(ms / SECOND);
  if (s < 120) return `${s}s`;
  const m = Math.floor(ms / MINUTE);
  if (m < 10) return pair(m, 'm', Math.floor((ms % MINUTE) / SECOND), 's');
  if (m < 180) return `${m}m`;
  const h = Math.floor(ms / HOUR);
  if (h < 8) return pair(h, 'h', Math.floor((ms % HOUR) / MINUTE), 'm');
  if (h < 48) return `${h}h`;
  const d = Math.floor(ms / DAY);
  if (h < 24 * 8) return pair(d, 'd', h % 24, 'h');
  if (d < 365 * 2) return `${d}d`;
  if (d < 365 * 8) return pair(Math.floor(d / 365), 'y', d % 365, 'd');
  return `${Math.floor(d / 365)}y`;
}

const pair = (a: number, unit: string, b: number, smaller: string) =>
  b === 0 ? `${a}${unit}` : `${a}${unit}${b}${smaller}`;
