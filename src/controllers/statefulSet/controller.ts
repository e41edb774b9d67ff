/** Runs the plan of every stateful set. */
import { controllerRevisions } from '../../apis/apps/controllerRevision.ts';
import { statefulSets } from '../../apis/apps/statefulSet.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { enqueueOwners } from '../ownedChanges.ts';
import { planStatefulSet } from './plan.ts';

export function startStatefulSetController(context: ControllerContext): void {
  const informer = context.informers.of(statefulSets);
  const podInformer = context.informers.of(pods);
  const revisions = context.informers.of(controllerRevisions);
  const claims = context.informers.of(persistentVolumeClaims);
  indexByController(podInformer);
  indexByController(revisions);
  const loop = startLoop({
    name: 'statefulset-controller',
    context,
    reads: [informer, podInformer, revisions, claims],
    plan(key) {
      const set = informer.byKey(key);
      if (set === undefined) return undefined;
      const { namespace, uid } = set.metadata;
      return planStatefulSet({
        set,
        owned: ownedBy(podInformer, uid),
        orphans: orphansIn(podInformer, namespace),
        revisions: ownedBy(revisions, uid),
        revisionNamed: (name) => revisions.get(namespace, name),
        claim: (name) => claims.get(namespace, name),
        now: context.clock.now(),
      });
    },
  });
  informer.handle({
    onAdd: (set) => loop.enqueue(keyOf(set)),
    onUpdate: (set) => loop.enqueue(keyOf(set)),
  });
  enqueueOwners(informer, podInformer, loop.enqueue);
}
