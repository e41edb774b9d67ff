/**
 * Deletes pods from nodes with a NoExecute taint that they do not tolerate, or no longer.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
import { nodes, type Taint } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { tolerates } from '../apis/core/tolerations.ts';
import { keyOf } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { formatTime, parseTime } from '../machinery/time.ts';
import type { EventAction } from './action.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

const BY_NODE = 'node';

export function startTaintEvictionController(context: ControllerContext): void {
  const podInformer = context.informers.of(pods);
  const nodeInformer = context.informers.of(nodes);
  podInformer.addIndex(BY_NODE, (pod) => [pod.spec?.nodeName ?? '']);
  /** since when a pod has been tolerating for a time only, by key, where the taint does not say */
  const since = new Map<string, { readonly uid: string; readonly at: number }>();
  const taintsOn = (nodeName: string | undefined) =>
    noExecute(nodeInformer.get(undefined, nodeName ?? '')?.spec?.taints);
  const loop = startLoop({
    // Kubernetes runs this one as the node controller.
    name: 'node-controller',
    context,
    reads: [podInformer, nodeInformer],
    plan(key) {
      const pod = podInformer.byKey(key);
      const known = since.get(key);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) {
        since.delete(key);
        return undefined;
      }
      const now = context.clock.now();
      const begun = known?.uid === pod.metadata.uid ? known.at : now;
      const at = evictionTime(pod, taintsOn(pod.spec?.nodeName), begun);
      if (at === undefined) {
        since.delete(key);
        return known === undefined ? undefined : { actions: [eventOn(pod, 'Cancelling deletion of Pod')] };
      }
      since.set(key, { uid: pod.metadata.uid, at: begun });
      return at > now ? { actions: [], againMs: at - now } : evict(pod, now);
    },
  });
  podInformer.handle({
    onAdd(pod) {
      if (taintsOn(pod.spec?.nodeName).length > 0) loop.enqueue(keyOf(pod));
    },
    onUpdate(pod, old) {
      const moved = pod.spec?.nodeName !== old.spec?.nodeName || pod.spec?.tolerations !== old.spec?.tolerations;
      if (moved && taintsOn(pod.spec?.nodeName).length > 0) loop.enqueue(keyOf(pod));
    },
    onDelete: (pod) => since.delete(keyOf(pod)),
  });
  const tellPods = (name: string) => {
    for (const pod of podInformer.byIndex(BY_NODE, name)) loop.enqueue(keyOf(pod));
  };
  nodeInformer.handle({
    onAdd(node) {
      if (noExecute(node.spec?.taints).length > 0) tellPods(node.metadata.name);
    },
    onUpdate(node, old) {
      const same = (a: Taint, b: Taint | undefined) =>
        a.key === b?.key && a.value === b?.value && a.timeAdded === b?.timeAdded;
      const before = noExecute(old.spec?.taints);
      const taints = noExecute(node.spec?.taints);
      if (taints.length !== before.length || !taints.every((t, i) => same(t, before[i]))) tellPods(node.metadata.name);
    },
  });
}

const noExecute = (taints: readonly Taint[] | undefined) => (taints ?? []).filter((t) => t.effect === 'NoExecute');

/**
 * When the pod must go, in milliseconds since the epoch; undefined where it may stay.
 * @param begun when this was first found for the pod: a taint may not say when it was added
 */
export function evictionTime(pod: Pod, taints: readonly Taint[], begun: number): number | undefined {
  let earliest: number | undefined;
  // A pod that came later than the taint tolerates it from then on.
  const bound = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')?.lastTransitionTime;
  const came = parseTime(bound ?? pod.metadata?.creationTimestamp) ?? Number.NEGATIVE_INFINITY;
  for (const taint of taints) {
    const tolerating = (pod.spec?.tolerations ?? []).filter((t) => tolerates(t, taint));
    if (tolerating.length === 0) return begun;
    const limits = tolerating.map((t) => t.tolerationSeconds).filter((s) => s !== undefined);
    if (limits.length === 0) continue;
    const at = Math.max(parseTime(taint.timeAdded) ?? begun, came) + Math.max(0, Math.min(...limits)) * 1000;
    earliest = earliest === undefined ? at : Math.min(earliest, at);
  }
  return earliest;
}

function evict(pod: Stored<Pod>, now: number): Plan {
  const { name, namespace, uid, generation } = pod.metadata;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: formatTime(now),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  return {
    actions: [
      eventOn(pod, 'Marking for deletion Pod'),
      { verb: 'patch', kind: pods as Kind, ref: { name, namespace }, type: 'strategic', patch, subresource: 'status' },
      { verb: 'delete', kind: pods as Kind, object: pod },
    ],
  };
}

function eventOn(pod: Stored<Pod>, what: string): EventAction {
  const message = `${what} ${pod.metadata.namespace}/${pod.metadata.name}`;
  return { verb: 'event', regarding: pod, type: 'Normal', reason: 'TaintManagerEviction', message };
}
