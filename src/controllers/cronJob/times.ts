/** Which of a cron job's times are due. */
import type { CronJob } from '../../apis/batch/cronJob.ts';
import { parseSchedule } from '../../apis/batch/schedule.ts';
import { nextTime } from '../../apis/batch/scheduleTimes.ts';
import type { Stored } from '../../machinery/kind.ts';
import { parseTime } from '../../machinery/time.ts';

export interface Due {
  /** the last time that has come and has not been served; undefined where there is none */
  readonly at: number | undefined;
  /** More times were missed than are counted: something was amiss for long. */
  readonly tooMany: boolean;
  /** the next time to come; undefined where there is none */
  readonly next: number | undefined;
}

const MAX_COUNTED = 100;

/** In ms since the epoch. @throws ScheduleSyntaxError, or what the time zone's name is wrong with */
export function dueTimes(job: Stored<CronJob>, now: number): Due {
  const { schedule: text = '', timeZone, startingDeadlineSeconds } = job.spec ?? {};
  const schedule = parseSchedule(text);
  const next = (after: number) => nextTime(schedule, after, timeZone);
  let from = parseTime(job.status?.lastScheduleTime ?? job.metadata.creationTimestamp) ?? now;
  // What is too late to start anyway need not be looked for.
  if (startingDeadlineSeconds !== undefined) from = Math.max(from, now - startingDeadlineSeconds * 1000);
  let at: number | undefined;
  let count = 0;
  let candidate = next(from);
  while (candidate !== undefined && candidate <= now) {
    at = candidate;
    if (++count > MAX_COUNTED) return { at: lastBefore(next, candidate, now), tooMany: true, next: next(now) };
    candidate = next(candidate);
  }
  return { at, tooMany: false, next: candidate };
}

/** The last time up to `now`, found by halves: there may be very many. */
function lastBefore(next: (after: number) => number | undefined, known: number, now: number): number {
  let low = known;
  let high = now;
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2);
    const candidate = next(middle);
    if (candidate !== undefined && candidate <= now) low = candidate;
    else high = middle;
  }
  return low;
}
