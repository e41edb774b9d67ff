/**
 * Counts pods that ended, each once: its uid is written into the status before its finalizer is taken away, and
 * becomes a number when it has none. Whenever the controller is stopped in between, it goes on from there.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
 */
import type { Job, JobStatus } from '../../apis/batch/job.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { Action } from '../action.ts';
import { verdictOn } from './failurePolicy.ts';
import { IndexSet } from './indexes.ts';
import { failuresBefore, indexOf, isIndexed, isTracked, TRACKING_FINALIZER } from './pod.ts';

export interface Tally {
  readonly succeeded: number;
  readonly failed: number;
  readonly completed: IndexSet;
  readonly failedIndexes: IndexSet;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** Takes the finalizer off what the status tells of: to be done once that is written. */
  readonly releases: readonly Action[];
  /** pods that failed, counted or not */
  readonly failures: readonly Stored<Pod>[];
  /** why the job is to fail, by a rule of its own */
  readonly failJob: string | undefined;
}

/** Pods that are taken into the status at once. */
const MAX_UNCOUNTED = 500;

export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  // Where pods are replaced as soon as they are told to go, they count as failed from then on.
  return (
    pod.metadata?.deletionTimestamp !== undefined &&
    pod.status?.phase !== 'Succeeded' &&
    job.spec?.podReplacementPolicy !== 'Failed'
  );
}

/** @param all the job's own pods */
export function tallyOf(job: Stored<Job>, all: readonly Stored<Pod>[]): Tally {
  const status: JobStatus = job.status ?? {};
  const limit = job.spec?.completions ?? 0;
  const indexed = isIndexed(job);
  const completed = IndexSet.parse(status.completedIndexes, limit);
  const failedIndexes = IndexSet.parse(status.failedIndexes, limit);
  const byUid = new Map(all.map((pod) => [pod.metadata.uid, pod]));
  const isHeld = (uid: string) => {
    const pod = byUid.get(uid);
    return pod !== undefined && isTracked(pod);
  };
  const before = status.uncountedTerminatedPods;
  let succeeded = status.succeeded ?? 0;
  let failed = status.failed ?? 0;
  const uncounted = { succeeded: [] as string[], failed: [] as string[] };
  for (const uid of before?.succeeded ?? [])
    if (isHeld(uid)) uncounted.succeeded.push(uid);
    else if (!indexed) succeeded++;
  for (const uid of before?.failed ?? [])
    if (isHeld(uid)) uncounted.failed.push(uid);
    else failed++;
  const releases: Action[] = [];
  const failures: Stored<Pod>[] = [];
  let failJob: string | undefined;
  let room = MAX_UNCOUNTED - uncounted.succeeded.length - uncounted.failed.length;
  for (const pod of all) {
    const { uid } = pod.metadata;
    const index = indexOf(pod);
    const outOfRange = indexed && (index === undefined || index >= limit);
    if (hasFailed(job, pod)) failures.push(pod);
    if (!isTracked(pod)) continue;
    const known = uncounted.succeeded.includes(uid) || uncounted.failed.includes(uid);
    if (known) releases.push(releaseOf(pod));
    else if (pod.status?.phase === 'Succeeded') {
      if (room-- <= 0) continue;
      if (outOfRange) releases.push(releaseOf(pod));
      else {
        if (indexed) completed.add(index as number);
        else uncounted.succeeded.push(uid);
        releases.push(releaseOf(pod));
      }
    } else if (hasFailed(job, pod)) {
      if (room-- <= 0) continue;
      const verdict = verdictOn(job, pod);
      if (verdict.action === 'FailJob') failJob ??= verdict.message;
      if (verdict.action !== 'Ignore' && !outOfRange) uncounted.failed.push(uid);
      if (failsIndex(job, pod, verdict.action) && index !== undefined && !completed.has(index))
        failedIndexes.add(index);
      releases.push(releaseOf(pod));
    }
  }
  return {
    succeeded: indexed ? completed.size : succeeded,
    failed,
    completed,
    failedIndexes,
    uncounted,
    releases,
    failures,
    failJob,
  };
}

/** Whether with this failure the pod's index is given up. */
function failsIndex(job: Job, pod: Pod, action: string): boolean {
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined || action === 'Ignore') return false;
  return action === 'FailIndex' || failuresBefore(pod).counted >= limit;
}

/** Lets go of a pod: whoever deleted it, or will, need not wait for the job. */
export function releaseOf(pod: Stored<Pod>): Action {
  const { name, namespace, uid } = pod.metadata;
  return {
    verb: 'patch',
    kind: pods as Kind,
    ref: { name, namespace },
    type: 'strategic',
    patch: {
      metadata: {
        uid,
        '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER],
      },
    },
  };
}
