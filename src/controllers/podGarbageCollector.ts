/**
 * Removes pods that nobody else will: those bound to a node that is gone, those on their way out on a node that is
 * out of service, those that were to be deleted before they got a node, and the oldest of too many that are finished.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
import { type Node, nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import type { PodCondition } from '../apis/core/podStatus.ts';
import type { Client } from '../client/client.ts';
import { keyOf } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { formatTime } from '../machinery/time.ts';
import type { Action, WorkAction } from './action.ts';
import type { ControllerContext } from './context.ts';
import { startLoop } from './loop.ts';
import { isFinished } from './podState.ts';

const NAME = 'pod-garbage-collector';
/** A node may only be registering anew. */
const QUARANTINE_MS = 40_000;
const MAX_FINISHED = 12_500;
/** Somebody made sure that nothing runs on the node any more, e.g. by taking its power away. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const BY_NODE = 'node';
/** Not a pod's key: those have a slash. */
const FINISHED = 'finished';

export function startPodGarbageCollector(context: ControllerContext): void {
  const podInformer = context.informers.of(pods);
  const nodeInformer = context.informers.of(nodes);
  podInformer.addIndex(BY_NODE, (pod) => [pod.spec?.nodeName ?? '']);
  const { clock } = context;
  const client = context.clientFor(NAME);
  let finished = 0;
  /** when a pod was first seen to lack its node, by key */
  const missedSince = new Map<string, number>();

  const loop = startLoop({
    name: NAME,
    context,
    reads: [podInformer, nodeInformer],
    plan(key) {
      if (key === FINISHED) return { actions: surplus(podInformer.list()).map(removal) };
      const pod = podInformer.byKey(key);
      const node = pod?.spec?.nodeName ?? '';
      const found = nodeInformer.get(undefined, node);
      if (pod === undefined || found !== undefined) missedSince.delete(key);
      if (pod === undefined) return undefined;
      const isGoing = pod.metadata.deletionTimestamp !== undefined;
      if (node === '' || found !== undefined) {
        const isLeft = isGoing && (node === '' || isOutOfService(found));
        return { actions: isLeft ? [...failing(pod, undefined), removal(pod)] : [] };
      }
      const since = missedSince.get(key) ?? clock.monotonic();
      missedSince.set(key, since);
      const leftMs = since + QUARANTINE_MS - clock.monotonic();
      if (leftMs > 0) return { actions: [], againMs: leftMs };
      const removing = [...failing(pod, orphaned(clock.now())), removal(pod)];
      return { actions: [unlessThere(client, node, removing)], againMs: QUARANTINE_MS };
    },
  });

  const needsLook = (pod: Stored<Pod>) => {
    const node = pod.spec?.nodeName ?? '';
    const isGoing = pod.metadata.deletionTimestamp !== undefined;
    if (node === '') return isGoing;
    if (!nodeInformer.hasSynced) return false;
    const found = nodeInformer.get(undefined, node);
    return found === undefined || (isGoing && isOutOfService(found));
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
    onUpdate(node, old) {
      if (!isOutOfService(node) || isOutOfService(old)) return;
      for (const pod of podInformer.byIndex(BY_NODE, node.metadata.name)) if (needsLook(pod)) loop.enqueue(keyOf(pod));
    },
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

/** What is done where the server itself says that the node is gone: what is known here may be old. */
export function unlessThere(client: Pick<Client, 'get'>, node: string, actions: readonly Action[]): WorkAction {
  return {
    verb: 'work',
    async run(signal) {
      try {
        await client.get(nodes, { name: node }, { signal });
        return [];
      } catch (error) {
        if (isApiError(error, 'NotFound')) return actions;
        throw error;
      }
    },
  };
}

function removal(pod: Stored<Pod>): Action {
  return { verb: 'delete', kind: pods as Kind, object: pod, options: { gracePeriodSeconds: 0 } };
}

/** Whether nothing can run on the node, and whoever looks after it says so. */
export function isOutOfService(node: Node | undefined): boolean {
  const ready = node?.status?.conditions?.find((c) => c.type === 'Ready')?.status === 'True';
  return !ready && node?.spec?.taints?.some((t) => t.key === OUT_OF_SERVICE) === true;
}

const orphaned = (now: number): PodCondition => ({
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
  lastTransitionTime: formatTime(now),
});

/** A pod that goes without a word of its kubelet has failed: whoever owns it must know before it goes. */
function failing(pod: Stored<Pod>, condition: PodCondition | undefined): Action[] {
  if (isFinished(pod)) return [];
  const { name, namespace, uid } = pod.metadata;
  const { generation } = pod.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = condition === undefined ? {} : { conditions: [{ ...condition, ...observed }] };
  const status = { phase: 'Failed', ...conditions };
  const patch = { metadata: { uid }, status };
  return [
    { verb: 'patch', kind: pods as Kind, ref: { name, namespace }, type: 'strategic', patch, subresource: 'status' },
  ];
}

/** The finished pods beyond the number that is kept: those that were evicted first, then the oldest. */
export function surplus(all: readonly Stored<Pod>[], kept = MAX_FINISHED): Stored<Pod>[] {
  const finished = all.filter(isFinished);
  const age = (pod: Stored<Pod>) => pod.metadata.creationTimestamp ?? '';
  const rank = (pod: Stored<Pod>) => (pod.status?.reason === 'Evicted' ? 0 : 1);
  finished.sort((a, b) => rank(a) - rank(b) || (age(a) < age(b) ? -1 : 1));
  return finished.slice(0, Math.max(0, finished.length - kept));
}
