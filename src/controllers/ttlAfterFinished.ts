/**
 * Removes jobs that have been over for as long as they say.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
 */
import { type Job, jobs } from '../apis/batch/job.ts';
import { keyOf } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { parseTime } from '../machinery/time.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

export function startTTLAfterFinishedController(context: ControllerContext): void {
  const informer = context.informers.of(jobs);
  const loop = startLoop({
    name: 'ttl-after-finished-controller',
    context,
    reads: [informer],
    plan(key) {
      const job = informer.byKey(key);
      return job === undefined ? undefined : planExpiry(job, context.clock.now());
    },
  });
  const look = (job: Stored<Job>) => {
    if (job.spec?.ttlSecondsAfterFinished !== undefined && finishedAt(job) !== undefined) loop.enqueue(keyOf(job));
  };
  informer.handle({ onAdd: look, onUpdate: look });
}

function planExpiry(job: Stored<Job>, now: number): Plan | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const at = finishedAt(job);
  if (seconds === undefined || at === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  const leftMs = at + seconds * 1000 - now;
  if (leftMs > 0) return { actions: [], againMs: leftMs };
  const options = { propagationPolicy: 'Foreground' } as const;
  return { actions: [{ verb: 'delete', kind: jobs as Kind, object: job, options }] };
}

/** In ms since the epoch; undefined where the job is not over. */
function finishedAt(job: Job): number | undefined {
  const over = job.status?.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  return parseTime(over?.lastTransitionTime);
}
