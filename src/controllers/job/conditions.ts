/** How a job ends, or is held up, as its conditions tell. */
import type { Job, JobCondition } from '../../apis/batch/job.ts';
import { formatTime } from '../../machinery/time.ts';

export interface End {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** What announces an end while pods are still on their way out. */
const ANNOUNCES: Readonly<Record<End['type'], string>> = { Complete: 'SuccessCriteriaMet', Failed: 'FailureTarget' };

export function isTrue(job: Job, type: string): boolean {
  return conditionOf(job, type)?.status === 'True';
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((c) => c.type === type);
}

export const hasEnded = (job: Job) => isTrue(job, 'Complete') || isTrue(job, 'Failed');

/** The end that was announced and has not come yet. */
export function announcedEnd(job: Job): End | undefined {
  for (const type of ['Failed', 'Complete'] as const) {
    const condition = conditionOf(job, ANNOUNCES[type]);
    if (condition?.status === 'True') return { type, reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

/** The conditions with one of them set; the same array where it says so already. */
export function withCondition(
  conditions: readonly JobCondition[],
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: number,
): readonly JobCondition[] {
  const known = conditions.find((c) => c.type === type);
  if (known?.status === status && known.reason === reason && known.message === message) return conditions;
  const at = formatTime(now);
  const next = { type, status, lastProbeTime: at, lastTransitionTime: at, reason, message };
  return [...conditions.filter((c) => c.type !== type), next];
}

/** @param all every pod of the job is gone or has ended: what was announced is so */
export function withEnd(
  conditions: readonly JobCondition[],
  end: End,
  all: boolean,
  now: number,
): readonly JobCondition[] {
  const { type, reason, message } = end;
  const announced = withCondition(conditions, ANNOUNCES[type], 'True', reason, message, now);
  return all ? withCondition(announced, type, 'True', reason, message, now) : announced;
}
