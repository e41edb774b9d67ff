import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
import { bool, type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { humanDuration, parseTime } from '../../machinery/time.ts';
import { CONTAINER_COLUMNS, selectorText } from '../apps/workloadColumns.ts';
import { templateWarnings } from '../core/podWarnings.ts';
import { ObjectReference } from '../core/references.ts';
import { keepSpec } from '../statusRules.ts';
import { validateCronJob, validateCronJobUpdate } from './cronJobValidation.ts';
import { JobSpec, setJobTemplateDefaults } from './job.ts';

export const CronJob = object('io.k8s.api.batch.v1.CronJob', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CronJobSpec),
  status: opt(3, CronJobStatus),
}));
export interface CronJob extends Infer<typeof CronJob> {}

export const CronJobStatus = object('io.k8s.api.batch.v1.CronJobStatus', () => ({
  active: opt(1, list(ObjectReference)),
  lastScheduleTime: opt(4, time, { pointer: true }),
  lastSuccessfulTime: opt(5, time, { pointer: true }),
}));
export interface CronJobStatus extends Infer<typeof CronJobStatus> {}

export const CronJobSpec = object('io.k8s.api.batch.v1.CronJobSpec', () => ({
  schedule: req(1, str, { doc: 'When jobs are made: minute, hour, day, month, weekday; or @hourly and the like.' }),
  startingDeadlineSeconds: opt(2, int64, { doc: 'How late a job may be made; later than that it is left out.' }),
  concurrencyPolicy: opt(3, str, { doc: 'Allow, Forbid or Replace: what happens when the last job still runs.' }),
  suspend: opt(4, bool, { default: false, doc: 'No jobs are made while this is true.' }),
  jobTemplate: req(5, JobTemplateSpec, { doc: 'What the jobs are made from.' }),
  successfulJobsHistoryLimit: opt(6, int32, { default: 3, doc: 'How many jobs that succeeded are kept.' }),
  failedJobsHistoryLimit: opt(7, int32, { default: 1, doc: 'How many jobs that failed are kept.' }),
  timeZone: opt(8, str, {
    pointer: true,
    doc: "The schedule's time zone, as Europe/Vienna; absent: that of the controller.",
  }),
}));
export interface CronJobSpec extends Infer<typeof CronJobSpec> {}

export const JobTemplateSpec = object('io.k8s.api.batch.v1.JobTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: opt(2, JobSpec),
}));
export interface JobTemplateSpec extends Infer<typeof JobTemplateSpec> {}

/** Cron jobs: a job at every time of a schedule. */
export const cronJobs = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  schema: CronJob,
  shortNames: ['cj'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults(cronJob) {
    const spec = cronJob.spec;
    if (spec === undefined) return;
    spec.concurrencyPolicy ||= 'Allow';
    if (spec.jobTemplate?.spec !== undefined) setJobTemplateDefaults(spec.jobTemplate.spec);
  },
  prepareForCreate(cronJob) {
    cronJob.status = {};
  },
  validate: validateCronJob,
  warnings(cronJob, old) {
    const faults = old === undefined ? dnsLabel(cronJob.metadata?.name ?? '') : [];
    const warnings =
      old !== undefined && old.metadata?.generation === cronJob.metadata?.generation
        ? []
        : templateWarnings(cronJob.spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template');
    if (faults.length === 0) return warnings;
    return [
      ...warnings,
      `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults.join(', ')}]`,
    ];
  },
  update: {
    prepare(cronJob, old) {
      cronJob.status = old.status ?? {};
    },
    validate: validateCronJobUpdate,
  },
  status: { prepare: keepSpec },
  columns: [
    NAME_COLUMN,
    {
      name: 'Schedule',
      type: 'string',
      description: 'When jobs are made.',
      value: (cronJob) => cronJob.spec?.schedule ?? '',
    },
    {
      name: 'Timezone',
      type: 'string',
      description: 'Where the clock of the schedule hangs.',
      value: (cronJob) => cronJob.spec?.timeZone ?? '<none>',
    },
    {
      name: 'Suspend',
      type: 'boolean',
      description: 'Whether no jobs are made for now.',
      value({ spec }) {
        if (spec?.suspend === undefined) return '<unset>';
        return spec.suspend ? 'True' : 'False';
      },
    },
    {
      name: 'Active',
      type: 'integer',
      description: 'Jobs that run.',
      value: (cronJob) => (cronJob.status?.active ?? []).length,
    },
    {
      name: 'Last Schedule',
      type: 'string',
      description: 'How long ago a job was made last.',
      value({ status }, now) {
        const last = parseTime(status?.lastScheduleTime);
        return last === undefined ? '<none>' : humanDuration(now - last);
      },
    },
    AGE_COLUMN,
    ...CONTAINER_COLUMNS.map((column) => ({
      ...column,
      value({ spec }: CronJob, now: number) {
        const template = spec?.jobTemplate?.spec?.template;
        return column.value(template === undefined ? {} : { spec: { template } }, now);
      },
    })),
    {
      name: 'Selector',
      type: 'string',
      description: 'Which pods are its own.',
      priority: 1,
      value: (cronJob) => selectorText(cronJob.spec?.jobTemplate?.spec?.selector) || '<none>',
    },
  ],
});
