/**
 * A pod's status, from its spec and what the runtime has of it. Pure.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { ContainerState, ContainerStatus, PodStatus } from '../../apis/core/podStatus.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { formatTime } from '../../machinery/time.ts';
import { latestRun, type ObservedContainer, type ObservedPod } from '../pods/observed.ts';
import { isOver, type Waiting, waitingReasonOf } from '../pods/plan.ts';
import { type PendingResize, resourcesKey } from '../pods/resize.ts';
import { containerStatusOf } from './containerStatus.ts';
import { podConditionsOf } from './podConditions.ts';
import { podPhaseOf } from './podPhase.ts';
import { podResourcesStatus } from './podResourcesStatus.ts';

export interface StatusInput {
  /** with the status that was told last */
  readonly pod: Pod;
  readonly observed: ObservedPod | undefined;
  /** by container */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** of the node, the first family first */
  readonly hostIPs: readonly string[];
  /** ms since the epoch */
  readonly now: number;
  /** Nothing of the pod is to be started again: it is being deleted, or ended for the reason in `failed`. */
  readonly ending: boolean;
  readonly failed?: Failure;
  /** what is mounted below a volume can be read only, too */
  readonly recursiveReadOnly?: boolean;
  ready(containerId: string): boolean;
  started(containerId: string): boolean;
  terminationMessage(run: ObservedContainer): string;
  /** What a running container has of cpu and memory, as `resourcesKey` says it. */
  applied(run: ObservedContainer): string | undefined;
  /** why the pod does not have the resources that it wishes for */
  readonly pendingResize?: PendingResize;
  /** why it cannot be given what was granted */
  readonly resizeFailure?: string;
}

/** Why the kubelet ended a pod. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  /** as the condition DisruptionTarget says it; absent: the pod ended for a reason of its own */
  readonly disruption?: string;
}

export function podStatusOf(input: StatusInput): PodStatus {
  const { pod, observed, hostIPs, now, failed } = input;
  const spec = pod.spec ?? { containers: [] };
  const old = pod.status ?? {};
  if (wasRefused(input)) return refusedStatus(input);
  const over = (input.ending || isOver(pod)) && !(observed?.containers ?? []).some((c) => c.state === 'running');
  const runsOf = ({ name }: Container) => (observed?.containers ?? []).filter((c) => c.name === name);
  const begun = (container: Container, before: readonly ContainerStatus[] | undefined) =>
    runsOf(container).length > 0 || hasBegun(before?.find((s) => s.name === container.name));
  const lastBegun = (spec.initContainers ?? []).findLastIndex((c) => begun(c, old.initContainerStatuses));
  const each = (
    containers: readonly Container[],
    before: readonly ContainerStatus[] | undefined,
    init: boolean,
    due: (i: number) => boolean,
  ) =>
    containers.map((container, i) =>
      containerStatusOf({
        ...input,
        container,
        init,
        over,
        due: due(i),
        first: waitingReasonOf(spec),
        runs: runsOf(container),
        waiting: input.waiting.get(container.name),
        before: before?.find((s) => s.name === container.name),
      }),
    );
  const initContainerStatuses = each(
    spec.initContainers ?? [],
    old.initContainerStatuses,
    true,
    (i) => i <= Math.max(0, lastBegun),
  );
  // Only where it was the main containers' turn can one of them be lost.
  const last = initContainerStatuses.at(-1);
  const initialized =
    last === undefined ||
    hasSucceeded(last.state) ||
    hasSucceeded(last.lastState) ||
    spec.containers.some((c) => begun(c, old.containerStatuses));
  const containerStatuses = each(spec.containers, old.containerStatuses, false, () => initialized);
  const ephemeral = spec.ephemeralContainers ?? [];
  const ephemeralContainerStatuses = each(ephemeral, old.ephemeralContainerStatuses, false, () => false);
  const computed = podPhaseOf(spec, containerStatuses, initContainerStatuses, over);
  const phase = isOver(pod) ? old.phase : failed !== undefined && over ? 'Failed' : computed;

  const sandbox = observed?.sandboxes.find((s) => s.ready);
  // A pod that is over keeps the address that it had.
  const ips = sandbox === undefined ? (old.podIPs ?? []).map((p) => p.ip) : podIPsOf(pod, sandbox.ips, hostIPs);
  const status: PodStatus = {
    ...old,
    phase,
    hostIP: hostIPs[0],
    hostIPs: hostIPs.map((ip) => ({ ip })),
    startTime: old.startTime ?? formatTime(now),
    qosClass: old.qosClass ?? qosClassOf(spec),
    ...podResourcesStatus(pod, input.resizeFailure !== undefined),
    containerStatuses,
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
    ...(ephemeralContainerStatuses.length === 0 ? {} : { ephemeralContainerStatuses }),
    ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    // While anything runs the phase is as it was, and so is the reason for it.
    ...(failed === undefined || !over ? {} : { reason: failed.reason, message: failed.message }),
  };
  const { pendingResize: pending, resizeFailure: failure } = input;
  const inProgress = failure !== undefined || isBeingResized(input);
  const resize = { pending, inProgress, failure, failed };
  status.conditions = podConditionsOf(pod, status, sandbox !== undefined && ips.length > 0, now, resize);
  return status;
}

const hasSucceeded = (state: ContainerState | undefined) => state?.terminated?.exitCode === 0;

/** Whether a container was started once, as far as its status tells. */
function hasBegun(status: ContainerStatus | undefined): boolean {
  if (status === undefined) return false;
  return status.state?.waiting === undefined || status.lastState?.terminated !== undefined;
}

/** Nothing was ever begun for the pod, and nothing will be. */
function wasRefused({ pod, observed, failed }: StatusInput): boolean {
  return (failed !== undefined || isOver(pod)) && observed === undefined && pod.status?.containerStatuses === undefined;
}

/** It has no containers to tell of: why it was refused is all that there is. */
function refusedStatus({ pod, failed, now }: StatusInput): PodStatus {
  const { generation } = pod.metadata ?? {};
  return {
    ...pod.status,
    phase: isOver(pod) ? pod.status?.phase : 'Failed',
    startTime: pod.status?.startTime ?? formatTime(now),
    qosClass: pod.status?.qosClass ?? qosClassOf(pod.spec ?? { containers: [] }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(failed === undefined ? {} : { reason: failed.reason, message: failed.message }),
  };
}

function isBeingResized({ pod, observed, applied }: StatusInput): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].some((container) => {
    const run = latestRun(observed, container.name);
    const has = run?.state === 'running' ? applied(run) : undefined;
    return has !== undefined && has !== resourcesKey(container);
  });
}

/** A pod on the host's network has the host's addresses. */
export function podIPsOf(pod: Pod, sandboxIPs: readonly string[], hostIPs: readonly string[]): readonly string[] {
  return pod.spec?.hostNetwork === true ? hostIPs : sandboxIPs;
}
