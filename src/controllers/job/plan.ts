/**
 * A job: pods that run to their end, as many as are asked for, counted exactly.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
import { type Job, JobStatus, jobs } from '../../apis/batch/job.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Random } from '../../lib/random.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import { claim } from '../claim.ts';
import type { Plan } from '../loop.ts';
import { isFinished, isReady } from '../podState.ts';
import { announcedEnd, conditionOf, type End, hasEnded, withCondition, withEnd } from './conditions.ts';
import { endOf } from './end.ts';
import { verdictOn } from './failurePolicy.ts';
import { failuresBefore, finishedAt, indexOf, isIndexed, isTracked, type NewPod, podOf } from './pod.ts';
import { hasFailed, releaseOf, type Tally, tallyOf } from './tally.ts';

export interface JobWorld {
  readonly job: Stored<Job>;
  readonly owned: readonly Stored<Pod>[];
  readonly orphans: readonly Stored<Pod>[];
  readonly random: Random;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** Who manages a job unless it names somebody else. */
const CONTROLLER = 'kubernetes.io/job-controller';
/** Of pods to make or to delete, no more at once. */
const BURST = 500;
const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 600_000;

export function planJob(world: JobWorld): Plan | undefined {
  const { job } = world;
  if ((job.spec?.managedBy ?? CONTROLLER) !== CONTROLLER) return undefined;
  const selector = selectorFrom(job.spec?.selector);
  if (selector === undefined) return undefined;
  const { owned, orphans } = world;
  const claimed = claim({ owner: job, ownerKind: jobs, kind: pods, selector, owned, orphans });
  if (hasEnded(job)) {
    // What came to its end after the job did is let go of.
    return { actions: claimed.claimed.filter(isTracked).map(releaseOf) };
  }
  return new JobWork(world, claimed.claimed, claimed.actions).plan();
}

class JobWork {
  readonly #job: Stored<Job>;
  readonly #world: JobWorld;
  readonly #all: readonly Stored<Pod>[];
  readonly #tally: Tally;
  readonly #actions: Action[];
  readonly #active: readonly Stored<Pod>[];
  #againMs: number | undefined;

  constructor(world: JobWorld, all: readonly Stored<Pod>[], actions: readonly Action[]) {
    this.#world = world;
    this.#job = world.job;
    this.#all = all;
    this.#tally = tallyOf(world.job, all);
    this.#actions = [...actions];
    this.#active = all.filter((pod) => !isFinished(pod) && pod.metadata.deletionTimestamp === undefined);
  }

  plan(): Plan {
    const { now } = this.#world;
    const job = this.#job;
    const suspended = job.spec?.suspend === true;
    const startTime = suspended ? undefined : (job.status?.startTime ?? formatTime(now));
    const announced = announcedEnd(job);
    const end = announced ?? endOf(job, this.#tally, this.#all, this.#active.length, startTime, now);
    this.#lookAtDeadline(startTime, end);
    let going: readonly Stored<Pod>[] = [];
    let made = 0;
    if (job.metadata.deletionTimestamp === undefined) {
      // How it ends is written before the pods go: how they end then changes nothing any more.
      if (announced !== undefined || suspended) going = this.#active;
      else if (end !== undefined) going = [];
      else {
        const wanted = this.#wantedActive();
        if (this.#active.length > wanted) going = this.#surplus(this.#active.length - wanted);
        else made = this.#create(wanted);
      }
      const leaving = going.slice(0, BURST);
      // Pods that are too many for now did not fail: they are let go of first, and so are not counted.
      if (announced === undefined) this.#actions.push(...leaving.filter(isTracked).map(releaseOf));
      this.#actions.push(...leaving.map((pod) => this.#deletion(pod)));
    }
    const status = this.#status(startTime, suspended, end, going.length, made);
    const changed = !semanticEqual(JobStatus, this.#normal(job.status), this.#normal(status));
    return {
      actions: this.#actions,
      after: (failure) =>
        failure !== undefined
          ? []
          : [
              ...(changed ? [statusUpdate(jobs, { ...job, status })] : []),
              ...(changed ? this.#events(status, end) : []),
              ...this.#tally.releases,
            ],
      ...(this.#againMs === undefined ? {} : { againMs: this.#againMs }),
    };
  }

  /** How many pods are to run at a time. */
  #wantedActive(): number {
    const { parallelism = 1, completions, podReplacementPolicy } = this.#job.spec ?? {};
    const { succeeded, failedIndexes, uncounted } = this.#tally;
    const done = succeeded + uncounted.succeeded.length;
    // Pods that are on their way out hold their place where they are replaced only when they have ended.
    const held =
      podReplacementPolicy === 'Failed'
        ? this.#all.filter((pod) => !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined).length
        : 0;
    // Without a number of completions the first success says that the work is done: nothing is added.
    if (completions === undefined) return done > 0 ? Math.min(this.#active.length, parallelism) : parallelism - held;
    return Math.max(0, Math.min(parallelism, completions - done - failedIndexes.size) - held);
  }

  #surplus(count: number): readonly Stored<Pod>[] {
    const rank = (pod: Stored<Pod>) => (pod.spec?.nodeName ? 2 : 0) + (isReady(pod) ? 1 : 0);
    return [...this.#active].sort((a, b) => rank(a) - rank(b)).slice(0, count);
  }

  /** Makes the pods that are missing, after failures not at once. Returns how many. */
  #create(wanted: number): number {
    const missing = Math.min(wanted - this.#active.length, BURST);
    const fresh = isIndexed(this.#job) ? this.#missingIndexes(missing) : this.#missingPods(missing);
    for (const pod of fresh) {
      this.#actions.push({
        verb: 'create',
        kind: pods as Kind,
        object: podOf(this.#job, pod, this.#world.random),
        announce: {
          done: (made) => this.#event('Normal', 'SuccessfulCreate', `Created pod: ${made.metadata?.name}`),
          failed: (error) => this.#event('Warning', 'FailedCreate', `Error creating: ${error.message}`),
        },
      });
    }
    return fresh.length;
  }

  #missingPods(count: number): NewPod[] {
    if (count <= 0 || this.#waits(this.#tally.failures)) return [];
    return Array.from({ length: count }, () => ({}));
  }

  #missingIndexes(count: number): NewPod[] {
    const { completions = 0, backoffLimitPerIndex } = this.#job.spec ?? {};
    const { completed, failedIndexes, failures } = this.#tally;
    const replacesWhenEnded = this.#job.spec?.podReplacementPolicy === 'Failed';
    const busy = new Set(
      this.#all
        .filter((pod) => !isFinished(pod) && (replacesWhenEnded || pod.metadata.deletionTimestamp === undefined))
        .map(indexOf),
    );
    const perIndex = backoffLimitPerIndex !== undefined;
    if (!perIndex && count > 0 && this.#waits(failures)) return [];
    const fresh: NewPod[] = [];
    for (let index = 0; index < completions && fresh.length < count; index++) {
      if (completed.has(index) || failedIndexes.has(index) || busy.has(index)) continue;
      if (!perIndex) {
        fresh.push({ index });
        continue;
      }
      const before = failures.filter((pod) => indexOf(pod) === index);
      if (!this.#waits(before)) fresh.push({ index, failures: this.#failuresOf(before) });
    }
    return fresh;
  }

  /** What the next pod of an index carries of those before it. */
  #failuresOf(before: readonly Stored<Pod>[]): { counted: number; ignored: number } {
    let counted = 0;
    let ignored = 0;
    for (const pod of before) {
      const own = failuresBefore(pod);
      const isIgnored = verdictOn(this.#job, pod).action === 'Ignore';
      counted = Math.max(counted, own.counted + (isIgnored ? 0 : 1));
      ignored = Math.max(ignored, own.ignored + (isIgnored ? 1 : 0));
    }
    return { counted, ignored };
  }

  /** After each failure in a row the next pod waits twice as long. */
  #waits(failures: readonly Stored<Pod>[]): boolean {
    const lastSuccess = Math.max(0, ...this.#all.filter((p) => p.status?.phase === 'Succeeded').map(finishedAt));
    const times = failures.map(finishedAt).filter((at) => at > lastSuccess);
    if (times.length === 0) return false;
    const waitMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(times.length - 1, 10));
    const leftMs = Math.max(...times) + waitMs - this.#world.now;
    if (leftMs > 0) this.#lookAgain(leftMs);
    return leftMs > 0;
  }

  #lookAtDeadline(startTime: string | undefined, end: End | undefined): void {
    const seconds = this.#job.spec?.activeDeadlineSeconds;
    const start = parseTime(startTime);
    if (seconds === undefined || start === undefined || end !== undefined) return;
    this.#lookAgain(Math.max(0, start + seconds * 1000 - this.#world.now));
  }

  #lookAgain(ms: number): void {
    this.#againMs = Math.min(this.#againMs ?? ms, ms);
  }

  #status(
    startTime: string | undefined,
    suspended: boolean,
    end: End | undefined,
    going: number,
    made: number,
  ): JobStatus {
    const { now } = this.#world;
    const { succeeded, failed, completed, failedIndexes, uncounted } = this.#tally;
    const terminating = this.#all.filter((p) => !isFinished(p) && p.metadata.deletionTimestamp !== undefined).length;
    const active = this.#active.length - going + made;
    const held = uncounted.succeeded.length + uncounted.failed.length;
    const running = this.#active.length + terminating;
    const settled =
      end !== undefined &&
      running === 0 &&
      held === 0 &&
      !this.#all.some((p) => isTracked(p) && !hasFailed(this.#job, p) && !isFinished(p));
    let conditions = this.#job.status?.conditions ?? [];
    if (end !== undefined) conditions = [...withEnd(conditions, end, settled, now)];
    else conditions = [...this.#suspension(conditions, suspended)];
    return {
      ...(conditions.length === 0 ? {} : { conditions: [...conditions] }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(settled && end?.type === 'Complete' ? { completionTime: formatTime(now) } : {}),
      ...(active === 0 ? {} : { active }),
      ...(succeeded === 0 ? {} : { succeeded }),
      ...(failed === 0 ? {} : { failed }),
      ...(completed.size === 0 ? {} : { completedIndexes: String(completed) }),
      ...(this.#job.spec?.backoffLimitPerIndex === undefined ? {} : { failedIndexes: String(failedIndexes) }),
      uncountedTerminatedPods: {
        ...(uncounted.succeeded.length === 0 ? {} : { succeeded: [...uncounted.succeeded] }),
        ...(uncounted.failed.length === 0 ? {} : { failed: [...uncounted.failed] }),
      },
      ready: this.#active.filter(isReady).length,
      terminating,
    };
  }

  #suspension(conditions: NonNullable<JobStatus['conditions']>, suspended: boolean) {
    const { now } = this.#world;
    if (suspended) return withCondition(conditions, 'Suspended', 'True', 'JobSuspended', 'Job suspended', now);
    if (conditionOf(this.#job, 'Suspended')?.status !== 'True') return conditions;
    return withCondition(conditions, 'Suspended', 'False', 'JobResumed', 'Job resumed', now);
  }

  /** Empty and absent are the same, but for the numbers that are always told. */
  #normal(status: JobStatus | undefined): JobStatus {
    const { uncountedTerminatedPods, ...rest } = status ?? {};
    return { ready: -1, terminating: -1, uncountedTerminatedPods: uncountedTerminatedPods ?? {}, ...rest };
  }

  #events(status: JobStatus, end: End | undefined): Action[] {
    const was = (type: string) => conditionOf(this.#job, type)?.status === 'True';
    const is = (type: string) => status.conditions?.some((c) => c.type === type && c.status === 'True') === true;
    if (is('Complete')) return [this.#event('Normal', 'Completed', 'Job completed')];
    if (is('Failed') && end !== undefined) return [this.#event('Warning', end.reason, end.message)];
    if (is('Suspended') && !was('Suspended')) return [this.#event('Normal', 'Suspended', 'Job suspended')];
    if (!is('Suspended') && was('Suspended')) return [this.#event('Normal', 'Resumed', 'Job resumed')];
    return [];
  }

  #deletion(pod: Stored<Pod>): Action {
    return {
      verb: 'delete',
      kind: pods as Kind,
      object: pod,
      announce: {
        done: () => this.#event('Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`),
        failed: (error) => this.#event('Warning', 'FailedDelete', `Error deleting: ${error.message}`),
      },
    };
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string) {
    return { verb: 'event', regarding: this.#job, type, reason, message } as const;
  }
}
