/**
 * What is to be done for a pod, from its spec, what the runtime has of it, and the time. Pure: all of
 * the kubelet's decisions about containers are here.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { containerHash } from './labels.ts';
import { latestRun, type ObservedContainer, type ObservedPod, type ObservedSandbox } from './observed.ts';

export type Action =
  | { readonly action: 'createSandbox'; readonly attempt: number }
  | {
      readonly action: 'startContainer';
      readonly container: Container;
      readonly init: boolean;
      readonly restarts: number;
    }
  | {
      readonly action: 'killContainer';
      readonly id: string;
      readonly container: Container | undefined;
      readonly reason: KillReason;
      readonly message: string;
      /** overrides the pod's own, in seconds */
      readonly grace?: number;
    }
  | { readonly action: 'removeContainer'; readonly id: string }
  /** Stops every sandbox that is not the one to keep. */
  | { readonly action: 'stopSandbox'; readonly id: string };

export type KillReason = 'Unhealthy' | 'SpecChanged' | 'PodDeleted' | 'Finished' | 'DeadlineExceeded';

/** Why a container does not run, as its status says it. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly observed: ObservedPod | undefined;
  /** ms since the epoch */
  readonly now: number;
  /** Until when a container waits before its next start, in ms; undefined: it need not. */
  backoffUntil(container: string, lastFinishedAt: number): number | undefined;
  /** The liveness or startup probe of this run of the container failed. */
  failedProbe(containerId: string): string | undefined;
  /** Whether the startup probe of a sidecar has succeeded (or it has none). */
  started(containerId: string): boolean;
}

export interface Plan {
  readonly actions: readonly Action[];
  /** by container */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** when to look again though nothing happens, in ms since the epoch */
  readonly lookAgainAt?: number;
  /** All containers have ended for good: the pod is Succeeded or Failed. */
  readonly finished: boolean;
}

const NOTHING: Plan = { actions: [], waiting: new Map(), finished: false };
/** Dead containers that are kept of each name beside the newest: for `logs --previous`. */
const KEPT_DEAD = 1;

/** The plan for a pod that is to run. */
export function planPod(input: PlanInput): Plan {
  const { pod, observed, now } = input;
  const spec = pod.spec ?? { containers: [] };
  const sandbox = observed?.sandboxes.find((s) => s.ready);
  const initDone = initialised(spec, observed);
  if (isFinished(spec, observed)) return { ...NOTHING, actions: winddown(observed), finished: true };
  const deadline = deadlineOf(pod);
  if (deadline !== undefined && now >= deadline)
    return { ...NOTHING, actions: killAll(spec, observed, 'DeadlineExceeded'), finished: true };

  if (sandbox === undefined) return withoutSandbox(input, spec, initDone, deadline);
  const plan = new Planner(input, spec, sandbox, deadline);
  plan.dropOldSandboxes();
  plan.dropDeadContainers();
  if (plan.init()) plan.main();
  return plan.result();
}

/** The plan for a pod that is to end: everything goes, gracefully. */
export function planTermination(pod: Pod, observed: ObservedPod | undefined, grace: number): readonly Action[] {
  const spec = pod.spec ?? { containers: [] };
  return killAll(spec, observed, 'PodDeleted', grace);
}

function killAll(spec: PodSpec, observed: ObservedPod | undefined, reason: KillReason, grace?: number): Action[] {
  const running = (observed?.containers ?? []).filter((c) => c.state === 'running' || c.state === 'created');
  if (running.length === 0) return winddown(observed);
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map((c) => c.name));
  // Sidecars outlive the containers that they serve.
  const main = running.filter((c) => !sidecars.has(c.name));
  return (main.length > 0 ? main : running).map((c) => ({
    action: 'killContainer',
    id: c.id,
    container: containerNamed(spec, c.name),
    reason,
    message: `Stopping container ${c.name}`,
    ...(grace === undefined ? {} : { grace }),
  }));
}

/** Nothing runs any more: the sandboxes go. */
function winddown(observed: ObservedPod | undefined): Action[] {
  return (observed?.sandboxes ?? []).filter((s) => s.ready).map((s) => ({ action: 'stopSandbox', id: s.id }));
}

function withoutSandbox(input: PlanInput, spec: PodSpec, initDone: boolean, deadline: number | undefined): Plan {
  const { observed } = input;
  const attempt = (observed?.sandboxes[0]?.attempt ?? -1) + 1;
  // With a sandbox that died, what ran in it is dead: it starts anew where the policy says so.
  const running = (observed?.containers ?? []).filter((c) => c.state === 'running');
  const actions: Action[] = running.map((c) => ({
    action: 'killContainer',
    id: c.id,
    container: containerNamed(spec, c.name),
    reason: 'SpecChanged',
    message: 'Pod sandbox changed, it will be killed and re-created.',
  }));
  actions.push({ action: 'createSandbox', attempt });
  const reason = (spec.initContainers ?? []).length > 0 && !initDone ? 'PodInitializing' : 'ContainerCreating';
  const waiting = new Map<string, Waiting>();
  for (const c of [...(spec.initContainers ?? []), ...spec.containers]) {
    const isMain = spec.containers.includes(c);
    if (latestRun(observed, c.name) === undefined)
      waiting.set(c.name, { reason: isMain ? reason : 'PodInitializing', message: '' });
  }
  return { actions, waiting, finished: false, ...(deadline === undefined ? {} : { lookAgainAt: deadline }) };
}

class Planner {
  readonly #input: PlanInput;
  readonly #spec: PodSpec;
  readonly #sandbox: ObservedSandbox;
  readonly #actions: Action[] = [];
  readonly #waiting = new Map<string, Waiting>();
  #lookAgainAt: number | undefined;

  constructor(input: PlanInput, spec: PodSpec, sandbox: ObservedSandbox, deadline: number | undefined) {
    this.#input = input;
    this.#spec = spec;
    this.#sandbox = sandbox;
    this.#lookAgainAt = deadline;
  }

  dropOldSandboxes(): void {
    for (const s of this.#input.observed?.sandboxes ?? []) {
      if (s.id !== this.#sandbox.id && s.ready) this.#actions.push({ action: 'stopSandbox', id: s.id });
    }
  }

  dropDeadContainers(): void {
    const seen = new Map<string, number>();
    for (const c of this.#input.observed?.containers ?? []) {
      const count = seen.get(c.name) ?? 0;
      seen.set(c.name, count + 1);
      if (count > KEPT_DEAD && c.state === 'exited') this.#actions.push({ action: 'removeContainer', id: c.id });
    }
  }

  /** One init container after the other; true once the main containers may start. */
  init(): boolean {
    const containers = this.#spec.initContainers ?? [];
    // Once a main container has started, initialisation is over for this sandbox.
    const over = this.#spec.containers.some((c) => this.#runIn(c.name) !== undefined);
    for (const container of containers) {
      const run = this.#runIn(container.name);
      if (isSidecar(container)) {
        this.#keepRunning(container, run, true);
        if (over) continue;
        if (run?.state !== 'running' || !this.#input.started(run.id)) return this.#holdMain();
        continue;
      }
      if (over) continue;
      if (run?.state === 'exited' && (run.status.exit_code ?? 0) === 0) continue;
      if (run?.state === 'running') return this.#holdMain();
      if (run?.state === 'exited' && this.#spec.restartPolicy === 'Never') return false;
      this.#start(container, run, true);
      return this.#holdMain();
    }
    return true;
  }

  #holdMain(): false {
    for (const c of this.#spec.containers) {
      if (latestRun(this.#input.observed, c.name) === undefined)
        this.#waiting.set(c.name, { reason: 'PodInitializing', message: '' });
    }
    return false;
  }

  main(): void {
    for (const container of this.#spec.containers) this.#keepRunning(container, this.#runIn(container.name), false);
  }

  #keepRunning(container: Container, run: ObservedContainer | undefined, sidecar: boolean): void {
    if (run === undefined) {
      this.#start(container, undefined, sidecar);
      return;
    }
    if (run.state === 'running') {
      const failure = this.#input.failedProbe(run.id);
      if (failure !== undefined) this.#kill(run, container, 'Unhealthy', failure);
      else if (run.hash !== containerHash(container)) {
        this.#kill(run, container, 'SpecChanged', `Container ${container.name} definition changed, will be restarted`);
      }
      return;
    }
    if (run.state === 'created') {
      // Made by a kubelet that died before it could start it.
      this.#actions.push({ action: 'removeContainer', id: run.id });
      this.#start(container, run, sidecar);
      return;
    }
    if (
      sidecar ||
      shouldRestart(this.#spec, container, run.status.exit_code ?? 0) ||
      run.hash !== containerHash(container)
    ) {
      this.#start(container, run, sidecar);
    }
  }

  #kill(run: ObservedContainer, container: Container, reason: KillReason, message: string): void {
    this.#actions.push({ action: 'killContainer', id: run.id, container, reason, message });
  }

  #start(container: Container, last: ObservedContainer | undefined, init: boolean): void {
    const any = last ?? latestRun(this.#input.observed, container.name);
    if (any?.state === 'exited') {
      const finishedAt = (any.status.finished_at ?? 0) / 1e6;
      const until = this.#input.backoffUntil(container.name, finishedAt);
      if (until !== undefined && until > this.#input.now) {
        this.#lookAgainAt = Math.min(this.#lookAgainAt ?? until, until);
        const seconds = backoffText(until - finishedAt);
        const pod = this.#input.pod.metadata;
        const message = `back-off ${seconds} restarting failed container=${container.name} pod=${pod?.name}_${pod?.namespace}(${pod?.uid})`;
        this.#waiting.set(container.name, { reason: 'CrashLoopBackOff', message });
        return;
      }
    }
    this.#waiting.set(container.name, { reason: init ? 'PodInitializing' : 'ContainerCreating', message: '' });
    this.#actions.push({
      action: 'startContainer',
      container,
      init,
      restarts: any === undefined ? 0 : any.restarts + 1,
    });
  }

  /** The newest run within the present sandbox. */
  #runIn(name: string): ObservedContainer | undefined {
    const run = latestRun(this.#input.observed, name);
    return run?.sandboxId === this.#sandbox.id ? run : undefined;
  }

  result(): Plan {
    const again = this.#lookAgainAt;
    return {
      actions: this.#actions,
      waiting: this.#waiting,
      finished: false,
      ...(again === undefined ? {} : { lookAgainAt: again }),
    };
  }
}

/** `10s`, `1m20s`, as Go writes durations. */
function backoffText(ms: number): string {
  const s = Math.round(ms / 1000);
  return s < 60 ? `${s}s` : `${Math.floor(s / 60)}m${s % 60}s`;
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Whether a container that ended is to run again. */
export function shouldRestart(spec: PodSpec, container: Container, exitCode: number): boolean {
  switch (container.restartPolicy ?? spec.restartPolicy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return true;
  }
}

function initialised(spec: PodSpec, observed: ObservedPod | undefined): boolean {
  return (spec.initContainers ?? []).every((c) => {
    const run = latestRun(observed, c.name);
    return run !== undefined && (isSidecar(c) || (run.state === 'exited' && (run.status.exit_code ?? 0) === 0));
  });
}

/** Whether everything ended and nothing is to be started again. */
function isFinished(spec: PodSpec, observed: ObservedPod | undefined): boolean {
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) continue;
    const run = latestRun(observed, container.name);
    if (run?.state === 'exited' && (run.status.exit_code ?? 0) !== 0 && spec.restartPolicy === 'Never') return true;
  }
  return spec.containers.every((container) => {
    const run = latestRun(observed, container.name);
    return run?.state === 'exited' && !shouldRestart(spec, container, run.status.exit_code ?? 0);
  });
}

function deadlineOf(pod: Pod): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000;
}

export function containerNamed(spec: PodSpec, name: string): Container | undefined {
  return [...spec.containers, ...(spec.initContainers ?? [])].find((c) => c.name === name);
}
