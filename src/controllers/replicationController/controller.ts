/**
 * Runs replication controllers: they do what replica sets do, but select by equality only.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/
 */
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type ReplicationController, replicationControllers } from '../../apis/core/replicationController.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFromMap } from '../../machinery/labelSelector.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { statusUpdate } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { planReplicaSet } from '../replicaSet/plan.ts';

export function startReplicationControllerController(context: ControllerContext): void {
  const informer = context.informers.of(replicationControllers);
  const podInformer = context.informers.of(pods);
  indexByController(podInformer);
  const loop = startLoop({
    name: 'replication-controller',
    context,
    reads: [informer, podInformer],
    plan(key) {
      const controller = informer.byKey(key);
      if (controller === undefined) return undefined;
      const owned = ownedBy(podInformer, controller.metadata.uid);
      return planReplicaSet({
        kind: replicationControllers,
        set: asReplicaSet(controller),
        statusUpdate({ terminatingReplicas: _terminating, ...status }) {
          return statusUpdate(replicationControllers, { ...controller, status });
        },
        owned,
        orphans: orphansIn(podInformer, controller.metadata.namespace),
        related: owned,
        now: context.clock.now(),
      });
    },
  });
  informer.handle({
    onAdd: (controller) => loop.enqueue(keyOf(controller)),
    onUpdate: (controller) => loop.enqueue(keyOf(controller)),
  });
  const tell = (pod: Stored<Pod>) => {
    const owner = controllerOf(pod);
    const { namespace, labels } = pod.metadata;
    if (owner?.kind === replicationControllers.kind) loop.enqueue(refKey(namespace, owner.name));
    else if (owner === undefined) {
      for (const candidate of informer.list(namespace)) {
        if (matchesLabels(selectorFromMap(candidate.spec?.selector), labels)) loop.enqueue(keyOf(candidate));
      }
    }
  };
  podInformer.handle({
    onAdd: tell,
    onUpdate(pod, old) {
      tell(old);
      tell(pod);
    },
    onDelete: tell,
  });
}

/** What a replica set would be that says the same. The count of pods that end is no news of a controller's status. */
function asReplicaSet(controller: Stored<ReplicationController>): Stored<ReplicaSet> {
  const { spec, status, ...rest } = controller;
  return {
    ...rest,
    ...(spec === undefined ? {} : { spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } }),
    ...(status === undefined ? {} : { status }),
  };
}
