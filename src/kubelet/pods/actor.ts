/** Carries out the actions of a plan on the runtime. */
import type { Pod } from '../../apis/core/pod.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Gate } from '../../lib/gate.ts';
import { type ContainerRuntime, isNotFound } from '../cri/runtime.ts';
import type { AtFaultPoint } from '../faultPoints.ts';
import type { Machine } from '../machine/machine.ts';
import type { ProbeResult } from '../probes/prober.ts';
import { podCgroup } from '../resources/cgroups.ts';
import { containerResources } from '../resources/limits.ts';
import { containerReference } from './containerReference.ts';
import type { ContainerStarter, StartFailure } from './containerStart.ts';
import type { DnsConfig } from './dns.ts';
import type { ObservedPod } from './observed.ts';
import type { Action } from './plan.ts';
import { lowerMemory, resourcesKey } from './resize.ts';
import type { RuntimeHandlers } from './runtimeHandlers.ts';
import { sandboxConfig } from './sandboxConfig.ts';

export interface ActorOptions {
  readonly runtime: ContainerRuntime;
  readonly starter: ContainerStarter;
  /** how many sandboxes and containers are made at the same time */
  readonly gate: Gate;
  readonly machine: Machine;
  readonly handlers: RuntimeHandlers;
  readonly at?: AtFaultPoint | undefined;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly podLogsDir: string;
  readonly dns: DnsConfig;
  /** where hooks of containers on the host's network are asked */
  readonly hostIP: string;
}

/** What could not be done, of what need not keep the rest from being done. */
export interface Outcome {
  readonly failures: readonly StartFailure[];
  /** why a container could not be given other resources */
  readonly resizeFailure: string | undefined;
}

type ActionOf<A extends Action['action']> = Extract<Action, { action: A }>;

/** A container that is being stopped. */
interface Stopping {
  /** when SIGKILL comes, in ms of the monotonic clock */
  until: number;
  /** its hook is over and the runtime waits for it to end */
  signalled: boolean;
  readonly hurried: AbortController;
}

/** However little is left of the grace period, a container gets so much to end, in seconds. */
const MIN_GRACE_S = 2;
/** The runtime's answer to a stop may be so much later than the grace period. */
const STOP_SLACK_MS = 60_000;

export class Actor {
  readonly #o: ActorOptions;
  /** by container id */
  readonly #stopping = new Map<string, Stopping>();
  /** by container id: the resources that it got while it ran, as `resourcesKey` says them */
  readonly resized = new Map<string, string>();
  /** containers that were ended so that they start anew with other resources, by id */
  readonly resizedAway = new Set<string>();

  constructor(options: ActorOptions) {
    this.#o = options;
  }

  /**
   * Does all of it: what ends containers at once and side by side, the rest in its order. Resolves when
   * everything was tried.
   * @param signal starts that have not begun by then are left out
   * @throws the first error; what fails of starts, and of changes of resources, is in the answer instead
   */
  async perform(
    pod: Pod,
    observed: ObservedPod | undefined,
    actions: readonly Action[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const kills = actions.filter((a) => a.action === 'killContainer');
    const killed = settleAll(kills.map((a) => this.#kill(pod, observed, a)));
    // A new sandbox takes the place of one whose containers must be gone.
    if (actions.some((a) => a.action === 'createSandbox')) await killed;
    const failures: StartFailure[] = [];
    let resizeFailure: string | undefined;
    const others = (async () => {
      for (const action of actions) {
        if (action.action === 'killContainer') continue;
        if (action.action === 'resizeContainer') {
          // The rest of the pod is not to wait for it.
          resizeFailure = (await this.#resize(pod, action)) ?? resizeFailure;
          continue;
        }
        const failure = await this.#do(pod, observed, action, signal);
        if (failure !== undefined) failures.push(failure);
      }
    })();
    await settleAll([killed, others]);
    return { failures, resizeFailure };
  }

  async #do(
    pod: Pod,
    observed: ObservedPod | undefined,
    action: Exclude<Action, { action: 'killContainer' | 'resizeContainer' }>,
    signal: AbortSignal,
  ): Promise<StartFailure | undefined> {
    const { runtime, starter } = this.#o;
    switch (action.action) {
      case 'createSandbox':
        if (!signal.aborted) await this.#o.gate.pass(() => this.#createSandbox(pod, action.attempt));
        return undefined;
      case 'startContainer': {
        const sandbox = observed?.sandboxes.find((s) => s.ready);
        if (signal.aborted || sandbox === undefined) return undefined;
        return starter.start(pod, sandbox, action, signal);
      }
      case 'removeContainer':
        this.resized.delete(action.id);
        this.resizedAway.delete(action.id);
        await ignoreMissing(runtime.call('removeContainer', { container_id: action.id }));
        await this.#o.machine.removeLogs(pod, action.log);
        return undefined;
      case 'stopSandbox':
        await ignoreMissing(runtime.call('stopPodSandbox', { pod_sandbox_id: action.id }));
        await this.#o.at?.('sandboxStopped', pod.metadata?.uid ?? '');
        return undefined;
      case 'removeSandbox':
        await ignoreMissing(runtime.call('removePodSandbox', { pod_sandbox_id: action.id }));
        return undefined;
    }
  }

  /**
   * A container may have no more than its pod: that has room first, and is made tight last. Returns why it cannot be.
   */
  async #resize(pod: Pod, { id, container, applied }: ActionOf<'resizeContainer'>): Promise<string | undefined> {
    const { runtime, machine } = this.#o;
    const wished = resourcesKey(container);
    try {
      const limit = lowerMemory(wished, applied);
      if (limit !== undefined) await this.#checkMemory(id, container.name, limit);
      await machine.limitPod(pod);
      const linux = containerResources(pod, container, machine.memoryBytes);
      await runtime.call('updateContainerResources', { container_id: id, linux });
      await machine.limitPod(pod);
    } catch (error) {
      return `Error resizing container ${container.name}: ${(error as Error).message}`;
    }
    this.resized.set(id, wished);
    return undefined;
  }

  /** A limit below what is used would end the container. @throws Error where it is */
  async #checkMemory(id: string, name: string, limit: number): Promise<void> {
    const { stats } = await this.#o.runtime.call('containerStats', { container_id: id });
    const used = stats?.memory?.usage_bytes?.value ?? stats?.memory?.working_set_bytes?.value ?? 0;
    if (used < limit) return;
    throw new Error(
      `attempting to set container ${JSON.stringify(name)} memory limit (${limit}) below current usage (${used})`,
    );
  }

  async #createSandbox(pod: Pod, attempt: number): Promise<void> {
    const { runtime, machine, podLogsDir, dns, events, handlers } = this.#o;
    const config = sandboxConfig(pod, attempt, { podLogsDir, cgroupParent: podCgroup(pod), dns });
    machine.makeLogDirectory(config.log_directory ?? '');
    try {
      const handler = await handlers.of(pod);
      await runtime.call('runPodSandbox', { config, ...(handler === undefined ? {} : { runtime_handler: handler }) });
      await this.#o.at?.('sandboxCreated', pod.metadata?.uid ?? '');
    } catch (error) {
      const message = `Failed to create pod sandbox: ${(error as Error).message}`;
      events.event(referenceTo(pod), 'Warning', 'FailedCreatePodSandBox', message);
      throw error;
    }
  }

  /** Stops a container as its pod wants: first its own hook, then SIGTERM, then SIGKILL when the grace is over. */
  async #kill(pod: Pod, observed: ObservedPod | undefined, action: ActionOf<'killContainer'>): Promise<void> {
    const { clock, events } = this.#o;
    const { container, id } = action;
    const about = containerReference(pod, container?.name ?? id);
    if (action.reason === 'Resized') this.resizedAway.add(id);
    if (action.reason !== 'SandboxChanged') events.event(about, 'Normal', 'Killing', action.message);
    const grace = Math.max(0, action.grace ?? pod.spec?.terminationGracePeriodSeconds ?? 30);
    const stopping: Stopping = {
      until: clock.monotonic() + grace * 1000,
      signalled: false,
      hurried: new AbortController(),
    };
    this.#stopping.set(id, stopping);
    try {
      const running = observed?.containers.find((c) => c.id === id)?.state === 'running';
      if (running && grace > 0) await this.#preStop(pod, observed, action, grace, stopping);
      await this.#o.at?.('preStopDone', pod.metadata?.uid ?? '');
      stopping.signalled = true;
      await this.#stop(id, Math.ceil((stopping.until - clock.monotonic()) / 1000));
      await this.#o.at?.('containerStopped', pod.metadata?.uid ?? '');
    } finally {
      this.#stopping.delete(id);
    }
  }

  async #preStop(
    pod: Pod,
    observed: ObservedPod | undefined,
    { container, id }: ActionOf<'killContainer'>,
    grace: number,
    { hurried }: Stopping,
  ): Promise<void> {
    const hook = container?.lifecycle?.preStop;
    if (container === undefined || hook === undefined) return;
    const { runtime, machine, clock, events, hostIP } = this.#o;
    const target = { containerId: id, container, podIP: observed?.sandboxes.find((s) => s.ready)?.ips[0] ?? hostIP };
    const over = new Promise<ProbeResult>((resolve) => {
      const late = () => resolve({ ok: false, message: 'the grace period is over' });
      hurried.signal.addEventListener('abort', late, { once: true });
    });
    const timer = clock.after(grace * 1000, () => hurried.abort());
    const result = await Promise.race([
      machine.perform(hook, target, grace * 1000, { runtime, clock, signal: hurried.signal, hook: true }),
      over,
    ]);
    timer.cancel();
    const say = (reason: string, message: string) =>
      events.event(containerReference(pod, container.name), 'Warning', reason, message);
    if (result.warning !== undefined) say('LifecycleHTTPFallback', result.warning);
    if (!result.ok) say('FailedPreStopHook', `PreStopHook failed: ${result.message}`);
  }

  async #stop(id: string, graceSeconds: number): Promise<void> {
    const timeout = Math.max(MIN_GRACE_S, graceSeconds);
    const call = this.#o.runtime.call(
      'stopContainer',
      { container_id: id, timeout },
      { timeoutMs: timeout * 1000 + STOP_SLACK_MS },
    );
    await ignoreMissing(call);
  }

  /** Containers that are being stopped have less time now than they were given, in seconds. */
  hurry(containerIds: Iterable<string>, graceSeconds: number): void {
    const until = this.#o.clock.monotonic() + Math.max(MIN_GRACE_S, graceSeconds) * 1000;
    for (const id of containerIds) {
      const stopping = this.#stopping.get(id);
      if (stopping === undefined || stopping.until <= until) continue;
      stopping.until = until;
      stopping.hurried.abort();
      // The stop that is under way sees its container end. What goes wrong here, it reports.
      if (stopping.signalled) this.#stop(id, graceSeconds).catch(() => {});
    }
  }

  /** Takes away all that is left of a pod: containers, sandboxes, logs, volumes, cgroups. */
  async removePod(uid: string, observed: ObservedPod | undefined): Promise<void> {
    const { runtime, machine } = this.#o;
    await settleAll(
      (observed?.containers ?? []).map(async ({ id, state }) => {
        this.resized.delete(id);
        this.resizedAway.delete(id);
        if (state === 'running' || state === 'unknown')
          await ignoreMissing(runtime.call('stopContainer', { container_id: id, timeout: 0 }));
        await ignoreMissing(runtime.call('removeContainer', { container_id: id }));
      }),
    );
    await this.#o.at?.('containersRemoved', uid);
    await settleAll(
      (observed?.sandboxes ?? []).map(async ({ id }) => {
        await ignoreMissing(runtime.call('stopPodSandbox', { pod_sandbox_id: id }));
        await ignoreMissing(runtime.call('removePodSandbox', { pod_sandbox_id: id }));
      }),
    );
    await this.#o.at?.('sandboxesRemoved', uid);
    await machine.removePod(uid);
    await this.#o.at?.('filesRemoved', uid);
  }
}

/** Waits for all of them. @throws the first error */
async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
