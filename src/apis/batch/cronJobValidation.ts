/**
 * What is wrong with cron jobs.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { validateNotNegative } from '../apps/validation.ts';
import type { CronJob, CronJobSpec } from './cronJob.ts';
import { validateJobTemplate } from './jobValidation.ts';
import { parseSchedule, ScheduleSyntaxError } from './schedule.ts';

/** A job's name has eleven characters more, and 63 are what a label can hold. */
const LONGEST_NAME = 52;
const CONCURRENCY_POLICIES = ['Allow', 'Forbid', 'Replace'];
const ZONE_PART = /^[A-Za-z._0-9+][-A-Za-z._0-9+]{0,13}$/;

export function validateCronJob(cronJob: CronJob): FieldError[] {
  const errors = validateSpec(cronJob.spec, undefined);
  const name = cronJob.metadata?.name ?? '';
  if (Buffer.byteLength(name) > LONGEST_NAME) {
    errors.push(invalid('metadata.name', name, `must be no more than ${LONGEST_NAME} characters`));
  }
  return errors;
}

export function validateCronJobUpdate(cronJob: CronJob, old: CronJob): FieldError[] {
  return validateSpec(cronJob.spec, old.spec);
}

function validateSpec(given: CronJobSpec | undefined, before: CronJobSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<CronJobSpec> = given ?? {};
  if (!spec.schedule) errors.push(required('spec.schedule'));
  else validateSchedule(spec.schedule, errors);
  validateNotNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', errors);
  if (spec.timeZone !== undefined && (before === undefined || spec.timeZone !== before.timeZone)) {
    validateTimeZone(spec.timeZone, errors);
  }
  const policy = spec.concurrencyPolicy;
  if (!policy) errors.push(required('spec.concurrencyPolicy'));
  else if (!CONCURRENCY_POLICIES.includes(policy)) {
    errors.push(notSupported('spec.concurrencyPolicy', policy, CONCURRENCY_POLICIES));
  }
  validateJobTemplate(spec.jobTemplate ?? {}, 'spec.jobTemplate', errors);
  validateNotNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', errors);
  validateNotNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', errors);
  return errors;
}

function validateSchedule(schedule: string, errors: FieldError[]): void {
  if (schedule.includes('TZ')) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(invalid('spec.schedule', schedule, detail));
    return;
  }
  try {
    parseSchedule(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleSyntaxError)) throw error;
    errors.push(invalid('spec.schedule', schedule, error.message));
  }
}

function validateTimeZone(zone: string, errors: FieldError[]): void {
  const path = 'spec.timeZone';
  if (zone === '') {
    errors.push(invalid(path, zone, 'timeZone must be nil or non-empty string'));
    return;
  }
  const parts = zone.split('/');
  const wellFormed = parts.every((part) => part !== '.' && part !== '..' && ZONE_PART.test(part));
  if (zone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.push(invalid(path, zone, detail));
  } else if (!wellFormed || !isTimeZone(zone)) errors.push(invalid(path, zone, `unknown time zone ${zone}`));
}

function isTimeZone(zone: string): boolean {
  // Intl knows offsets and any mixture of cases too.
  if (/^[+\d]/.test(zone)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
    return known === zone || known.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}
