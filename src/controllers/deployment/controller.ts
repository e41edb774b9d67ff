/** Runs the plan of every deployment. */
import { deployments } from '../../apis/apps/deployment.ts';
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf, refKey } from '../../client/store.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { enqueueOwners } from '../ownedChanges.ts';
import { planDeployment } from './plan.ts';

export function startDeploymentController(context: ControllerContext): void {
  const informer = context.informers.of(deployments);
  const sets = context.informers.of(replicaSets);
  const podInformer = context.informers.of(pods);
  indexByController(sets);
  indexByController(podInformer);
  const loop = startLoop({
    name: 'deployment-controller',
    context,
    reads: [informer, sets, podInformer],
    plan(key) {
      const deployment = informer.byKey(key);
      if (deployment === undefined) return undefined;
      const { namespace, uid } = deployment.metadata;
      return planDeployment({
        deployment,
        owned: ownedBy(sets, uid),
        orphans: orphansIn(sets, namespace),
        podsOf: (set) => ownedBy(podInformer, set.metadata.uid),
        named: (name) => sets.get(namespace, name),
        now: context.clock.now(),
      });
    },
  });
  informer.handle({
    onAdd: (deployment) => loop.enqueue(keyOf(deployment)),
    onUpdate: (deployment) => loop.enqueue(keyOf(deployment)),
  });
  enqueueOwners(informer, sets, loop.enqueue);
  // A Recreate deployment waits for the last old pod to be gone.
  podInformer.handle({
    onDelete(pod) {
      const setReference = controllerOf(pod);
      if (setReference?.kind !== replicaSets.kind) return;
      const set = sets.get(pod.metadata.namespace, setReference.name);
      const reference = set === undefined ? undefined : controllerOf(set);
      if (reference?.kind !== deployments.kind) return;
      const key = refKey(pod.metadata.namespace, reference.name);
      if (informer.byKey(key)?.spec?.strategy?.type === 'Recreate') loop.enqueue(key);
    },
  });
}
