/** How a pod looks in `kubectl get pods`. */
import { humanDuration, parseTime } from '../../machinery/time.ts';
import type { Container } from './container.ts';
import type { Pod } from './pod.ts';
import type { ContainerStatus } from './podStatus.ts';

/** `1/2`: containers that are ready, of all; sidecars count. */
export function podReady(pod: Pod): string {
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar);
  const total = (pod.spec?.containers.length ?? 0) + sidecars.length;
  const ready = (pod.status?.containerStatuses ?? []).filter((s) => s.ready && s.state?.running).length;
  const readySidecars = sidecars.filter((c) =>
    pod.status?.initContainerStatuses?.some((s) => s.name === c.name && s.ready),
  ).length;
  return `${ready + readySidecars}/${total}`;
}

/** `3 (2m ago)` */
export function podRestarts(pod: Pod, now: number): string {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  let count = 0;
  let last = 0;
  for (const s of statuses) {
    count += s.restartCount ?? 0;
    last = Math.max(last, parseTime(s.lastState?.terminated?.finishedAt) ?? 0);
  }
  return count > 0 && last > 0 ? `${count} (${humanDuration(now - last)} ago)` : String(count);
}

/** The phase, or the more telling reason of a container or of the pod. */
export function podStatusText(pod: Pod): string {
  let reason = pod.status?.reason || pod.status?.phase || '';
  if (pod.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated'))
    reason = 'SchedulingGated';

  const initialising = initText(pod);
  if (initialising !== undefined) reason = initialising;
  else {
    let running = false;
    for (const s of [...(pod.status?.containerStatuses ?? [])].reverse()) {
      const why = stoppedText(s);
      if (why !== undefined) reason = why;
      else if (s.ready && s.state?.running) running = true;
    }
    if (reason === 'Completed' && running) reason = isReady(pod) ? 'Running' : 'NotReady';
  }
  if (pod.metadata?.deletionTimestamp === undefined) return reason;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' ? reason : 'Terminating';
}

/** `Init:0/2`, `Init:CrashLoopBackOff`; undefined once initialisation is over. */
function initText(pod: Pod): string | undefined {
  const containers = pod.spec?.initContainers ?? [];
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar(containers[i]) && status.started === true) continue;
    if (terminated !== undefined) {
      if (terminated.reason) return `Init:${terminated.reason}`;
      return terminated.signal ? `Init:Signal:${terminated.signal}` : `Init:ExitCode:${terminated.exitCode}`;
    }
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${i}/${containers.length}`;
  }
  return undefined;
}

function stoppedText(status: ContainerStatus): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (waiting?.reason) return waiting.reason;
  if (terminated === undefined) return undefined;
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

const isSidecar = (container: Container | undefined) => container?.restartPolicy === 'Always';

const isReady = (pod: Pod) => pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
