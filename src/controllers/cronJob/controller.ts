/** Runs the plan of every cron job. */
import { cronJobs } from '../../apis/batch/cronJob.ts';
import { type Job, jobs } from '../../apis/batch/job.ts';
import { keyOf, refKey } from '../../client/store.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { planCronJob } from './plan.ts';

export function startCronJobController(context: ControllerContext): void {
  const informer = context.informers.of(cronJobs);
  const jobInformer = context.informers.of(jobs);
  indexByController(jobInformer);
  const loop = startLoop({
    name: 'cronjob-controller',
    context,
    reads: [informer, jobInformer],
    plan(key) {
      const cronJob = informer.byKey(key);
      if (cronJob === undefined) return undefined;
      return planCronJob({ cronJob, jobs: ownedBy(jobInformer, cronJob.metadata.uid), now: context.clock.now() });
    },
  });
  informer.handle({
    onAdd: (cronJob) => loop.enqueue(keyOf(cronJob)),
    onUpdate: (cronJob) => loop.enqueue(keyOf(cronJob)),
  });
  const tell = (job: Job) => {
    const owner = controllerOf(job);
    if (owner?.kind === cronJobs.kind) loop.enqueue(refKey(job.metadata?.namespace, owner.name));
  };
  jobInformer.handle({ onAdd: tell, onUpdate: tell, onDelete: tell });
}
