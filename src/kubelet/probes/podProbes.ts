/** The probes of all containers that run on the node. */
import type { Container, Probe } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { EventRecorder } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { Machine } from '../machine/machine.ts';
import type { ProbeMetrics } from '../metrics/probeMetrics.ts';
import { containerReference } from '../pods/containerReference.ts';
import { containerIDOf } from '../pods/labels.ts';
import type { ObservedPod } from '../pods/observed.ts';
import { containerNamed } from '../pods/plan.ts';
import type { ActionTarget } from './actions.ts';
import { ContainerProbes, type EarlierVerdicts } from './prober.ts';

export interface PodProbesOptions {
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly events: EventRecorder;
  /** where containers on the host's network listen */
  readonly hostIP: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ProbeMetrics;
  /** A verdict on a container of this pod changed. */
  onChange(uid: string): void;
}

export class PodProbes {
  readonly #o: PodProbesOptions;
  /** by pod, then by container id */
  readonly #pods = new Map<string, Map<string, ContainerProbes>>();

  constructor(options: PodProbesOptions) {
    this.#o = options;
  }

  /** Probes what runs, and nothing else. */
  adjust(pod: Pod, observed: ObservedPod | undefined): void {
    const uid = pod.metadata?.uid ?? '';
    const probes = this.#pods.get(uid) ?? new Map<string, ContainerProbes>();
    const running = new Set<string>();
    const ip = observed?.sandboxes.find((s) => s.ready)?.ips[0];
    for (const run of observed?.containers ?? []) {
      if (run.state !== 'running') continue;
      running.add(run.id);
      const container = containerNamed(pod.spec ?? { containers: [] }, run.name);
      if (container === undefined || probes.has(run.id)) continue;
      const target = { containerId: run.id, container, podIP: ip ?? this.#o.hostIP };
      probes.set(run.id, this.#start(pod, target, (run.status.started_at ?? 0) / NS_PER_MS));
    }
    for (const [id, one] of probes) {
      if (running.has(id)) continue;
      one.stop();
      probes.delete(id);
    }
    if (probes.size > 0) this.#pods.set(uid, probes);
    else this.#pods.delete(uid);
  }

  #start(pod: Pod, target: ActionTarget, startedAt: number): ContainerProbes {
    const { runtime, machine, events, clock, random, onChange } = this.#o;
    const { container, containerId } = target;
    const say = (reason: string, message: string) =>
      events.event(containerReference(pod, container.name), 'Warning', reason, message);
    return new ContainerProbes(
      container,
      startedAt,
      async (probe, signal) => {
        const began = clock.monotonic();
        const result = await machine.perform(probe, target, (probe.timeoutSeconds ?? 1) * 1000, {
          runtime,
          clock,
          signal,
        });
        if (!signal.aborted) this.#count(pod, container, probe, result.ok, clock.monotonic() - began);
        return result;
      },
      {
        unhealthy: (type, message) => say('Unhealthy', `${capital(type)} probe failed: ${message}`),
        warned: (type, message) => say('ProbeWarning', `${capital(type)} probe warning: ${message}`),
        changed: () => onChange(pod.metadata?.uid ?? ''),
      },
      clock,
      random,
      earlierVerdicts(pod, containerId),
    );
  }

  #count({ metadata }: Pod, container: Container, probe: Probe, ok: boolean, ms: number): void {
    const { uid = '', namespace = '', name: pod = '' } = metadata ?? {};
    const type =
      probe === container.livenessProbe ? 'Liveness' : probe === container.readinessProbe ? 'Readiness' : 'Startup';
    this.#o.metrics.observe({ uid, namespace, pod, container: container.name, type }, ok, ms / 1000);
  }

  failure(uid: string, containerId: string): 'liveness' | 'startup' | undefined {
    return this.#pods.get(uid)?.get(containerId)?.failure;
  }

  started(uid: string, containerId: string): boolean {
    return this.#pods.get(uid)?.get(containerId)?.started ?? false;
  }

  ready(uid: string, containerId: string): boolean {
    return this.#pods.get(uid)?.get(containerId)?.ready ?? false;
  }

  /** The pod ends: nothing of it is to be restarted. */
  stopLiveness(uid: string): void {
    for (const one of this.#pods.get(uid)?.values() ?? []) one.stopLiveness();
  }

  stop(uid: string): void {
    for (const one of this.#pods.get(uid)?.values() ?? []) one.stop();
    this.#pods.delete(uid);
    this.#o.metrics.forget(uid);
  }

  stopAll(): void {
    for (const uid of [...this.#pods.keys()]) this.stop(uid);
  }
}

const NS_PER_MS = 1e6;

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** A container that the API knows as ready stays so until a probe says otherwise: a kubelet may start again. */
function earlierVerdicts(pod: Pod, containerId: string): EarlierVerdicts | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = [...containerStatuses, ...initContainerStatuses].find(
    (s) => s.containerID === containerIDOf(containerId),
  );
  return told === undefined ? undefined : { ready: told.ready, started: told.started === true };
}
