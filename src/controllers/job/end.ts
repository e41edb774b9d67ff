/** Whether a job is over, and how. */
import type { Job } from '../../apis/batch/job.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { parseTime } from '../../machinery/time.ts';
import type { End } from './conditions.ts';
import { IndexSet } from './indexes.ts';
import { isIndexed } from './pod.ts';
import type { Tally } from './tally.ts';

/** @param active how many pods run, or will */
export function endOf(
  job: Job,
  tally: Tally,
  all: readonly Pod[],
  active: number,
  startTime: string | undefined,
  now: number,
): End | undefined {
  return failureOf(job, tally, all, startTime, now) ?? successOf(job, tally, active);
}

const failed = (reason: string, message: string): End => ({ type: 'Failed', reason, message });

function failureOf(
  job: Job,
  { failJob, failed: counted, uncounted, failedIndexes, completed }: Tally,
  all: readonly Pod[],
  startTime: string | undefined,
  now: number,
): End | undefined {
  const {
    backoffLimit = 6,
    backoffLimitPerIndex,
    maxFailedIndexes,
    activeDeadlineSeconds,
    completions = 0,
  } = job.spec ?? {};
  if (failJob !== undefined) return failed('PodFailurePolicy', failJob);
  const failures = counted + uncounted.failed.length;
  if (failures > backoffLimit || restartsBeyond(job, all, backoffLimit))
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const start = parseTime(startTime);
  if (activeDeadlineSeconds !== undefined && start !== undefined && now >= start + activeDeadlineSeconds * 1000)
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  if (backoffLimitPerIndex === undefined) return undefined;
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes)
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  if (failedIndexes.size > 0 && failedIndexes.size + completed.size >= completions)
    return failed('FailedIndexes', 'Job has failed indexes');
  return undefined;
}

/** Where containers are restarted in their pods, restarts are what counts. */
function restartsBeyond(job: Job, all: readonly Pod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of all) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const s of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
      restarts += s.restartCount ?? 0;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function successOf(job: Job, { succeeded, uncounted, completed }: Tally, active: number): End | undefined {
  const { completions, successPolicy } = job.spec ?? {};
  for (const [i, { succeededIndexes, succeededCount }] of (successPolicy?.rules ?? []).entries()) {
    const named = succeededIndexes === undefined ? undefined : IndexSet.parse(succeededIndexes, completions ?? 0);
    const done = named === undefined ? completed.size : named.countIn(completed);
    if (done >= (succeededCount ?? named?.size ?? Number.POSITIVE_INFINITY))
      return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${i}` };
  }
  const done = succeeded + uncounted.succeeded.length;
  const message = 'Reached expected number of succeeded pods';
  const reached =
    completions === undefined ? done > 0 && active === 0 : (isIndexed(job) ? completed.size : done) >= completions;
  return reached ? { type: 'Complete', reason: 'CompletionsReached', message } : undefined;
}
