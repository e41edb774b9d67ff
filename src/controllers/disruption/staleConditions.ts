/**
 * Takes back the word that a pod is about to be disrupted, where nobody did it.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { statusUpdate } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { type Plan, startLoop } from '../loop.ts';
import { isActive } from '../podState.ts';

const TYPE = 'DisruptionTarget';
/** A kubelet may take its time to end a pod. */
const BY_KUBELET = 'TerminationByKubelet';
const STALE_MS = 2 * 60_000;

export function startStaleConditions(context: ControllerContext): void {
  const informer = context.informers.of(pods);
  const loop = startLoop({
    name: 'disruption-controller',
    context,
    reads: [informer],
    plan(key) {
      const pod = informer.byKey(key);
      return pod === undefined ? undefined : planStaleCondition(pod, context.clock.now());
    },
  });
  const look = (pod: Stored<Pod>) => {
    if (targetOf(pod) !== undefined) loop.enqueue(keyOf(pod));
  };
  informer.handle({ onAdd: look, onUpdate: look });
}

function targetOf(pod: Pod) {
  if (!isActive(pod)) return undefined;
  return pod.status?.conditions?.find((c) => c.type === TYPE && c.status === 'True' && c.reason !== BY_KUBELET);
}

export function planStaleCondition(pod: Stored<Pod>, now: number): Plan | undefined {
  const condition = targetOf(pod);
  if (condition === undefined) return undefined;
  const leftMs = (parseTime(condition.lastTransitionTime) ?? 0) + STALE_MS - now;
  if (leftMs > 0) return { actions: [], againMs: leftMs };
  const { generation } = pod.metadata;
  const taken = {
    type: TYPE,
    status: 'False',
    lastTransitionTime: formatTime(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const conditions = (pod.status?.conditions ?? []).map((c) => (c === condition ? taken : c));
  return { actions: [statusUpdate(pods, { ...pod, status: { ...pod.status, conditions } })] };
}
