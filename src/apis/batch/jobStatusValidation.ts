/**
 * What is wrong with a job's status. Most rules look only at what a write changes, so that a status that older
 * servers let in can still be written.
 */
import { duplicate, type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { parseTime } from '../../machinery/time.ts';
import { validateCounts } from '../apps/validation.ts';
import type { Job, JobStatus } from './job.ts';
import { IndexesError, type Interval, overlapOf, parseIndexes } from './jobIndexes.ts';

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;
const TERMINAL = ['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet'];

const isTrue = (status: JobStatus, type: string) =>
  (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

/** Its status and the one before, with what is asked of them most. */
interface Change {
  readonly job: Job;
  readonly status: JobStatus;
  readonly before: JobStatus;
  readonly complete: boolean;
  readonly failed: boolean;
  readonly finished: boolean;
  readonly finishedChanged: boolean;
}

const CONDITIONS = 'status.conditions';

export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const errors: FieldError[] = [];
  const status = job.status ?? {};
  const before = old.status ?? {};
  const complete = isTrue(status, 'Complete');
  const failed = isTrue(status, 'Failed');
  const finished = complete || failed;
  const finishedChanged = finished !== (isTrue(before, 'Complete') || isTrue(before, 'Failed'));
  const change: Change = { job, status, before, complete, failed, finished, finishedChanged };
  validateCounts(status, COUNTS, errors);
  validateUncounted(status, errors);
  validateConditions(change, errors);
  validateTimes(change, errors);
  validatePods(change, errors);
  validateIndexes(change, errors);
  return errors;
}

function validateUncounted(status: JobStatus, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [i, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    }
  }
}

function validateConditions({ job, status, before, complete, failed }: Change, errors: FieldError[]): void {
  const refuse = (detail: string) => errors.push(invalid(CONDITIONS, status.conditions, detail));
  const changed = (type: string) => isTrue(status, type) !== isTrue(before, type);
  const target = isTrue(status, 'FailureTarget');
  const met = isTrue(status, 'SuccessCriteriaMet');
  if ((changed('Complete') || changed('Failed')) && complete && failed) {
    refuse('cannot set Complete=True and Failed=true conditions');
  }
  if ((changed('Complete') || changed('FailureTarget')) && complete && target) {
    refuse('cannot set Complete=True and FailureTarget=true conditions');
  }
  if ((changed('Failed') || status.failedIndexes !== before.failedIndexes) && failed && !target) {
    refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if ((changed('Complete') || changed('SuccessCriteriaMet')) && complete && !met) {
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  if (met && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (met && target) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (job.spec?.successPolicy !== undefined && complete && !met) {
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
  for (const type of TERMINAL) {
    if (isTrue(before, type) && !isTrue(status, type)) refuse(`cannot disable the terminal ${type}=True condition`);
  }
  if (isTrue(before, 'Complete') && !isTrue(before, 'SuccessCriteriaMet') && met) {
    refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
  }
}

function validateTimes(
  { job, status, before, complete, finished, finishedChanged }: Change,
  errors: FieldError[],
): void {
  const { startTime, completionTime } = status;
  const started = parseTime(startTime);
  const completed = parseTime(completionTime);
  const startChanged = started !== parseTime(before.startTime);
  const completionChanged = completed !== parseTime(before.completionTime);
  const completeChanged = complete !== isTrue(before, 'Complete');
  if (completeChanged || completionChanged) {
    if (completed !== undefined && !complete) {
      const detail = 'cannot set completionTime when there is no Complete=True condition';
      errors.push(invalid('status.completionTime', completionTime, detail));
    }
    if (completed === undefined && complete) {
      errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
    }
  }
  if ((startChanged || completionChanged) && started !== undefined && completed !== undefined && completed < started) {
    errors.push(invalid('status.completionTime', completionTime, 'completionTime cannot be set before startTime'));
  }
  if ((finishedChanged || startChanged) && finished && started === undefined) {
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  }
  if (completionChanged && completed !== undefined && before.completionTime !== undefined) {
    errors.push(invalid('status.completionTime', completionTime, 'completionTime cannot be mutated'));
  }
  if (startChanged && before.startTime !== undefined && job.spec?.suspend !== true) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  }
}

function validatePods({ job, status, before, finished, finishedChanged }: Change, errors: FieldError[]): void {
  const { active = 0, ready = 0, terminating = 0, failed = 0, succeeded = 0 } = status;
  const changed = (field: (typeof COUNTS)[number]) => status[field] !== before[field];
  if ((finishedChanged || changed('active')) && finished && active > 0) {
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  }
  const uncounted = status.uncountedTerminatedPods;
  const waiting = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length;
  if (finished && waiting > 0) {
    const detail = 'uncountedTerminatedPods needs to be empty for finished job';
    errors.push(invalid('status.uncountedTerminatedPods', uncounted, detail));
  }
  if ((finishedChanged || changed('terminating')) && finished && terminating > 0) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
  if ((changed('ready') || changed('active')) && ready > active) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  if (failed < (before.failed ?? 0)) {
    errors.push(invalid('status.failed', failed, 'cannot decrease the failed counter'));
  }
  // An Indexed job whose pods all run at once may be made smaller.
  const { completionMode, completions, parallelism } = job.spec ?? {};
  const elastic = completionMode === 'Indexed' && completions === parallelism;
  if (!elastic && succeeded < (before.succeeded ?? 0)) {
    errors.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  }
}

function validateIndexes({ job, status, before }: Change, errors: FieldError[]): void {
  const { completions, completionMode, backoffLimitPerIndex } = job.spec ?? {};
  const { completedIndexes = '', failedIndexes } = status;
  const completedChanged = completedIndexes !== (before.completedIndexes ?? '');
  const failedChanged = failedIndexes !== before.failedIndexes;
  let completed: Interval[] = [];
  let failed: Interval[] = [];
  if (completions !== undefined && (completedChanged || failedChanged)) {
    const mine: FieldError[] = [];
    completed = intervalsOf(completedIndexes, completions, 'completedIndexes', mine);
    if (completedChanged) errors.push(...mine);
    const others: FieldError[] = [];
    failed = intervalsOf(failedIndexes ?? '', completions, 'failedIndexes', others);
    if (failedChanged && backoffLimitPerIndex !== undefined) errors.push(...others);
  }
  if (completedChanged && completedIndexes !== '' && completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalid('status.completedIndexes', completedIndexes, detail));
  }
  if (failedChanged && failedIndexes !== undefined && backoffLimitPerIndex === undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalid('status.failedIndexes', failedIndexes, detail));
  }
  const both = overlapOf(completed, failed);
  if (both !== undefined) {
    const detail = `failedIndexes and completedIndexes overlap at index: ${both}`;
    errors.push(invalid('status.failedIndexes', failedIndexes, detail));
  }
}

function intervalsOf(text: string, completions: number, field: string, errors: FieldError[]): Interval[] {
  try {
    return parseIndexes(text, completions);
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error;
    errors.push(invalid(`status.${field}`, text, `error parsing ${field}: ${error.message}`));
    return [];
  }
}
