/** Runs the plan of every replica set. */
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { statusUpdate } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { enqueueOwners } from '../ownedChanges.ts';
import { planReplicaSet } from './plan.ts';

export function startReplicaSetController(context: ControllerContext): void {
  const sets = context.informers.of(replicaSets);
  const podInformer = context.informers.of(pods);
  indexByController(sets);
  indexByController(podInformer);
  const loop = startLoop({
    name: 'replicaset-controller',
    context,
    reads: [sets, podInformer],
    plan(key) {
      const set = sets.byKey(key);
      if (set === undefined) return undefined;
      const owned = ownedBy(podInformer, set.metadata.uid);
      const owner = controllerOf(set);
      const siblings = owner === undefined ? [set] : ownedBy(sets, owner.uid);
      return planReplicaSet({
        kind: replicaSets,
        set,
        statusUpdate: (status) => statusUpdate(replicaSets, { ...set, status }),
        owned,
        orphans: orphansIn(podInformer, set.metadata.namespace),
        related: siblings.length === 1 ? owned : siblings.flatMap((s) => ownedBy(podInformer, s.metadata.uid)),
        now: context.clock.now(),
      });
    },
  });
  sets.handle({
    onAdd: (set) => loop.enqueue(keyOf(set)),
    onUpdate: (set) => loop.enqueue(keyOf(set)),
  });
  enqueueOwners(sets, podInformer, loop.enqueue);
}
