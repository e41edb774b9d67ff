/** Runs the plan of every daemon set. */
import { controllerRevisions } from '../../apis/apps/controllerRevision.ts';
import { daemonSets } from '../../apis/apps/daemonSet.ts';
import { nodes } from '../../apis/core/node.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, orphansIn, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { enqueueOwners } from '../ownedChanges.ts';
import { planDaemonSet } from './plan.ts';

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 15 * 60_000;

export function startDaemonSetController(context: ControllerContext): void {
  const informer = context.informers.of(daemonSets);
  const podInformer = context.informers.of(pods);
  const nodeInformer = context.informers.of(nodes);
  const revisions = context.informers.of(controllerRevisions);
  indexByController(podInformer);
  indexByController(revisions);
  const failures = new FailedPods();
  const loop = startLoop({
    name: 'daemon-set-controller',
    context,
    reads: [informer, podInformer, nodeInformer, revisions],
    plan(key) {
      const set = informer.byKey(key);
      if (set === undefined) return undefined;
      const { namespace, uid } = set.metadata;
      const now = context.clock.now();
      return planDaemonSet({
        set,
        nodes: nodeInformer.list(),
        owned: ownedBy(podInformer, uid),
        orphans: orphansIn(podInformer, namespace),
        revisions: ownedBy(revisions, uid),
        revisionNamed: (name) => revisions.get(namespace, name),
        failureBackoffMs: (node) => failures.waitMs(`${uid}/${node}`, now),
        now,
      });
    },
  });
  informer.handle({
    onAdd: (set) => loop.enqueue(keyOf(set)),
    onUpdate: (set) => loop.enqueue(keyOf(set)),
    onDelete: (set) => failures.forget(`${set.metadata.uid}/`),
  });
  enqueueOwners(informer, podInformer, loop.enqueue);
  const all = () => {
    for (const set of informer.list()) loop.enqueue(keyOf(set));
  };
  nodeInformer.handle({
    onAdd: all,
    onDelete: all,
    onUpdate(node, old) {
      const same =
        jsonEqual(node.metadata.labels, old.metadata.labels) && jsonEqual(node.spec?.taints, old.spec?.taints);
      if (!same) all();
    },
  });
}

/** A daemon that fails again and again is started anew less and less often. */
class FailedPods {
  readonly #waits = new Map<string, { ms: number; until: number }>();

  /** 0 where a pod that failed may be replaced now, which makes the next wait twice as long. */
  waitMs(key: string, now: number): number {
    const wait = this.#waits.get(key);
    if (wait !== undefined && now < wait.until) return wait.until - now;
    // Long after the last failure it begins anew.
    const fresh = wait === undefined || now - wait.until > 2 * LONGEST_BACKOFF_MS;
    const ms = fresh ? FIRST_BACKOFF_MS : Math.min(LONGEST_BACKOFF_MS, wait.ms * 2);
    this.#waits.set(key, { ms, until: now + ms });
    return 0;
  }

  forget(prefix: string): void {
    for (const key of this.#waits.keys()) if (key.startsWith(prefix)) this.#waits.delete(key);
  }
}
