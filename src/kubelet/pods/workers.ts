/**
 * The loop that brings pods to what their specs say: observe, plan, act, tell. One pod is worked on
 * once at a time; many pods at the same time.
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Client } from '../../client/client.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { isApiError } from '../../machinery/status.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { perform } from '../probes/actions.ts';
import { ContainerProbes } from '../probes/prober.ts';
import { PodVolumes } from '../volumes/podVolumes.ts';
import type { ActionFailure, Actor } from './actor.ts';
import { FailureBackoff } from './backoff.ts';
import { ANNOTATION } from './labels.ts';
import type { ObservedContainer, ObservedPod, RuntimeObserver } from './observed.ts';
import { type Action, containerNamed, type Plan, planPod, planTermination, type Waiting } from './plan.ts';
import { podStatusOf } from './podStatus.ts';
import type { StatusWriter } from './statusWriter.ts';

export interface WorkersOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly observer: RuntimeObserver;
  readonly actor: Actor;
  readonly volumes: PodVolumes;
  readonly statuses: StatusWriter;
  readonly events: EventRecorder;
  readonly hostIP: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Looks at the runtime now. */
  look(): Promise<void>;
}

/** A pod that ends holds its place for its whole grace period, so there are many. */
const WORKERS = 500;
/** Sandboxes and containers that are made at the same time: more than this only makes each slower. */
const STARTS_AT_ONCE = 8;
/** Steps in one go; a plan that never comes to rest would be a mistake. */
const MAX_STEPS = 20;
const MOUNT_RETRY_MS = 2_000;
/** So long after a failed pull its status turns to back-off. */
const SHOW_BACKOFF_AFTER_MS = 1_000;
const BACKGROUND_REFRESH_MS = 10_000;

interface Entry {
  /** as the API has it, or had it last */
  pod: Pod;
  /** the API has it no more */
  gone: boolean;
  /** by container: why its start failed, and until when it is not tried again */
  readonly failures: Map<string, ActionFailure & { readonly at: number }>;
  volumesReady: boolean;
  failed: { reason: string; message: string } | undefined;
  removed: boolean;
}

export class PodWorkers {
  readonly #o: WorkersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;
  readonly #backoff = new FailureBackoff();
  readonly #probes = new Map<string, ContainerProbes>();
  readonly #starts = new Gate(STARTS_AT_ONCE);
  /** Whether all pods of the node are known: only then is what runs and is not known left over. */
  #complete = false;

  constructor(options: WorkersOptions) {
    this.#o = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      workers: WORKERS,
      work: (uid) => this.#work(uid),
      onError: (uid, err) =>
        options.log.warn('a pod could not be brought to its spec; it is tried again', { err, uid }),
      signal: options.signal,
    });
    options.signal.addEventListener('abort', () => {
      for (const probes of this.#probes.values()) probes.stop();
    });
    this.#refreshLater();
  }

  /** The API has this state of a pod. */
  update(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const entry = this.#entries.get(uid);
    if (entry === undefined) {
      this.#entries.set(uid, {
        pod,
        gone: false,
        failures: new Map(),
        volumesReady: false,
        failed: undefined,
        removed: false,
      });
    } else {
      entry.pod = pod;
      entry.gone = false;
    }
    this.#queue.add(uid);
  }

  /** The API has the pod no more. */
  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.gone = true;
    this.#queue.add(uid);
  }

  /** All pods that the API has for this node have been told of. `uids`: what the runtime has. */
  complete(uids: Iterable<string>): void {
    this.#complete = true;
    this.poke(uids);
  }

  /** Something of these pods changed in the runtime. */
  poke(uids: Iterable<string>): void {
    for (const uid of uids) this.#queue.add(uid);
  }

  pod(namespace: string, name: string): Pod | undefined {
    for (const { pod, gone } of this.#entries.values()) {
      if (!gone && pod.metadata?.name === name && pod.metadata.namespace === namespace) return pod;
    }
    return undefined;
  }

  pods(): Pod[] {
    return [...this.#entries.values()].map((e) => e.pod);
  }

  async #work(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    // What runs and belongs to no pod of this node is left over.
    if (entry === undefined) return this.#complete ? this.#removeOrphan(uid) : undefined;
    if (entry.gone) return this.#forget(uid, entry);
    if (entry.removed) return undefined;
    if (entry.pod.metadata?.deletionTimestamp !== undefined) return this.#terminate(uid, entry);
    return this.#run(uid, entry);
  }

  async #run(uid: string, entry: Entry): Promise<void> {
    for (let step = 0; step < MAX_STEPS; step++) {
      const { pod } = entry;
      if (entry.gone || pod.metadata?.deletionTimestamp !== undefined) return this.#queue.add(uid);
      const observed = this.#o.observer.get(uid);
      this.#adjustProbes(entry, observed);
      const plan = this.#plan(uid, entry, observed);
      const { actions, waiting, retryAt } = this.#holdBack(entry, plan);
      this.#tell(entry, observed, waiting);
      const again = Math.min(plan.lookAgainAt ?? Number.POSITIVE_INFINITY, retryAt);
      if (Number.isFinite(again)) this.#queue.addAfter(uid, again - this.#o.clock.now());
      if (actions.length === 0) return;
      if (!(await this.#prepared(uid, entry, actions))) return;
      await this.#act(entry, observed, actions);
      await this.#o.look();
    }
    this.#queue.addAfter(uid, MOUNT_RETRY_MS);
  }

  #plan(uid: string, entry: Entry, observed: ObservedPod | undefined): Plan {
    const { pod } = entry;
    const plan = planPod({
      pod,
      observed,
      now: this.#o.clock.now(),
      backoffUntil: (container, finishedAt) => this.#backoff.until(`${uid}/${container}`, finishedAt),
      failedProbe: (id) => this.#probes.get(id)?.failure,
      started: (id) => this.#probes.get(id)?.started ?? true,
    });
    if (plan.finished && plan.actions.some((a) => a.action === 'killContainer')) {
      entry.failed = {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      };
    }
    for (const [name, { reason }] of plan.waiting) {
      if (reason !== 'CrashLoopBackOff') continue;
      const { name: podName, namespace, uid: podUid } = pod.metadata ?? {};
      this.#o.events.event(
        referenceTo(pod, `spec.containers{${name}}`),
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${podUid})`,
      );
    }
    return plan;
  }

  /** Leaves out starts that failed a short while ago. */
  #holdBack(entry: Entry, plan: Plan): { actions: Action[]; waiting: Map<string, Waiting>; retryAt: number } {
    const waiting = new Map(plan.waiting);
    const now = this.#o.clock.now();
    let retryAt = Number.POSITIVE_INFINITY;
    const actions = plan.actions.filter((action) => {
      if (action.action !== 'startContainer') return true;
      const failure = entry.failures.get(action.container.name);
      if (failure === undefined) return true;
      const until = failure.retryAt ?? now;
      if (until <= now) {
        entry.failures.delete(action.container.name);
        return true;
      }
      retryAt = Math.min(retryAt, until);
      const turned = failure.waiting.reason === 'ErrImagePull' && now - failure.at >= SHOW_BACKOFF_AFTER_MS;
      if (failure.waiting.reason === 'ErrImagePull' && !turned)
        retryAt = Math.min(retryAt, failure.at + SHOW_BACKOFF_AFTER_MS);
      waiting.set(
        action.container.name,
        turned
          ? {
              reason: 'ImagePullBackOff',
              message: `Back-off pulling image ${JSON.stringify(action.container.image)}: ErrImagePull: ${failure.waiting.message}`,
            }
          : failure.waiting,
      );
      return false;
    });
    return { actions, waiting, retryAt };
  }

  /** Volumes must be there before anything is started. */
  async #prepared(uid: string, entry: Entry, actions: readonly Action[]): Promise<boolean> {
    if (entry.volumesReady || !actions.some((a) => a.action === 'createSandbox' || a.action === 'startContainer'))
      return true;
    try {
      await this.#o.actor.prepare(entry.pod);
      entry.volumesReady = true;
      return true;
    } catch (error) {
      const message = (error as Error).message;
      this.#o.events.event(referenceTo(entry.pod), 'Warning', 'FailedMount', `MountVolume.SetUp failed: ${message}`);
      this.#queue.addAfter(uid, MOUNT_RETRY_MS);
      return false;
    }
  }

  async #act(entry: Entry, observed: ObservedPod | undefined, actions: readonly Action[]): Promise<void> {
    const { actor } = this.#o;
    const { pod } = entry;
    await Promise.all(
      actions.map(async (action) => {
        switch (action.action) {
          case 'createSandbox':
            return this.#starts.pass(() => this.#createSandbox(pod, action.attempt));
          case 'startContainer': {
            if (observed === undefined) return;
            const failure = await this.#starts.pass(() => actor.startContainer(pod, observed, action));
            if (failure !== undefined) entry.failures.set(failure.container, { ...failure, at: this.#o.clock.now() });
            return;
          }
          case 'killContainer':
            return actor.killContainer(pod, observed, action);
          case 'removeContainer':
            return actor.removeContainer(action.id);
          case 'stopSandbox':
            return actor.stopSandbox(action.id);
        }
      }),
    );
  }

  async #createSandbox(pod: Pod, attempt: number): Promise<void> {
    try {
      await this.#o.actor.createSandbox(pod, attempt);
    } catch (error) {
      this.#o.events.event(
        referenceTo(pod),
        'Warning',
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: ${(error as Error).message}`,
      );
      throw error;
    }
  }

  #tell(entry: Entry, observed: ObservedPod | undefined, waiting: ReadonlyMap<string, Waiting>): void {
    const { pod } = entry;
    const status = podStatusOf({
      pod: { ...pod, status: this.#o.statuses.latest(pod) ?? pod.status ?? {} },
      observed,
      waiting,
      hostIP: this.#o.hostIP,
      now: this.#o.clock.now(),
      ready: (id) => this.#probes.get(id)?.ready ?? true,
      started: (id) => this.#probes.get(id)?.started ?? true,
      terminationMessage: (id) => this.#terminationMessage(observed?.containers.find((c) => c.id === id)),
      ...(entry.failed === undefined ? {} : { failed: entry.failed }),
    });
    this.#o.statuses.set(pod, status);
  }

  #terminationMessage(run: ObservedContainer | undefined): string {
    return this.#o.actor.terminationMessage(run?.status.annotations?.[ANNOTATION.terminationMessageFile]);
  }

  #adjustProbes(entry: Entry, observed: ObservedPod | undefined): void {
    const { clock, random, runtime, events } = this.#o;
    const { pod } = entry;
    const uid = pod.metadata?.uid ?? '';
    for (const run of observed?.containers ?? []) {
      if (run.state !== 'running') {
        this.#probes.get(run.id)?.stop();
        this.#probes.delete(run.id);
        continue;
      }
      if (this.#probes.has(run.id)) continue;
      const container = containerNamed(pod.spec ?? { containers: [] }, run.name);
      if (container === undefined) continue;
      const startedAt = (run.status.started_at ?? 0) / 1e6;
      const probes = new ContainerProbes(
        container,
        startedAt,
        (probe, signal) => {
          const podIP = this.#o.observer.get(uid)?.sandboxes.find((s) => s.ready)?.ips[0];
          const target = { containerId: run.id, container, podIP: podIP ?? this.#o.hostIP };
          return perform(probe, target, (probe.timeoutSeconds ?? 1) * 1000, runtime, clock, signal);
        },
        {
          unhealthy: (type, message) => {
            const what = `${type.charAt(0).toUpperCase()}${type.slice(1)} probe failed: ${message}`;
            events.event(referenceTo(pod, `spec.containers{${run.name}}`), 'Warning', 'Unhealthy', what);
          },
          changed: () => this.#queue.add(uid),
        },
        clock,
        random,
      );
      this.#probes.set(run.id, probes);
    }
  }

  /** The pod is to end: containers, then sandboxes; then its last status; then it leaves the API. */
  async #terminate(uid: string, entry: Entry): Promise<void> {
    const grace = entry.pod.metadata?.deletionGracePeriodSeconds ?? 30;
    for (let step = 0; step < MAX_STEPS; step++) {
      const observed = this.#o.observer.get(uid);
      for (const run of observed?.containers ?? []) {
        this.#probes.get(run.id)?.stop();
        this.#probes.delete(run.id);
      }
      const actions = planTermination(entry.pod, observed, grace);
      if (actions.length === 0) break;
      await this.#act(entry, observed, actions);
      await this.#o.look();
      this.#tell(entry, this.#o.observer.get(uid), new Map());
    }
    await this.#o.statuses.flushed(uid);
    await this.#cleanUp(uid);
    entry.removed = true;
    const { namespace, name = '' } = entry.pod.metadata ?? {};
    try {
      await this.#o.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      entry.removed = isApiError(error, 'NotFound') || isApiError(error, 'Conflict');
      if (!entry.removed) throw error;
    }
  }

  /** Deleted by force, or removed together with its namespace or node. */
  async #forget(uid: string, entry: Entry): Promise<void> {
    const observed = this.#o.observer.get(uid);
    const actions = planTermination(entry.pod, observed, entry.pod.metadata?.deletionGracePeriodSeconds ?? 0);
    if (actions.length > 0) {
      await this.#act(entry, observed, actions);
      await this.#o.look();
    }
    await this.#cleanUp(uid);
    this.#o.statuses.forget(uid);
    this.#backoff.forget(`${uid}/`);
    this.#entries.delete(uid);
  }

  async #removeOrphan(uid: string): Promise<void> {
    const observed = this.#o.observer.get(uid);
    if (observed === undefined) return;
    this.#o.log.info('removing what is left of a pod that is gone', {
      uid,
      pod: observed.name,
      namespace: observed.namespace,
    });
    await this.#cleanUp(uid);
  }

  async #cleanUp(uid: string): Promise<void> {
    const observed = this.#o.observer.get(uid);
    for (const run of observed?.containers ?? []) {
      this.#probes.get(run.id)?.stop();
      this.#probes.delete(run.id);
      if (run.state === 'running')
        await this.#o.runtime.call('stopContainer', { container_id: run.id, timeout: 0 }).catch(() => {});
    }
    await this.#o.actor.removePod(uid, observed);
    await this.#o.look();
  }

  /** Config maps and secrets that are mounted change; tokens run out. */
  #refreshLater(): void {
    this.#o.clock.after(BACKGROUND_REFRESH_MS, () => {
      if (this.#o.signal.aborted) return;
      void this.#refresh().finally(() => this.#refreshLater());
    });
  }

  async #refresh(): Promise<void> {
    for (const entry of this.#entries.values()) {
      if (!entry.volumesReady || entry.gone || entry.removed || !PodVolumes.changes(entry.pod)) continue;
      if (entry.pod.metadata?.deletionTimestamp !== undefined) continue;
      try {
        await this.#o.volumes.setUp(entry.pod);
      } catch (error) {
        this.#o.log.debug('a volume could not be brought up to date', { err: error, pod: entry.pod.metadata?.name });
      }
    }
  }
}

/** Lets so many through at once; the others wait in line. */
class Gate {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
