/**
 * The status of one container, from what the runtime has of it, what the plan says of it and what was
 * told before. Pure.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states
 */
import type { Container } from '../../apis/core/container.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  VolumeMountStatus,
} from '../../apis/core/podStatus.ts';
import { formatTime } from '../../machinery/time.ts';
import { containerIDOf } from '../pods/labels.ts';
import type { ObservedContainer } from '../pods/observed.ts';
import { LOST_EXIT_CODE, type Waiting } from '../pods/plan.ts';
import { resourcesWith } from '../pods/resize.ts';

export interface ContainerStatusInput {
  readonly container: Container;
  readonly init: boolean;
  /** runs of this container, newest first */
  readonly runs: readonly ObservedContainer[];
  readonly waiting: Waiting | undefined;
  /** what a container of the pod waits for before its first start */
  readonly first: string;
  /** what was told before */
  readonly before: ContainerStatus | undefined;
  /** Nothing of the pod runs, and nothing will. */
  readonly over: boolean;
  /** It was its turn to start, whether it did or not: what is not there of it is lost. */
  readonly due: boolean;
  /** Somebody ends the pod: it did not come to its end by itself. */
  readonly ending: boolean;
  /** what is mounted below a volume can be read only, too */
  readonly recursiveReadOnly?: boolean | undefined;
  ready(containerId: string): boolean;
  started(containerId: string): boolean;
  terminationMessage(run: ObservedContainer): string;
  /** What a running container has of cpu and memory, as `resourcesKey` says it; undefined: what it was granted. */
  applied(run: ObservedContainer): string | undefined;
}

const NS_PER_MS = 1e6;

export function containerStatusOf(input: ContainerStatusInput): ContainerStatus {
  const { container, init, before } = input;
  const [run, previous] = input.runs;
  const running = run?.state === 'running';
  const once = init && !isSidecar(container);
  const state = stateOf(input, run);
  const lastState = lastStateOf(input, run, previous, state);
  const done = once && run !== undefined && state.terminated?.exitCode === 0;
  const containerID = run === undefined ? before?.containerID : containerIDOf(run.id);
  return {
    name: container.name,
    state,
    lastState,
    ready: done || (running && !once && input.ready(run.id)),
    started: running && (once || input.started(run.id)),
    restartCount: run?.restarts ?? before?.restartCount ?? 0,
    image:
      run?.status.image?.user_specified_image || run?.status.image?.image || before?.image || container.image || '',
    imageID: run?.status.image_ref ?? before?.imageID ?? '',
    ...(containerID === undefined ? {} : { containerID }),
    ...mountsOf(container, input.recursiveReadOnly === true),
    ...(run === undefined ? keptOf(before) : { ...resourcesOf(input, run), ...userOf(run) }),
  };
}

/** What stays told of a container that ended and that the runtime has no more. */
function keptOf(before: ContainerStatus | undefined): Partial<ContainerStatus> {
  if (before?.state?.terminated === undefined) return {};
  const { allocatedResources, resources, user } = before;
  return {
    ...(allocatedResources === undefined ? {} : { allocatedResources }),
    ...(resources === undefined ? {} : { resources }),
    ...(user === undefined ? {} : { user }),
  };
}

/** What it was granted, and what it has of it: one that does not run has what it will run with. */
function resourcesOf(
  { container, applied }: ContainerStatusInput,
  run: ObservedContainer,
): Pick<ContainerStatus, 'allocatedResources' | 'resources'> {
  const { requests, limits } = container.resources ?? {};
  const has = run.state === 'running' ? applied(run) : undefined;
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources:
      has === undefined
        ? { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) }
        : resourcesWith(container, has),
  };
}

/** As whom it runs, where the runtime tells that. */
function userOf(run: ObservedContainer): Pick<ContainerStatus, 'user'> {
  const user = run.status.user?.linux;
  if (user === undefined) return {};
  const { uid = 0, gid = 0, supplemental_groups: groups = [] } = user;
  return { user: { linux: { uid, gid, ...(groups.length === 0 ? {} : { supplementalGroups: [...groups] }) } } };
}

function stateOf(input: ContainerStatusInput, run: ObservedContainer | undefined): ContainerState {
  const { waiting, before, over, ending } = input;
  if (run?.state === 'running') return { running: { startedAt: timeOf(run.status.started_at) } };
  if (run?.state === 'exited' && (waiting === undefined || over)) return { terminated: terminated(input, run) };
  if (waiting !== undefined && !over) return waitingFor(waiting.reason, waiting.message);
  // The runtime has nothing of it, or has not started it, and nothing is planned.
  if (before?.state?.terminated !== undefined) return before.state;
  if (before?.containerID !== undefined || (over && ending && input.due)) return { terminated: lost(over) };
  if (over && before?.state?.waiting !== undefined) return before.state;
  return waitingFor(input.first, '');
}

function waitingFor(reason: string, message: string): ContainerState {
  return { waiting: { reason, ...(message === '' ? {} : { message }) } };
}

function lost(over: boolean): ContainerStateTerminated {
  return {
    exitCode: LOST_EXIT_CODE,
    reason: 'ContainerStatusUnknown',
    message: over
      ? 'The container could not be located when the pod was terminated'
      : 'The container could not be located when the pod was deleted.  The container used to be Running',
  };
}

/** How the run before the present one ended. */
function lastStateOf(
  input: ContainerStatusInput,
  run: ObservedContainer | undefined,
  previous: ObservedContainer | undefined,
  state: ContainerState,
): ContainerState {
  if (run?.state === 'exited' && state.terminated === undefined) return { terminated: terminated(input, run) };
  if (previous?.state === 'exited') return { terminated: terminated(input, previous) };
  if (run === undefined && state.terminated === undefined && input.before?.state?.terminated !== undefined)
    return { terminated: input.before.state.terminated };
  return input.before?.lastState ?? {};
}

function terminated(input: ContainerStatusInput, run: ObservedContainer): ContainerStateTerminated {
  const { exit_code = 0, reason = '', message = '', started_at, finished_at } = run.status;
  const said = input.terminationMessage(run) || message;
  return {
    exitCode: exit_code,
    reason: reason !== '' ? reason : exit_code === 0 ? 'Completed' : 'Error',
    ...(said === '' ? {} : { message: said }),
    startedAt: timeOf(started_at),
    finishedAt: timeOf(finished_at),
    containerID: containerIDOf(run.id),
  };
}

function mountsOf(container: Container, possible: boolean): { volumeMounts?: VolumeMountStatus[] } {
  const mounts = container.volumeMounts ?? [];
  if (mounts.length === 0) return {};
  return {
    volumeMounts: mounts.map(({ name, mountPath, readOnly, recursiveReadOnly: recursive }) => ({
      name,
      mountPath,
      ...(readOnly === true
        ? { readOnly, recursiveReadOnly: isRecursive(recursive, possible) ? 'Enabled' : 'Disabled' }
        : {}),
    })),
  };
}

function isRecursive(wish: string | undefined, possible: boolean): boolean {
  return wish === 'Enabled' || (wish === 'IfPossible' && possible);
}

function timeOf(ns: number | undefined): string {
  // The runtime gives a time before the epoch for what never happened.
  return formatTime(Math.max(0, (ns ?? 0) / NS_PER_MS));
}
