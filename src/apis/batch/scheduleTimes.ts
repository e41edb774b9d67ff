/** The times of a schedule. Apart from its syntax, which the API server needs, too: this loads a cron library. */
import { Cron } from 'croner';
import type { Schedule } from './schedule.ts';

const SECOND = 1000;

/**
 * The first time after another that fits a schedule; undefined where none ever does (the 30th of February).
 * @param after ms since the epoch
 * @param timeZone where the schedule's clock hangs; absent: UTC
 */
export function nextTime(schedule: Schedule, after: number, timeZone = 'Etc/UTC'): number | undefined {
  if (schedule.type === 'every') return Math.floor(after / SECOND) * SECOND + schedule.ms;
  if (schedule.fields.includes('')) return undefined;
  // Both days given: either will do, as cron has it from the start.
  const cron = new Cron(schedule.fields.join(' '), { timezone: timeZone, paused: true, mode: '5-part' });
  return cron.nextRun(new Date(after))?.getTime();
}
