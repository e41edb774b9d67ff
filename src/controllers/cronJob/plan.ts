/**
 * A cron job makes a job at each of its times.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
import { type CronJob, CronJobStatus, cronJobs } from '../../apis/batch/cronJob.ts';
import { type Job, jobs } from '../../apis/batch/job.ts';
import type { ObjectReference } from '../../apis/core/references.ts';
import { apiVersionOf, type Kind, type Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { type Action, type EventAction, statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';
import { type Due, dueTimes } from './times.ts';

export interface CronJobWorld {
  readonly cronJob: Stored<CronJob>;
  /** of which it is the controller */
  readonly jobs: readonly Stored<Job>[];
  /** milliseconds since the epoch */
  readonly now: number;
}

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const UNEXPECTED = 'Saw a job that the controller did not create or forgot';
const MINUTE_MS = 60_000;
/** Clocks are not exact: a little after the time it has come for sure. */
const SLACK_MS = 100;
const SUCCESSFUL_KEPT = 3;
const FAILED_KEPT = 1;

export function planCronJob(world: CronJobWorld): Plan {
  const { cronJob, now } = world;
  const work = new CronWork(world);
  work.takeNoteOfFinished();
  work.cleanUp();
  if (cronJob.metadata.deletionTimestamp !== undefined || cronJob.spec?.suspend === true) return work.plan(undefined);
  let due: Due;
  try {
    due = dueTimes(cronJob, now);
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(cronJob.spec?.schedule ?? '')} : ${(error as Error).message}`;
    work.say('Warning', 'UnparseableSchedule', message);
    return work.plan(undefined);
  }
  if (due.tooMany) {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    work.say('Warning', 'TooManyMissedTimes', message);
  }
  if (due.at !== undefined) work.start(due.at);
  return work.plan(due.next);
}

class CronWork {
  readonly #world: CronJobWorld;
  readonly #actions: Action[] = [];
  #active: ObjectReference[];
  #lastScheduleTime: string | undefined;
  #lastSuccessfulTime: string | undefined;

  constructor(world: CronJobWorld) {
    this.#world = world;
    const { status } = world.cronJob;
    this.#active = this.#running().map(referenceTo);
    this.#lastScheduleTime = status?.lastScheduleTime;
    this.#lastSuccessfulTime = status?.lastSuccessfulTime;
  }

  takeNoteOfFinished(): void {
    const { cronJob, jobs: all } = this.#world;
    const listed = new Set((cronJob.status?.active ?? []).map((r) => r.uid));
    for (const job of all) {
      const end = endOf(job);
      if (end === undefined) {
        if (!isScheduled(job)) this.say('Warning', 'UnexpectedJob', `${UNEXPECTED}: ${job.metadata.name}`);
        continue;
      }
      if (listed.has(job.metadata.uid))
        this.say('Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`);
      const at = job.status?.completionTime;
      if (end === 'Complete' && at !== undefined && (parseTime(this.#lastSuccessfulTime) ?? 0) < (parseTime(at) ?? 0))
        this.#lastSuccessfulTime = at;
    }
    const known = new Set(all.map((job) => job.metadata.uid));
    for (const { uid, name } of cronJob.status?.active ?? []) {
      if (!known.has(uid ?? '')) this.say('Normal', 'MissingJob', `Active job went missing: ${name}`);
    }
  }

  /** Of finished jobs the newest few stay. */
  cleanUp(): void {
    const { successfulJobsHistoryLimit = SUCCESSFUL_KEPT, failedJobsHistoryLimit = FAILED_KEPT } =
      this.#world.cronJob.spec ?? {};
    const kept = { Complete: successfulJobsHistoryLimit, Failed: failedJobsHistoryLimit };
    for (const end of ['Complete', 'Failed'] as const) {
      const finished = this.#world.jobs.filter((job) => endOf(job) === end);
      const started = (job: Stored<Job>) => job.status?.startTime ?? job.metadata.creationTimestamp ?? '';
      finished.sort((a, b) => (started(a) < started(b) ? -1 : 1));
      for (const job of finished.slice(0, Math.max(0, finished.length - kept[end]))) this.#delete(job);
    }
  }

  start(at: number): void {
    const { cronJob, now, jobs: all } = this.#world;
    const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {};
    if (startingDeadlineSeconds !== undefined && now > at + startingDeadlineSeconds * 1000) {
      this.say('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${formatTime(at)}`);
      return;
    }
    const name = `${cronJob.metadata.name}-${Math.floor(at / MINUTE_MS)}`;
    if (all.some((job) => job.metadata.name === name)) {
      this.#lastScheduleTime = formatTime(at);
      return;
    }
    const running = this.#running();
    if (concurrencyPolicy === 'Forbid' && running.length > 0) {
      this.say(
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      );
      return;
    }
    if (concurrencyPolicy === 'Replace') {
      for (const job of running) this.#delete(job);
      this.#active = [];
    }
    this.#actions.push({
      verb: 'create',
      kind: jobs as Kind,
      object: jobOf(cronJob, name, at),
      announce: {
        done: (job) => this.#event('Normal', 'SuccessfulCreate', `Created job ${job.metadata?.name}`),
        failed: (error) => this.#event('Warning', 'FailedCreate', `Error creating job: ${error.message}`),
      },
    });
    this.#lastScheduleTime = formatTime(at);
  }

  plan(next: number | undefined): Plan {
    const { cronJob, now } = this.#world;
    return {
      actions: this.#actions,
      ...(next === undefined ? {} : { againMs: Math.max(0, next - now) + SLACK_MS }),
      after: (failure) => {
        if (failure !== undefined) return [];
        const status: CronJobStatus = {
          ...(this.#active.length === 0 ? {} : { active: this.#active }),
          ...(this.#lastScheduleTime === undefined ? {} : { lastScheduleTime: this.#lastScheduleTime }),
          ...(this.#lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime: this.#lastSuccessfulTime }),
        };
        if (semanticEqual(CronJobStatus, cronJob.status ?? {}, status)) return [];
        return [statusUpdate(cronJobs, { ...cronJob, status })];
      },
    };
  }

  /** Jobs that people made of the template (`kubectl create job --from`) neither count nor have to go. */
  #running(): readonly Stored<Job>[] {
    return this.#world.jobs.filter((job) => isScheduled(job) && endOf(job) === undefined);
  }

  #delete(job: Stored<Job>): void {
    this.#actions.push({
      verb: 'delete',
      kind: jobs as Kind,
      object: job,
      options: { propagationPolicy: 'Background' },
      announce: {
        done: () => this.#event('Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`),
        failed: (error) => this.#event('Warning', 'FailedDelete', `Deleted job: ${error.message}`),
      },
    });
  }

  say(type: EventAction['type'], reason: string, message: string): void {
    this.#actions.push(this.#event(type, reason, message));
  }

  #event(type: EventAction['type'], reason: string, message: string): EventAction {
    return { verb: 'event', regarding: this.#world.cronJob, type, reason, message };
  }
}

function jobOf(cronJob: Stored<CronJob>, name: string, at: number): Job {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  return {
    metadata: {
      name,
      namespace: cronJob.metadata.namespace ?? '',
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: zoned(at, cronJob.spec?.timeZone) },
      ownerReferences: [controllerReference(cronJob, cronJobs)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** The moment as a clock in that zone shows it, with its distance from UTC. */
function zoned(at: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return formatTime(at);
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).formatToParts(at);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  const offset = part('timeZoneName').replace('GMT', '') || 'Z';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${date}T${part('hour')}:${part('minute')}:${part('second')}${offset}`;
}

const isScheduled = (job: Job) => job.metadata?.annotations?.[SCHEDULED_AT] !== undefined;

function endOf(job: Job): 'Complete' | 'Failed' | undefined {
  const end = job.status?.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  return end?.type as 'Complete' | 'Failed' | undefined;
}

function referenceTo(job: Stored<Job>): ObjectReference {
  const { name, namespace, uid, resourceVersion } = job.metadata;
  const ref = { kind: jobs.kind, apiVersion: apiVersionOf(jobs), name, uid, resourceVersion };
  return namespace === undefined ? ref : { ...ref, namespace };
}
