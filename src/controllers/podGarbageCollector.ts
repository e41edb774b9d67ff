/**
 * Removes pods that nobody else will: those bound to a node that is gone, those that were to be deleted
 * before they got a node, and the oldest of too many that are finished.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
import { nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { keyOf } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { formatTime } from '../machinery/time.ts';
import type { Action } from './action.ts';
import type { ControllerContext } from './context.ts';
import { startLoop } from './loop.ts';
import { isFinished } from './podState.ts';

/** A node may only be registering anew. */
const QUARANTINE_MS = 40_000;
const MAX_FINISHED = 12_500;
const BY_NODE = 'node';
/** Not a pod's key: those have a slash. */
const FINISHED = 'finished';

export function startPodGarbageCollector(context: ControllerContext): void {
  const podInformer = context.informers.of(pods);
  const nodeInformer = context.informers.of(nodes);
  podInformer.addIndex(BY_NODE, (pod) => [pod.spec?.nodeName ?? '']);
  const { clock } = context;
  let finished = 0;
  /** when a pod was first seen to lack its node, by key */
  const missedSince = new Map<string, number>();

  const loop = startLoop({
    name: 'pod-garbage-collector',
    context,
    reads: [podInformer, nodeInformer],
    plan(key) {
      if (key === FINISHED) return { actions: surplus(podInformer.list()).map(removal) };
      const pod = podInformer.byKey(key);
      const node = pod?.spec?.nodeName ?? '';
      if (pod === undefined || (node !== '' && nodeInformer.get(undefined, node) !== undefined)) {
        missedSince.delete(key);
        return undefined;
      }
      if (node === '') return { actions: pod.metadata.deletionTimestamp === undefined ? [] : [removal(pod)] };
      const since = missedSince.get(key) ?? clock.monotonic();
      missedSince.set(key, since);
      const leftMs = since + QUARANTINE_MS - clock.monotonic();
      if (leftMs > 0) return { actions: [], againMs: leftMs };
      return { actions: [...failing(pod, clock.now()), removal(pod)] };
    },
  });

  const needsLook = (pod: Stored<Pod>) => {
    const node = pod.spec?.nodeName ?? '';
    if (node === '') return pod.metadata.deletionTimestamp !== undefined;
    return nodeInformer.hasSynced && nodeInformer.get(undefined, node) === undefined;
  };
  const count = (change: number) => {
    finished += change;
    if (change > 0 && finished > MAX_FINISHED) loop.enqueue(FINISHED);
  };
  podInformer.handle({
    onAdd(pod) {
      if (isFinished(pod)) count(1);
      if (needsLook(pod)) loop.enqueue(keyOf(pod));
    },
    onUpdate(pod, old) {
      if (isFinished(pod) !== isFinished(old)) count(isFinished(pod) ? 1 : -1);
      if (needsLook(pod)) loop.enqueue(keyOf(pod));
    },
    onDelete(pod) {
      if (isFinished(pod)) count(-1);
      missedSince.delete(keyOf(pod));
    },
  });
  nodeInformer.handle({
    onDelete(node) {
      for (const pod of podInformer.byIndex(BY_NODE, node.metadata.name)) loop.enqueue(keyOf(pod));
    },
  });
  // Nodes may have gone while nobody looked.
  Promise.all([podInformer.synced, nodeInformer.synced]).then(
    () => {
      for (const pod of podInformer.list()) if (needsLook(pod)) loop.enqueue(keyOf(pod));
    },
    () => {
      // Stopped before there was anything to look at.
    },
  );
}

function removal(pod: Stored<Pod>): Action {
  return { verb: 'delete', kind: pods as Kind, object: pod, options: { gracePeriodSeconds: 0 } };
}

/** A pod whose node is gone has failed: whoever owns it must know before it goes. */
function failing(pod: Stored<Pod>, now: number): Action[] {
  if (isFinished(pod)) return [];
  const { name, namespace, uid } = pod.metadata;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: formatTime(now),
  };
  const patch = { metadata: { uid }, status: { phase: 'Failed', conditions: [condition] } };
  return [
    { verb: 'patch', kind: pods as Kind, ref: { name, namespace }, type: 'strategic', patch, subresource: 'status' },
  ];
}

/** The oldest of the finished pods beyond the number that is kept. */
function surplus(all: readonly Stored<Pod>[]): Stored<Pod>[] {
  const finished = all.filter(isFinished);
  const age = (pod: Stored<Pod>) => pod.metadata.creationTimestamp ?? '';
  finished.sort((a, b) => (age(a) < age(b) ? -1 : 1));
  return finished.slice(0, Math.max(0, finished.length - MAX_FINISHED));
}
