/** Runs the plan of every job. */
import { jobs } from '../../apis/batch/job.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { enqueueOwners } from '../ownedChanges.ts';
import { planJob } from './plan.ts';
import { isTracked } from './pod.ts';
import { releaseOf } from './tally.ts';

export function startJobController(context: ControllerContext): void {
  const informer = context.informers.of(jobs);
  const podInformer = context.informers.of(pods);
  indexByController(podInformer);
  const reads = [informer, podInformer];
  const loop = startLoop({
    name: 'job-controller',
    context,
    reads,
    plan(key) {
      const job = informer.byKey(key);
      if (job === undefined) return undefined;
      const { namespace, uid } = job.metadata;
      return planJob({
        job,
        owned: ownedBy(podInformer, uid),
        orphans: orphansIn(podInformer, namespace),
        random: context.random,
        now: context.clock.now(),
      });
    },
  });
  // Nobody counts the pods of a job that is gone: they are let go of.
  const left = startLoop({
    name: 'job-controller',
    context,
    reads,
    plan(key) {
      const pod = podInformer.byKey(key);
      return pod === undefined || !isLeft(pod) ? undefined : { actions: [releaseOf(pod)] };
    },
  });
  const isLeft = (pod: Stored<Pod>) => {
    if (!isTracked(pod)) return false;
    const owner = controllerOf(pod);
    if (owner === undefined) return true;
    return owner.kind === jobs.kind && informer.get(pod.metadata.namespace, owner.name)?.metadata.uid !== owner.uid;
  };
  informer.handle({
    onAdd: (job) => loop.enqueue(keyOf(job)),
    onUpdate: (job) => loop.enqueue(keyOf(job)),
    onDelete(job) {
      for (const pod of ownedBy(podInformer, job.metadata.uid)) left.enqueue(keyOf(pod));
    },
  });
  const look = (pod: Stored<Pod>) => {
    if (informer.hasSynced && isLeft(pod)) left.enqueue(keyOf(pod));
  };
  podInformer.handle({ onAdd: look, onUpdate: look });
  void informer.synced.then(
    () => podInformer.list().forEach(look),
    () => {},
  );
  enqueueOwners(informer as never, podInformer as never as typeof podInformer & { kind: Kind<Pod> }, loop.enqueue);
}
