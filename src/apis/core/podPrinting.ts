/** How a pod looks in `kubectl get pods`. */
import { humanDuration, parseTime } from '../../machinery/time.ts';
import type { Container } from './container.ts';
import type { Pod } from './pod.ts';
import { isSidecar } from './podResources.ts';
import type { ContainerStatus, PodStatus } from './podStatus.ts';

interface Summary {
  text: string;
  ready: number;
  restarts: number;
  /** ms since the epoch; 0 where nothing was restarted */
  lastRestart: number;
}

/** `1/2`: containers that are ready, of all that run as long as the pod does. */
export function podReady(pod: Pod): string {
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar).length;
  return `${summarise(pod).ready}/${(pod.spec?.containers?.length ?? 0) + sidecars}`;
}

/** `3 (2m ago)` */
export function podRestarts(pod: Pod, now: number): string {
  const { restarts, lastRestart } = summarise(pod);
  return restarts > 0 && lastRestart > 0 ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : String(restarts);
}

/** The phase, or the more telling reason of a container or of the pod. */
export function podStatusText(pod: Pod): string {
  const { text } = summarise(pod);
  if (pod.metadata?.deletionTimestamp === undefined) return text;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' ? text : 'Terminating';
}

function summarise(pod: Pod): Summary {
  const status = pod.status ?? {};
  const summary: Summary = { text: status.reason || status.phase || '', ready: 0, restarts: 0, lastRestart: 0 };
  if (status.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')) {
    summary.text = 'SchedulingGated';
  }
  const initialising = addInitContainers(pod, status, summary);
  if (!initialising || holds(status, 'Initialized')) addContainers(pod, status, summary);
  return summary;
}

/** Counts the init containers up to the one that is at work; whether there is such a one. */
function addInitContainers(pod: Pod, status: PodStatus, summary: Summary): boolean {
  const containers = pod.spec?.initContainers ?? [];
  for (const [i, s] of (status.initContainerStatuses ?? []).entries()) {
    addRestarts(s, summary);
    const { terminated, waiting } = s.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecarNamed(containers, s.name) && s.started === true) {
      if (s.ready) summary.ready++;
      continue;
    }
    if (terminated !== undefined) summary.text = `Init:${endedText(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.text = `Init:${waiting.reason}`;
    else summary.text = `Init:${i}/${containers.length}`;
    return true;
  }
  return false;
}

function addContainers(pod: Pod, status: PodStatus, summary: Summary): void {
  // Once the containers run, restarts of init containers that have ended are history.
  summary.restarts = 0;
  summary.lastRestart = 0;
  for (const s of status.initContainerStatuses ?? []) {
    if (isSidecarNamed(pod.spec?.initContainers ?? [], s.name)) addRestarts(s, summary);
  }
  let running = false;
  const statuses = status.containerStatuses ?? [];
  for (let i = statuses.length - 1; i >= 0; i--) {
    // Within the list's bounds.
    const s = statuses[i] as ContainerStatus;
    addRestarts(s, summary);
    const { terminated, waiting } = s.state ?? {};
    if (waiting?.reason) summary.text = waiting.reason;
    else if (terminated !== undefined) summary.text = endedText(terminated);
    else if (s.ready && s.state?.running !== undefined) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.text === 'Completed' && running) summary.text = holds(status, 'Ready') ? 'Running' : 'NotReady';
}

function addRestarts(status: ContainerStatus, summary: Summary): void {
  summary.restarts += status.restartCount ?? 0;
  summary.lastRestart = Math.max(summary.lastRestart, parseTime(status.lastState?.terminated?.finishedAt) ?? 0);
}

/** `OOMKilled`, `Completed`, `ExitCode:2`, `Signal:9` */
function endedText(ended: { reason?: string; signal?: number; exitCode: number }): string {
  if (ended.reason) return ended.reason;
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;
}

const isSidecarNamed = (containers: readonly Container[], name: string) =>
  containers.some((container) => container.name === name && isSidecar(container));

const holds = (status: PodStatus, type: string) =>
  status.conditions?.some((c) => c.type === type && c.status === 'True') === true;
