/**
 * A pod's status, from its spec and what the runtime has of it. Pure.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase and #pod-conditions
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  PodCondition,
  PodStatus,
} from '../../apis/core/podStatus.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { formatTime } from '../../machinery/time.ts';
import { latestRun, type ObservedContainer, type ObservedPod } from './observed.ts';
import { isSidecar, shouldRestart, type Waiting } from './plan.ts';

export interface StatusInput {
  readonly pod: Pod;
  readonly observed: ObservedPod | undefined;
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly hostIP: string;
  readonly now: number;
  ready(containerId: string): boolean;
  started(containerId: string): boolean;
  terminationMessage(containerId: string): string;
  /** the pod is being ended by us for this reason */
  readonly failed?: { readonly reason: string; readonly message: string };
}

const NS_PER_MS = 1e6;

export function podStatusOf(input: StatusInput): PodStatus {
  const { pod, observed, hostIP, now } = input;
  const spec = pod.spec ?? { containers: [] };
  const old = pod.status ?? {};
  const containers = spec.containers.map((c) => containerStatus(input, c, old.containerStatuses));
  const inits = (spec.initContainers ?? []).map((c) => containerStatus(input, c, old.initContainerStatuses, true));
  const sandbox = observed?.sandboxes.find((s) => s.ready);
  const phase = input.failed !== undefined && !someRunning(containers) ? 'Failed' : phaseOf(spec, containers, inits);
  // A pod that is over keeps the address that it had.
  const ips =
    spec.hostNetwork === true && sandbox !== undefined
      ? [hostIP]
      : (sandbox?.ips ?? (old.podIPs ?? []).map((p) => p.ip));
  const status: PodStatus = {
    ...old,
    phase,
    hostIP,
    hostIPs: [{ ip: hostIP }],
    startTime: old.startTime ?? formatTime(now),
    qosClass: old.qosClass ?? qosClassOf(spec),
    containerStatuses: containers,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
  if (ips[0] !== undefined) {
    status.podIP = ips[0];
    status.podIPs = ips.map((ip) => ({ ip }));
  }
  if (input.failed !== undefined) Object.assign(status, input.failed);
  status.conditions = conditionsOf(input, spec, status, sandbox !== undefined && ips.length > 0);
  return status;
}

const someRunning = (statuses: readonly ContainerStatus[]) => statuses.some((s) => s.state?.running !== undefined);

function containerStatus(
  input: StatusInput,
  container: Container,
  old: readonly ContainerStatus[] | undefined,
  init = false,
): ContainerStatus {
  const run = latestRun(input.observed, container.name);
  const before = old?.find((s) => s.name === container.name);
  const waiting = input.waiting.get(container.name);
  const restarts = run?.restarts ?? before?.restartCount ?? 0;
  let state: ContainerState;
  let lastState: ContainerState = {};
  if (run === undefined) {
    state = {
      waiting: { reason: waiting?.reason ?? (init ? 'PodInitializing' : 'ContainerCreating'), ...messageOf(waiting) },
    };
    if (before?.state?.terminated !== undefined && waiting === undefined) state = before.state;
  } else if (run.state === 'running') {
    state = { running: { startedAt: timeOf(run.status.started_at) } };
    const previous = input.observed?.containers.find(
      (c) => c.name === container.name && c.id !== run.id && c.state === 'exited',
    );
    lastState = previous === undefined ? (before?.lastState ?? {}) : { terminated: terminated(input, previous) };
  } else if (run.state === 'exited') {
    const ended = terminated(input, run);
    // What will be started again waits; how it ended is its last state.
    if (waiting !== undefined) {
      state = { waiting: { reason: waiting.reason, ...messageOf(waiting) } };
      lastState = { terminated: ended };
    } else {
      state = { terminated: ended };
      lastState = before?.lastState ?? {};
    }
  } else {
    state = { waiting: { reason: waiting?.reason ?? 'ContainerCreating', ...messageOf(waiting) } };
    lastState = before?.lastState ?? {};
  }
  const running = run?.state === 'running';
  const started = running && input.started(run.id);
  const completedInit = init && !isSidecar(container) && run?.state === 'exited' && (run.status.exit_code ?? 0) === 0;
  return {
    name: container.name,
    state,
    lastState,
    ready: completedInit || (running && input.ready(run.id) && (!init || isSidecar(container))),
    started: init && !isSidecar(container) ? running : started,
    restartCount: restarts,
    image: run?.status.image?.user_specified_image || run?.status.image?.image || container.image || '',
    imageID: run?.status.image_ref ?? before?.imageID ?? '',
    ...(run === undefined ? {} : { containerID: `containerd://${run.id}` }),
  };
}

const messageOf = (waiting: Waiting | undefined) => (waiting?.message ? { message: waiting.message } : {});

function terminated(input: StatusInput, run: ObservedContainer): ContainerStateTerminated {
  const { exit_code = 0, reason = '', message = '', started_at, finished_at } = run.status;
  const said = input.terminationMessage(run.id) || message;
  return {
    exitCode: exit_code,
    reason: reason !== '' ? reason : exit_code === 0 ? 'Completed' : 'Error',
    ...(said === '' ? {} : { message: said }),
    startedAt: timeOf(started_at),
    finishedAt: timeOf(finished_at),
    containerID: `containerd://${run.id}`,
  };
}

function timeOf(ns: number | undefined): string {
  // The runtime gives a time before the epoch for what never happened.
  return formatTime(Math.max(0, (ns ?? 0) / NS_PER_MS));
}

function phaseOf(spec: PodSpec, containers: readonly ContainerStatus[], inits: readonly ContainerStatus[]): string {
  for (const [i, status] of inits.entries()) {
    const container = (spec.initContainers ?? [])[i];
    if (container === undefined || isSidecar(container)) continue;
    const ended = status.state?.terminated;
    if (ended === undefined) return 'Pending';
    if (ended.exitCode !== 0) return spec.restartPolicy === 'Never' ? 'Failed' : 'Pending';
  }
  let failed = 0;
  let succeeded = 0;
  let pending = 0;
  let active = 0;
  for (const [i, status] of containers.entries()) {
    const container = spec.containers[i] as Container;
    const ended = status.state?.terminated;
    if (status.state?.running !== undefined) active++;
    else if (ended !== undefined) {
      if (shouldRestart(spec, container, ended.exitCode)) active++;
      else if (ended.exitCode === 0) succeeded++;
      else failed++;
    } else if (status.lastState?.terminated !== undefined) active++;
    else pending++;
  }
  if (pending > 0) return 'Pending';
  if (active > 0) return 'Running';
  return failed > 0 ? 'Failed' : succeeded > 0 || containers.length === 0 ? 'Succeeded' : 'Pending';
}

function conditionsOf(input: StatusInput, spec: PodSpec, status: PodStatus, sandboxed: boolean): PodCondition[] {
  const { pod, now } = input;
  const old = pod.status?.conditions ?? [];
  const over = status.phase === 'Succeeded' || status.phase === 'Failed';
  const names = (list: readonly ContainerStatus[] | undefined, ok: (s: ContainerStatus) => boolean) =>
    (list ?? []).filter((s) => !ok(s)).map((s) => s.name);
  const uninitialised = names(status.initContainerStatuses, (s) => {
    const container = (spec.initContainers ?? []).find((c) => c.name === s.name);
    return container !== undefined && isSidecar(container) ? s.started === true : s.ready === true;
  });
  const sidecars = (status.initContainerStatuses ?? []).filter((s) =>
    spec.initContainers?.some((c) => c.name === s.name && isSidecar(c)),
  );
  const unready = names([...(status.containerStatuses ?? []), ...sidecars], (s) => s.ready === true);
  const gatesMissing = (spec.readinessGates ?? []).filter(
    (g) => !old.some((c) => c.type === g.conditionType && c.status === 'True'),
  );
  const list = (found: readonly string[]) => `[${found.join(' ')}]`;

  const containersReady: Verdict =
    status.phase === 'Succeeded'
      ? no('PodCompleted')
      : status.phase === 'Failed'
        ? no('PodFailed')
        : unready.length > 0
          ? no('ContainersNotReady', `containers with unready status: ${list(unready)}`)
          : YES;
  const ready: Verdict =
    containersReady.status === 'False' || gatesMissing.length === 0
      ? containersReady
      : no(
          'ReadinessGatesNotReady',
          gatesMissing
            .map(
              (g) =>
                `corresponding condition of pod readiness gate ${JSON.stringify(g.conditionType)} does not exist or is not True.`,
            )
            .join(', '),
        );
  const initialized: Verdict =
    uninitialised.length === 0 || (over && status.phase === 'Succeeded')
      ? status.phase === 'Succeeded'
        ? { status: 'True', reason: 'PodCompleted' }
        : YES
      : no('ContainersNotInitialized', `containers with incomplete status: ${list(uninitialised)}`);

  const computed: readonly [string, Verdict][] = [
    ['PodReadyToStartContainers', sandboxed ? YES : { status: 'False' }],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', YES],
  ];
  const types = new Set(computed.map(([type]) => type));
  return [
    ...computed.map(([type, verdict]) => condition(type, verdict, old, now, pod.metadata?.generation)),
    ...old.filter((c) => !types.has(c.type)),
  ];
}

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

/** The time of a condition moves only when its status does. */
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
