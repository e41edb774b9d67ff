import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { ObjectReference } from '../core/references.ts';
import { JobSpec } from './job.ts';

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
  lastScheduleTime: opt(4, time),
  lastSuccessfulTime: opt(5, time),
}));
export interface CronJobStatus extends Infer<typeof CronJobStatus> {}

export const CronJobSpec = object('io.k8s.api.batch.v1.CronJobSpec', () => ({
  schedule: req(1, str),
  startingDeadlineSeconds: opt(2, int64),
  concurrencyPolicy: opt(3, str),
  suspend: opt(4, bool),
  jobTemplate: req(5, JobTemplateSpec),
  successfulJobsHistoryLimit: opt(6, int32),
  failedJobsHistoryLimit: opt(7, int32),
  timeZone: opt(8, str),
}));
export interface CronJobSpec extends Infer<typeof CronJobSpec> {}

export const JobTemplateSpec = object('io.k8s.api.batch.v1.JobTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: opt(2, JobSpec),
}));
export interface JobTemplateSpec extends Infer<typeof JobTemplateSpec> {}
