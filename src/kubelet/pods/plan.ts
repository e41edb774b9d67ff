/**
 * What is to be done for a pod, from its spec, what the runtime has of it, and the time. Pure: all of
 * the kubelet's decisions about containers are here.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { containerStatusesOf, containersOf } from '../../apis/core/podContainers.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import type { ContainerStatus } from '../../apis/core/podStatus.ts';
import { containerHash, logPath } from './labels.ts';
import { latestRun, type ObservedContainer, type ObservedPod, type ObservedSandbox } from './observed.ts';
import { resizeOf } from './resize.ts';

export type Action =
  | { readonly action: 'createSandbox'; readonly attempt: number }
  | {
      readonly action: 'startContainer';
      readonly container: Container;
      readonly restarts: number;
      /** the id of the container whose processes it is to see */
      readonly target?: string;
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
  /** A running container gets the resources that it is to have. `applied`: those that it has, as `resourcesKey` says. */
  | {
      readonly action: 'resizeContainer';
      readonly id: string;
      readonly container: Container;
      readonly applied?: string | undefined;
    }
  /** `log`: the file of its log, below the folder of the pod's logs, goes too. */
  | { readonly action: 'removeContainer'; readonly id: string; readonly log: string }
  /** Stops what still runs in a sandbox and gives its network back. */
  | { readonly action: 'stopSandbox'; readonly id: string }
  | { readonly action: 'removeSandbox'; readonly id: string };

export type KillReason =
  | 'Unhealthy'
  | 'SpecChanged'
  | 'Resized'
  | 'SandboxChanged'
  | 'PodDeleted'
  | 'Finished'
  | 'DeadlineExceeded';

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
  /** The kubelet ends the pod, for whatever reason. */
  readonly failed: boolean;
  /** how long its containers then have, in seconds; absent: what the pod says */
  readonly grace?: number | undefined;
  /** Until when a container waits before its next start, in ms; undefined: it need not. */
  backoffUntil(container: string, lastFinishedAt: number): number | undefined;
  /** Whether a container ended because it is to start anew with other resources: that is no failure. */
  resizedAway?(containerId: string): boolean;
  /** What a running container has of cpu and memory, as `resourcesKey` says it; undefined: that is not known. */
  applied(run: ObservedContainer): string | undefined;
  /** Which probe says that this run of the container must go. */
  failedProbe(containerId: string): 'liveness' | 'startup' | undefined;
  /** Whether the startup probe of a container has succeeded (or it has none). */
  started(containerId: string): boolean;
}

export interface Plan {
  readonly actions: readonly Action[];
  /** by container */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** when to look again though nothing happens, in ms since the epoch */
  readonly lookAgainAt?: number;
  /** All containers have ended for good, or are made to: the pod is Succeeded or Failed. */
  readonly finished: boolean;
  /** The pod ran longer than it may. */
  readonly pastDeadline?: true;
}

const NOTHING: Plan = { actions: [], waiting: new Map(), finished: false };
/** Dead containers that are kept of each name beside the newest: for `logs --previous`. */
const KEPT_DEAD = 1;
/** The exit code of a container of which nothing is left: as if it was killed. */
export const LOST_EXIT_CODE = 137;

/** The plan for a pod that is to run. */
export function planPod(input: PlanInput): Plan {
  const { pod, observed, now } = input;
  const spec = pod.spec ?? { containers: [] };
  const sandbox = observed?.sandboxes.find((s) => s.ready);
  // What is over is over: a pod that the API knows as ended is never started again.
  if (isOver(pod) || input.failed)
    return { ...NOTHING, actions: killAll(spec, observed, 'Finished', input.grace), finished: true };
  if (isFinished(pod, observed)) return { ...NOTHING, actions: killAll(spec, observed, 'Finished'), finished: true };
  const deadline = deadlineOf(pod);
  if (deadline !== undefined && now >= deadline)
    return { ...NOTHING, actions: killAll(spec, observed, 'DeadlineExceeded'), finished: true, pastDeadline: true };

  if (sandbox === undefined) return withoutSandbox(input, spec, deadline);
  const plan = new Planner(input, spec, sandbox, deadline);
  plan.dropDeadContainers();
  plan.dropSupersededRuns();
  plan.dropOldSandboxes();
  plan.ephemeral();
  if (plan.init()) plan.main();
  return plan.result();
}

/** The plan for a pod that is to end: everything goes, gracefully. */
export function planTermination(pod: Pod, observed: ObservedPod | undefined, grace: number): readonly Action[] {
  const spec = pod.spec ?? { containers: [] };
  return killAll(spec, observed, 'PodDeleted', grace);
}

function killAll(spec: PodSpec, observed: ObservedPod | undefined, reason: KillReason, grace?: number): Action[] {
  // What never started has nothing to end.
  const running = (observed?.containers ?? []).filter((c) => c.state === 'running');
  if (running.length === 0) return winddown(observed);
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).map((c) => c.name);
  // Sidecars outlive the containers that they serve, and the sidecars that were started after them.
  const main = running.filter((c) => !sidecars.includes(c.name));
  const last = sidecars.findLast((name) => running.some((c) => c.name === name));
  return (main.length > 0 ? main : running.filter((c) => c.name === last)).map((c) => ({
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

/** There is none yet, or it died, and with it what ran in it. */
function withoutSandbox(input: PlanInput, spec: PodSpec, deadline: number | undefined): Plan {
  const { pod, observed } = input;
  const [last] = observed?.sandboxes ?? [];
  const actions: Action[] = (observed?.containers ?? [])
    .filter((c) => c.state === 'running')
    .map((c) => ({
      action: 'killContainer',
      id: c.id,
      container: containerNamed(spec, c.name),
      reason: 'SandboxChanged',
      message: 'Pod sandbox changed, it will be killed and re-created.',
    }));
  // Its network is still taken.
  if (last !== undefined) actions.push({ action: 'stopSandbox', id: last.id });
  actions.push({ action: 'createSandbox', attempt: (last?.attempt ?? -1) + 1 });
  const waiting = new Map<string, Waiting>();
  for (const c of spec.initContainers ?? []) {
    if (latestRun(observed, c.name) === undefined) waiting.set(c.name, { reason: 'PodInitializing', message: '' });
  }
  const reason = waitingReasonOf(spec);
  for (const c of spec.containers) {
    const run = latestRun(observed, c.name);
    if (run === undefined ? mayRun(pod, c) : run.state !== 'exited' || restarts(spec, c, run))
      waiting.set(c.name, { reason, message: '' });
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

  /** Of sandboxes before the present one only what the dead containers that are kept need stays. */
  dropOldSandboxes(): void {
    const { observed } = this.#input;
    const dropped = new Set(this.#actions.flatMap((a) => (a.action === 'removeContainer' ? [a.id] : [])));
    for (const s of observed?.sandboxes ?? []) {
      if (s.id === this.#sandbox.id) continue;
      if (s.ready) this.#actions.push({ action: 'stopSandbox', id: s.id });
      else if (!observed?.containers.some((c) => c.sandboxId === s.id && !dropped.has(c.id)))
        this.#actions.push({ action: 'removeSandbox', id: s.id });
    }
  }

  dropDeadContainers(): void {
    const seen = new Map<string, number>();
    for (const c of this.#input.observed?.containers ?? []) {
      const count = seen.get(c.name) ?? 0;
      seen.set(c.name, count + 1);
      if (count > KEPT_DEAD && c.state === 'exited')
        this.#actions.push({ action: 'removeContainer', id: c.id, log: logPath(c.name, c.restarts) });
    }
  }

  /**
   * A start that outlived the kubelet which asked for it: meanwhile another run of the container was made. The newest
   * one is the container; nobody would ever end the others.
   */
  dropSupersededRuns(): void {
    const { observed } = this.#input;
    for (const c of observed?.containers ?? []) {
      if (c.state === 'exited' || latestRun(observed, c.name) === c) continue;
      this.#actions.push({ action: 'removeContainer', id: c.id, log: logPath(c.name, c.restarts) });
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
        this.#keepRunning(container, run);
        if (over) continue;
        if (run?.state !== 'running' || !this.#input.started(run.id)) return this.#holdMain();
        continue;
      }
      if (over || succeeded(run)) continue;
      if (run?.state !== 'running') {
        if (run?.state === 'exited' && !restarts(this.#spec, container, run)) return this.#holdMain();
        this.#clear(run);
        this.#start(container, run);
      }
      return this.#holdMain();
    }
    return true;
  }

  #holdMain(): false {
    for (const c of [...(this.#spec.initContainers ?? []), ...this.#spec.containers]) {
      if (this.#waiting.has(c.name) || this.#runIn(c.name) !== undefined) continue;
      this.#waiting.set(c.name, { reason: 'PodInitializing', message: '' });
    }
    return false;
  }

  main(): void {
    for (const container of this.#spec.containers) this.#keepRunning(container, this.#runIn(container.name));
  }

  /** Those that somebody added to look into the pod: each is started once, whatever the others do. */
  ephemeral(): void {
    const { pod, observed } = this.#input;
    for (const container of this.#spec.ephemeralContainers ?? []) {
      const run = latestRun(observed, container.name);
      if (run === undefined ? toldOf(pod, container.name)?.containerID !== undefined : run.state !== 'created')
        continue;
      const { targetContainerName: name } = container;
      const target = name === undefined ? undefined : this.#runIn(name);
      this.#waiting.set(container.name, { reason: waitingReasonOf(this.#spec), message: '' });
      // There are no processes to see yet.
      if (name !== undefined && target?.state !== 'running') continue;
      this.#clear(run);
      this.#actions.push({
        action: 'startContainer',
        container,
        restarts: 0,
        ...(target === undefined ? {} : { target: target.id }),
      });
    }
  }

  #keepRunning(container: Container, run: ObservedContainer | undefined): void {
    if (run === undefined) {
      // It ran in a sandbox that died, or ran before the runtime lost it.
      const before = latestRun(this.#input.observed, container.name);
      if (before === undefined ? mayRun(this.#input.pod, container) : restarts(this.#spec, container, before))
        this.#start(container, before);
      return;
    }
    switch (run.state) {
      case 'running': {
        const failure = this.#input.failedProbe(run.id);
        if (failure !== undefined) this.#killUnhealthy(run, container, failure);
        else if (run.hash !== containerHash(container)) {
          const message = `Container ${container.name} definition changed, will be restarted`;
          this.#kill(run, container, 'SpecChanged', message);
        } else this.#resize(run, container);
        return;
      }
      case 'exited':
        if (restarts(this.#spec, container, run)) this.#start(container, run);
        return;
      default:
        this.#clear(run);
        this.#start(container, run);
    }
  }

  #resize(run: ObservedContainer, container: Container): void {
    const applied = this.#input.applied(run);
    switch (resizeOf(container, applied)) {
      case 'update':
        this.#actions.push({ action: 'resizeContainer', id: run.id, container, applied });
        return;
      case 'restart':
        this.#kill(run, container, 'Resized', `Container ${container.name} resize requires restart`);
    }
  }

  /** Takes away a container that a kubelet made and did not live to start, or that the runtime cannot tell about. */
  #clear(run: ObservedContainer | undefined): void {
    if (run !== undefined && run.state !== 'exited')
      this.#actions.push({ action: 'removeContainer', id: run.id, log: logPath(run.name, run.restarts) });
  }

  #kill(run: ObservedContainer, container: Container, reason: KillReason, message: string, grace?: number): void {
    const own = grace === undefined ? {} : { grace };
    this.#actions.push({ action: 'killContainer', id: run.id, container, reason, message, ...own });
  }

  #killUnhealthy(run: ObservedContainer, container: Container, probe: 'liveness' | 'startup'): void {
    const grace = (probe === 'liveness' ? container.livenessProbe : container.startupProbe)
      ?.terminationGracePeriodSeconds;
    const message = `Container ${container.name} failed ${probe} probe, will be restarted`;
    this.#kill(run, container, 'Unhealthy', message, grace);
  }

  /** @param last the newest run of it, in whatever sandbox */
  #start(container: Container, last: ObservedContainer | undefined): void {
    const { pod, observed, now } = this.#input;
    const before = last ?? latestRun(observed, container.name);
    if (before?.state === 'exited' && this.#input.resizedAway?.(before.id) !== true) {
      const finishedAt = (before.status.finished_at ?? 0) / 1e6;
      const until = this.#input.backoffUntil(container.name, finishedAt);
      if (until !== undefined && until > now) {
        this.#lookAgainAt = Math.min(this.#lookAgainAt ?? until, until);
        const { name, namespace, uid } = pod.metadata ?? {};
        const message = `back-off ${backoffText(until - finishedAt)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
        this.#waiting.set(container.name, { reason: 'CrashLoopBackOff', message });
        return;
      }
    }
    this.#waiting.set(container.name, { reason: waitingReasonOf(this.#spec), message: '' });
    this.#actions.push({ action: 'startContainer', container, restarts: restartsOf(pod, container, before) });
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

/** Whether a container that ended is to run again. */
export function shouldRestart(spec: PodSpec, container: Container, exitCode: number): boolean {
  for (const { action, exitCodes } of container.restartPolicyRules ?? []) {
    if (action !== 'Restart' || exitCodes === undefined) continue;
    const listed = (exitCodes.values ?? []).includes(exitCode);
    if (exitCodes.operator === 'In' ? listed : exitCodes.operator === 'NotIn' && !listed) return true;
  }
  switch (container.restartPolicy ?? spec.restartPolicy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      // An init container runs until it succeeds.
      return exitCode !== 0 || spec.containers.includes(container) || isSidecar(container);
  }
}

function restarts(spec: PodSpec, container: Container, run: ObservedContainer): boolean {
  return shouldRestart(spec, container, run.status.exit_code ?? 0) || run.hash !== containerHash(container);
}

function succeeded(run: ObservedContainer | undefined): boolean {
  return run?.state === 'exited' && (run.status.exit_code ?? 0) === 0;
}

/** The restart count of the next run; it goes on from what the API knows where the runtime has forgotten. */
function restartsOf(pod: Pod, container: Container, before: ObservedContainer | undefined): number {
  // A container that never started is made again under its own number.
  if (before !== undefined) return before.state === 'created' ? before.restarts : before.restarts + 1;
  const told = toldOf(pod, container.name);
  return told?.containerID === undefined ? 0 : told.restartCount + 1;
}

function toldOf(pod: Pod, name: string): ContainerStatus | undefined {
  return containerStatusesOf(pod.status ?? {}).find((s) => s.name === name);
}

/** Whether a container that the runtime knows nothing of may start: not where it ran once and must not run again. */
function mayRun(pod: Pod, container: Container): boolean {
  const told = toldOf(pod, container.name);
  if (told?.containerID === undefined) return true;
  return shouldRestart(pod.spec ?? { containers: [] }, container, told.state?.terminated?.exitCode ?? LOST_EXIT_CODE);
}

/** What a container of the pod waits for before its first start. */
export function waitingReasonOf(spec: PodSpec): string {
  return (spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** Whether the API knows the pod as ended. */
export function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Whether everything ended and nothing is to be started again. */
function isFinished(pod: Pod, observed: ObservedPod | undefined): boolean {
  const spec = pod.spec ?? { containers: [] };
  const ended = (container: Container) => {
    const run = latestRun(observed, container.name);
    if (run === undefined) return !mayRun(pod, container);
    return run.state === 'exited' && !restarts(spec, container, run);
  };
  for (const container of spec.initContainers ?? []) {
    const run = latestRun(observed, container.name);
    if (!isSidecar(container) && run !== undefined && !succeeded(run) && ended(container)) return true;
  }
  return spec.containers.every(ended);
}

function deadlineOf(pod: Pod): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = pod.status?.startTime;
  return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000;
}

export function containerNamed(spec: PodSpec, name: string): Container | undefined {
  return containersOf(spec).find((c) => c.name === name);
}
