/**
 * The conditions of a pod that the kubelet answers for. Pure.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
import type { Pod } from '../../apis/core/pod.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import type { ContainerStatus, PodCondition, PodStatus } from '../../apis/core/podStatus.ts';
import { formatTime } from '../../machinery/time.ts';
import type { PendingResize } from '../pods/resize.ts';
import type { Failure } from './podStatus.ts';

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const YES: Verdict = { status: 'True' };
const no = (reason: string, message?: string): Verdict => ({
  status: 'False',
  reason,
  ...(message === undefined ? {} : { message }),
});

/** Types of conditions that the kubelet alone writes. */
const KUBELET_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
]);

/** Others say that a pod is to go, too. */
const DISRUPTION = 'DisruptionTarget';
export const BY_KUBELET = 'TerminationByKubelet';

/** Whether a condition is what the kubelet wrote; all others belong to somebody else. */
export function isOwnCondition({ type, reason }: PodCondition): boolean {
  return KUBELET_CONDITIONS.has(type) || (type === DISRUPTION && reason === BY_KUBELET);
}

/**
 * @param pod with the status told last: the times of conditions move only when their status does
 * @param status the new one, without conditions
 * @param sandboxed the pod has its sandbox and network
 * @param now ms since the epoch
 * @param resize what becomes of the wish for other resources, and why the kubelet ends the pod
 */
export function podConditionsOf(
  pod: Pod,
  status: PodStatus,
  sandboxed: boolean,
  now: number,
  resize: {
    readonly pending?: PendingResize | undefined;
    readonly inProgress?: boolean;
    readonly failure?: string | undefined;
    readonly failed?: Failure | undefined;
  } = {},
): PodCondition[] {
  const old = pod.status?.conditions ?? [];
  const containersReady = containersReadyOf(pod, status);
  const computed: [string, Verdict][] = [
    ['PodReadyToStartContainers', sandboxed ? YES : { status: 'False' }],
    ['Initialized', initializedOf(pod, status)],
    ['Ready', containersReady.status === 'True' ? gatesOf(pod) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', YES],
  ];
  if (resize.pending !== undefined) computed.push(['PodResizePending', { status: 'True', ...resize.pending }]);
  if (resize.inProgress === true) {
    const error = resize.failure === undefined ? {} : { reason: 'Error', message: resize.failure };
    computed.push(['PodResizeInProgress', { ...YES, ...error }]);
  }
  const { failed } = resize;
  if (failed?.disruption !== undefined)
    computed.push([DISRUPTION, { status: 'True', reason: failed.disruption, message: failed.message }]);
  const types = new Set(computed.map(([type]) => type));
  return [
    ...computed.map(([type, verdict]) => condition(type, verdict, old, now, pod.metadata?.generation)),
    ...old.filter((c) => !KUBELET_CONDITIONS.has(c.type) && !types.has(c.type)),
  ];
}

const list = (found: readonly string[]) => `[${found.join(' ')}]`;

function namesOf(statuses: readonly ContainerStatus[] | undefined, wrong: (s: ContainerStatus) => boolean): string[] {
  return (statuses ?? []).filter(wrong).map((s) => s.name);
}

function containersReadyOf(pod: Pod, status: PodStatus): Verdict {
  if (status.phase === 'Succeeded') return no('PodCompleted');
  if (status.phase === 'Failed') return no('PodFailed');
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar).map((c) => c.name);
  const statuses = [
    ...(status.initContainerStatuses ?? []).filter((s) => sidecars.includes(s.name)),
    ...(status.containerStatuses ?? []),
  ];
  const unready = namesOf(statuses, (s) => !s.ready);
  return unready.length === 0 ? YES : no('ContainersNotReady', `containers with unready status: ${list(unready)}`);
}

function initializedOf(pod: Pod, status: PodStatus): Verdict {
  if (status.phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map((c) => c.name));
  const begun = (status.containerStatuses ?? []).some((s) => s.containerID !== undefined);
  // Once the main containers have begun, a sidecar that starts again takes nothing back.
  const incomplete = namesOf(status.initContainerStatuses, (s) =>
    sidecars.has(s.name) ? !begun && s.started !== true : !s.ready,
  );
  return incomplete.length === 0
    ? YES
    : no('ContainersNotInitialized', `containers with incomplete status: ${list(incomplete)}`);
}

function gatesOf(pod: Pod): Verdict {
  const conditions = pod.status?.conditions ?? [];
  const faults: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = conditions.find((c) => c.type === conditionType);
    const name = JSON.stringify(conditionType);
    if (gate === undefined) faults.push(`corresponding condition of pod readiness gate ${name} does not exist.`);
    else if (gate.status !== 'True')
      faults.push(`the status of pod readiness gate ${name} is not "True", but ${gate.status}`);
  }
  return faults.length === 0 ? YES : no('ReadinessGatesNotReady', faults.join(', '));
}

function condition(
  type: string,
  verdict: Verdict,
  old: readonly PodCondition[],
  now: number,
  generation: number | undefined,
): PodCondition {
  const before = old.find((c) => c.type === type);
  const at = before?.status === verdict.status ? before.lastTransitionTime : undefined;
  return {
    type,
    ...verdict,
    lastTransitionTime: at ?? formatTime(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}
