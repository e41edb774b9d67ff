/**
 * The phase of a pod, from the states of its containers. Pure.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
import { isSidecar } from '../../apis/core/podResources.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import type { ContainerStatus } from '../../apis/core/podStatus.ts';
import { shouldRestart } from '../pods/plan.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** @param over nothing of the pod will be started again, whatever its restart policy */
export function podPhaseOf(
  spec: PodSpec,
  containers: readonly ContainerStatus[],
  inits: readonly ContainerStatus[],
  over: boolean,
): PodPhase {
  const initialisation = initPhase(spec, inits);
  if (initialisation === 'Failed') return 'Failed';
  // While one of them runs the pod is not over, whatever became of the others.
  let running = runningSidecars(spec, inits);
  let ended = 0;
  let succeeded = 0;
  let restarting = 0;
  let waiting = 0;
  for (const [i, status] of containers.entries()) {
    const exit = status.state?.terminated;
    const container = spec.containers[i];
    if (status.state?.running !== undefined) running++;
    else if (exit !== undefined) {
      ended++;
      if (exit.exitCode === 0) succeeded++;
      if (!over && container !== undefined && shouldRestart(spec, container, exit.exitCode)) restarting++;
    } else if (status.lastState?.terminated !== undefined) restarting++;
    else waiting++;
  }
  if (over && running === 0) return ended > 0 && ended === succeeded && waiting === 0 ? 'Succeeded' : 'Failed';
  const begun = containers.some((s) => s.state?.waiting === undefined || s.lastState?.terminated !== undefined);
  if (initialisation === 'Pending' && !begun) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0 || restarting > 0) return 'Running';
  if (ended === 0) return 'Pending';
  return ended === succeeded ? 'Succeeded' : 'Failed';
}

function runningSidecars({ initContainers = [] }: PodSpec, inits: readonly ContainerStatus[]): number {
  const sidecars = new Set(initContainers.filter(isSidecar).map((c) => c.name));
  return inits.filter((s) => sidecars.has(s.name) && s.state?.running !== undefined).length;
}

function initPhase(spec: PodSpec, inits: readonly ContainerStatus[]): 'Pending' | 'Failed' | 'Done' {
  for (const [i, status] of inits.entries()) {
    const container = spec.initContainers?.[i];
    if (container === undefined) continue;
    if (isSidecar(container)) {
      if (status.started !== true && status.lastState?.terminated === undefined) return 'Pending';
      continue;
    }
    const exit = status.state?.terminated;
    if (exit === undefined) return 'Pending';
    if (exit.exitCode !== 0) return shouldRestart(spec, container, exit.exitCode) ? 'Pending' : 'Failed';
  }
  return 'Done';
}
