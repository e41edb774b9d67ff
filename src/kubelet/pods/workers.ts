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
import { isApiError } from '../../machinery/status.ts';
import { isStaticPod } from '../eviction/ranking.ts';
import type { AtFaultPoint } from '../faultPoints.ts';
import type { Grantor } from '../grants.ts';
import type { Machine } from '../machine/machine.ts';
import type { PodProbes } from '../probes/podProbes.ts';
import { type Failure, podStatusOf } from '../status/podStatus.ts';
import type { StatusWriter } from '../status/statusWriter.ts';
import type { VolumeUpdates } from '../volumes/volumeUpdates.ts';
import { unlessAborted } from './aborting.ts';
import type { Actor } from './actor.ts';
import type { Admission } from './admission.ts';
import { FailureBackoff } from './backoff.ts';
import { containerReference } from './containerReference.ts';
import { type ActiveFailure, holdBack } from './holdBack.ts';
import { containerHash } from './labels.ts';
import type { ObservedPod, RuntimeObserver } from './observed.ts';
import { containerNamed, isOver, type Plan, planPod, planTermination, type Waiting } from './plan.ts';
import { grant, grantedBefore, type PendingResize, resizeText, sameResources, stillGranted } from './resize.ts';

export interface WorkersOptions {
  readonly client: Client;
  readonly observer: RuntimeObserver;
  readonly actor: Actor;
  readonly machine: Machine;
  readonly admission: Admission;
  readonly grantor: Grantor;
  readonly probes: PodProbes;
  /** absent where no volume has files */
  readonly updates: VolumeUpdates | undefined;
  readonly statuses: StatusWriter;
  readonly at?: AtFaultPoint | undefined;
  readonly events: EventRecorder;
  readonly hostIP: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Looks at the runtime now. @throws RuntimeError */
  look(): Promise<void>;
  /** A pod runs for the first time, so long after it was first heard of. */
  onFirstRun?(ms: number): void;
  /** Nothing is left of a pod. */
  onForgotten?(uid: string): void;
}

/** A pod that ends holds its place for its whole grace period, so there are many. */
const WORKERS = 500;
/** Steps in one go; a plan that never comes to rest would be a mistake. */
const MAX_STEPS = 20;
const MOUNT_RETRY_MS = 2_000;
/** How often room is looked for that was not there. */
const DEFERRED_MS = 3_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** However soon a pod is to go, its containers get so much to end, in seconds. */
const MIN_GRACE_S = 1;
const DEFAULT_GRACE_S = 30;
const SECOND_MS = 1000;

interface Entry {
  /** as the API has it, or had it last */
  pod: Pod;
  /** with the resources that it has on this node; undefined until it is admitted */
  granted: Pod | undefined;
  /** why it does not have what it wishes for */
  pendingResize: PendingResize | undefined;
  /** Other resources were granted, and its containers do not have them yet. */
  resizing: boolean;
  /** the API has it no more */
  gone: boolean;
  admitted: boolean;
  /** by container: why its start failed, and until when it is not tried again */
  readonly failures: Map<string, ActiveFailure>;
  /** the moment of each container's back-off that was told in an event */
  readonly toldBackoffs: Map<string, number>;
  volumesReady: boolean;
  /** why the kubelet ends it */
  failed: Failure | undefined;
  /** how long its containers have once it failed, in seconds; absent: what the pod says */
  failGrace: number | undefined;
  /** What it had for running, beside its containers, is taken away. */
  wound: boolean;
  /** It is being deleted, and its containers are told to end. */
  stopping: boolean;
  /** Nothing of it is left here and the API was told. */
  removed: boolean;
  /** aborted when the pod is to end: what is being started need not be */
  readonly ending: AbortController;
  /** when the containers must be gone, in ms of the monotonic clock; set when that begins */
  graceUntil: number | undefined;
  /** failures in a row */
  tries: number;
  /** when it was first heard of, in ms of the monotonic clock; undefined once it ran, or ran before */
  heardAt: number | undefined;
}

export class PodWorkers {
  readonly #o: WorkersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;
  readonly #backoff = new FailureBackoff();
  #sourcesSynced = false;

  constructor(options: WorkersOptions) {
    this.#o = options;
    this.#queue = new WorkQueue({
      clock: options.clock,
      workers: WORKERS,
      work: (uid) => this.#work(uid),
      onError: (uid, err) => options.log.error('a mistake in working on a pod', { err, uid }),
      signal: options.signal,
    });
    options.signal.addEventListener('abort', () => options.probes.stopAll(), { once: true });
  }

  /** The API has this state of a pod. */
  update(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    let entry = this.#entries.get(uid);
    if (entry === undefined) {
      entry = newEntry(pod, this.#o.clock.monotonic());
      this.#entries.set(uid, entry);
    } else {
      // With another image what failed before is worth a try.
      if (entry.pod.metadata?.generation !== pod.metadata?.generation) entry.failures.clear();
      entry.pod = pod;
      entry.granted = stillGranted(pod, entry.granted);
      this.#o.updates?.podChanged(pod);
    }
    if (pod.metadata?.deletionTimestamp !== undefined) this.#end(uid, entry);
    this.#queue.add(uid);
  }

  /** The API has the pod no more. @param pod its last state, where that was seen */
  remove(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.pod = pod;
    entry.granted = stillGranted(pod, entry.granted);
    entry.gone = true;
    this.#end(uid, entry);
    this.#queue.add(uid);
  }

  /** What is being done for a pod that is to end is cut short. */
  #end(uid: string, entry: Entry): void {
    entry.ending.abort(new Error('the pod is being deleted'));
    if (entry.graceUntil === undefined) return;
    // It ends already: perhaps it has less time than it had.
    const { actor, clock, observer } = this.#o;
    const grace = graceOf(entry);
    entry.graceUntil = Math.min(entry.graceUntil, clock.monotonic() + grace * SECOND_MS);
    actor.hurry(
      (observer.get(uid)?.containers ?? []).map((c) => c.id),
      grace,
    );
  }

  /** Ends a pod that is to run; it stays in the API. Does nothing for one that ends already. */
  fail(uid: string, failure: Failure, graceSeconds: number): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || isEnding(entry) || entry.failed !== undefined || isOver(podOf(entry))) return;
    entry.failed = failure;
    entry.failGrace = graceSeconds;
    if (failure.reason === 'Evicted')
      this.#o.events.event(referenceTo(entry.pod), 'Warning', failure.reason, failure.message);
    entry.ending.abort(new Error(failure.message));
    this.#queue.add(uid);
  }

  /** The pods that have their place here: neither over nor about to be. */
  active(): Pod[] {
    return [...this.#entries.values()]
      .filter((e) => e.admitted && !isEnding(e) && !e.removed && e.failed === undefined)
      .map(podOf)
      .filter((p) => !isOver(p));
  }

  /** Something of these pods changed in the runtime or in a probe. */
  poke(uids: Iterable<string>): void {
    for (const uid of uids) {
      this.#queue.add(uid);
      const entry = this.#entries.get(uid);
      // Its worker waits until its containers have ended: who is not ready any more is to be known before.
      if (entry?.stopping === true) this.#tell(entry, this.#o.observer.get(uid), new Map());
    }
  }

  /** The API's pods are known: what runs and belongs to none of them is left over. */
  async sourcesSynced(): Promise<void> {
    const { observer, machine } = this.#o;
    this.#sourcesSynced = true;
    this.poke([...observer.all()].map((p) => p.uid));
    for (const uid of await machine.uids()) this.#queue.add(uid);
  }

  pod(namespace: string, name: string): Pod | undefined {
    for (const { pod, gone } of this.#entries.values()) {
      if (!gone && pod.metadata?.name === name && pod.metadata.namespace === namespace) return pod;
    }
    return undefined;
  }

  pods(): Pod[] {
    return [...this.#entries.values()].filter((e) => !e.gone).map((e) => e.pod);
  }

  async #work(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    try {
      if (entry === undefined) {
        if (this.#sourcesSynced) await this.#removeOrphan(uid);
      } else if (entry.gone) await this.#forget(uid, entry);
      else if (entry.removed) return;
      else if (entry.pod.metadata?.deletionTimestamp !== undefined) await this.#terminate(uid, entry);
      else await this.#run(uid, entry);
      if (entry !== undefined) entry.tries = 0;
    } catch (err) {
      if (this.#o.signal.aborted) return;
      const tries = entry === undefined ? 0 : entry.tries++;
      const { name, namespace } = entry?.pod.metadata ?? {};
      this.#o.log.warn('a pod could not be brought to its spec; it is tried again', { err, uid, pod: name, namespace });
      this.#queue.addAfter(uid, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries, 10)));
    }
  }

  async #run(uid: string, entry: Entry): Promise<void> {
    const { observer, probes, clock, actor } = this.#o;
    if (this.#admit(uid, entry)) {
      await this.#allocate(entry);
      await this.#o.at?.('admitted', uid);
    }
    this.#grant(entry);
    for (let step = 0; step < MAX_STEPS; step++) {
      // What came meanwhile is in the queue.
      if (isEnding(entry) || this.#o.signal.aborted) return;
      const observed = observer.get(uid);
      probes.adjust(entry.pod, observed);
      const plan = this.#plan(uid, entry, observed);
      const held = holdBack(plan, entry.failures, clock.now());
      this.#tellPullBackoffs(entry, held.waiting);
      this.#tell(entry, observed, held.waiting);
      if (held.lookAgainAt !== undefined) this.#queue.addAfter(uid, Math.max(0, held.lookAgainAt - clock.now()));
      if (!(await this.#prepared(uid, entry, plan, observed))) return;
      if (held.actions.length === 0) {
        if (plan.finished) await this.#wind(uid, entry);
        return;
      }
      const failures = await actor.perform(podOf(entry), observed, held.actions, entry.ending.signal);
      this.#o.machine.forgetMessages(held.actions.flatMap((a) => (a.action === 'removeContainer' ? [a.id] : [])));
      for (const failure of failures) entry.failures.set(failure.container, { ...failure, at: clock.now() });
      await this.#o.look();
    }
    this.#queue.addAfter(uid, MOUNT_RETRY_MS);
  }

  /** A pod that this node cannot run fails at once. True where it is new, and taken. */
  #admit(uid: string, entry: Entry): boolean {
    if (entry.admitted) return false;
    entry.admitted = true;
    // What runs already was admitted before.
    if (isOver(entry.pod) || this.#o.observer.get(uid) !== undefined) return false;
    const refusal = this.#o.admission.refusal(entry.pod, this.#others(entry));
    if (refusal === undefined) return true;
    this.#refuse(entry, refusal);
    return false;
  }

  /** What the node has only so much of is set aside before anything is started. */
  async #allocate(entry: Entry): Promise<void> {
    const refusal = await this.#o.grantor.allocate(entry.pod, this.#others(entry));
    if (refusal !== undefined) this.#refuse(entry, refusal);
  }

  #refuse(entry: Entry, refusal: Failure): void {
    entry.failed = { ...refusal, message: `Pod was rejected: ${refusal.message}` };
    this.#o.events.event(referenceTo(entry.pod), 'Warning', refusal.reason, refusal.message);
  }

  /** The other pods that have their place here, with what they have of it. */
  #others(entry: Entry): Pod[] {
    return [...this.#entries.values()]
      .filter((e) => e !== entry && e.admitted && !e.gone && !e.removed)
      .map(podOf)
      .filter((p) => !isOver(p));
  }

  /** What a pod wishes for now, it gets where there is room. */
  #grant(entry: Entry): void {
    const { admission, observer } = this.#o;
    const { pod } = entry;
    if (entry.granted === undefined) {
      const uid = pod.metadata?.uid ?? '';
      entry.granted = observer.get(uid) === undefined ? pod : grantedBefore(pod);
    }
    const before = entry.granted;
    const { pod: granted, pending } = grant(pod, before, {
      infeasibility: admission.infeasibility,
      shortage: (wished) => admission.shortage(wished, this.#others(entry)),
    });
    entry.granted = granted;
    this.#tellOfResize(entry, before, pending);
    entry.pendingResize = pending;
    // Room may come when others go.
    if (pending?.reason === 'Deferred') this.#queue.addAfter(pod.metadata?.uid ?? '', DEFERRED_MS);
  }

  /** Events of what comes of a wish for other resources; that it is fulfilled is told with the status. */
  #tellOfResize(entry: Entry, before: Pod, pending: PendingResize | undefined): void {
    const { pod, granted, pendingResize } = entry;
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#o.events.event(referenceTo(pod), type, reason, message);
    if (
      pending !== undefined &&
      (pendingResize?.reason !== pending.reason || pendingResize.message !== pending.message)
    ) {
      const { reason, message } = pending;
      say('Warning', `Resize${reason}`, `Pod resize ${reason}: ${resizeText(pod, message)}`);
    }
    if (granted === undefined || sameResources(granted, before)) return;
    entry.resizing = true;
    say('Normal', 'ResizeStarted', `Pod resize started: ${resizeText(granted)}`);
  }

  #plan(uid: string, entry: Entry, observed: ObservedPod | undefined): Plan {
    const { clock, probes } = this.#o;
    const plan = planPod({
      pod: podOf(entry),
      observed,
      now: clock.now(),
      failed: entry.failed !== undefined,
      grace: entry.failGrace,
      backoffUntil: (container, finishedAt) => this.#backoff.until(backoffKey(entry, container), finishedAt),
      applied: (run) => this.#o.actor.resized.get(run.id) ?? run.resources,
      failedProbe: (id) => probes.failure(uid, id),
      started: (id) => probes.started(uid, id),
    });
    if (plan.pastDeadline && entry.failed === undefined && !isOver(entry.pod)) {
      const message = 'Pod was active on the node longer than the specified deadline';
      entry.failed = { reason: 'DeadlineExceeded', message };
      this.#o.events.event(referenceTo(entry.pod), 'Normal', 'DeadlineExceeded', message);
    }
    for (const [name, { reason }] of plan.waiting) {
      if (reason === 'CrashLoopBackOff') this.#tellBackoff(uid, entry, name);
    }
    return plan;
  }

  /** Once for each wait. */
  #tellBackoff(uid: string, entry: Entry, container: string): void {
    const until = this.#backoff.current(backoffKey(entry, container)) ?? 0;
    if (entry.toldBackoffs.get(container) === until) return;
    entry.toldBackoffs.set(container, until);
    const { name, namespace } = entry.pod.metadata ?? {};
    const message = `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`;
    this.#o.events.event(containerReference(entry.pod, container), 'Warning', 'BackOff', message);
  }

  /** Once for each pull that failed. */
  #tellPullBackoffs(entry: Entry, waiting: ReadonlyMap<string, Waiting>): void {
    for (const [name, { reason }] of waiting) {
      const { at: failedAt, image: ofVolume } = entry.failures.get(name) ?? {};
      if (reason !== 'ImagePullBackOff' || failedAt === undefined || entry.toldBackoffs.get(name) === failedAt)
        continue;
      entry.toldBackoffs.set(name, failedAt);
      const about = containerReference(entry.pod, name);
      const own = containerNamed(entry.pod.spec ?? { containers: [] }, name)?.image;
      const image = JSON.stringify(ofVolume ?? own ?? '');
      this.#o.events.event(about, 'Normal', 'BackOff', `Back-off pulling image ${image}`);
      this.#o.events.event(about, 'Warning', 'Failed', `Error: ${reason}`);
    }
  }

  /** Volumes must be there before anything is started; for what runs already they are only brought up to date. */
  async #prepared(uid: string, entry: Entry, plan: Plan, observed: ObservedPod | undefined): Promise<boolean> {
    if (entry.volumesReady || plan.finished) return true;
    const starts = plan.actions.some((a) => a.action === 'createSandbox' || a.action === 'startContainer');
    if (!starts && observed?.containers.some((c) => c.state === 'running') !== true) return true;
    try {
      await this.#o.machine.shareOut(this.active());
      await unlessAborted(entry.ending.signal, this.#o.machine.prepare(podOf(entry)));
    } catch (error) {
      if (entry.ending.signal.aborted) return false;
      this.#o.events.event(referenceTo(entry.pod), 'Warning', 'FailedMount', (error as Error).message);
      this.#queue.addAfter(uid, MOUNT_RETRY_MS);
      return !starts;
    }
    entry.volumesReady = true;
    await this.#o.at?.('volumesPrepared', uid);
    this.#o.updates?.watch(entry.pod);
    return true;
  }

  /** The pod is over but stays in the API: only its logs and last words are needed. */
  async #wind(uid: string, entry: Entry): Promise<void> {
    if (entry.wound) return;
    await this.#o.updates?.forget(uid);
    await this.#o.machine.removeSurroundings(uid);
    entry.wound = true;
  }

  #tell(entry: Entry, observed: ObservedPod | undefined, waiting: ReadonlyMap<string, Waiting>): void {
    const { statuses, probes, machine, clock, hostIP, actor } = this.#o;
    const { failed, pendingResize } = entry;
    const pod = podOf(entry);
    const uid = pod.metadata?.uid ?? '';
    const status = podStatusOf({
      pod: { ...pod, status: statuses.latest(pod) },
      observed,
      waiting,
      hostIP,
      now: clock.now(),
      ending: pod.metadata?.deletionTimestamp !== undefined || failed !== undefined,
      ready: (id) => probes.ready(uid, id),
      started: (id) => probes.started(uid, id),
      terminationMessage: (run) => machine.terminationMessage(run, pod),
      applied: (run) => actor.resized.get(run.id) ?? run.resources,
      ...(pendingResize === undefined ? {} : { pendingResize }),
      ...(failed === undefined ? {} : { failed }),
    });
    const resizing = status.conditions?.some((c) => c.type === 'PodResizeInProgress' && c.status === 'True');
    if (entry.resizing && resizing !== true) {
      entry.resizing = false;
      this.#o.events.event(referenceTo(pod), 'Normal', 'ResizeCompleted', `Pod resize completed: ${resizeText(pod)}`);
    }
    if (status.phase === 'Running' && entry.heardAt !== undefined) {
      this.#o.onFirstRun?.(clock.monotonic() - entry.heardAt);
      entry.heardAt = undefined;
    }
    statuses.set(pod, status);
  }

  /** The pod is to end: containers, then sandboxes; then its last status; then it leaves the API. */
  async #terminate(uid: string, entry: Entry): Promise<void> {
    const { statuses, client, probes, observer } = this.#o;
    probes.stopLiveness(uid);
    await this.#o.at?.('terminating', uid);
    entry.stopping = true;
    try {
      await this.#stopAll(uid, entry, () => this.#tell(entry, observer.get(uid), new Map()));
    } finally {
      entry.stopping = false;
    }
    this.#tell(entry, observer.get(uid), new Map());
    await statuses.flushed(uid);
    await this.#o.at?.('lastStatusTold', uid);
    await this.#cleanUp(uid);
    const { namespace, name = '' } = entry.pod.metadata ?? {};
    try {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error;
    }
    await this.#o.at?.('deletedFromApi', uid);
    entry.removed = true;
  }

  /** Containers with their grace, sidecars after the others, then sandboxes. */
  async #stopAll(uid: string, entry: Entry, afterStep: () => void): Promise<void> {
    const { clock, observer, actor, probes } = this.#o;
    entry.graceUntil ??= clock.monotonic() + graceOf(entry) * SECOND_MS;
    for (let step = 0; step < MAX_STEPS; step++) {
      const observed = observer.get(uid);
      const left = Math.max(0, Math.ceil((entry.graceUntil - clock.monotonic()) / SECOND_MS));
      const actions = planTermination(entry.pod, observed, left);
      if (actions.length === 0) return;
      await actor.perform(entry.pod, observed, actions, entry.ending.signal);
      await this.#o.look();
      probes.adjust(entry.pod, observer.get(uid));
      afterStep();
    }
    throw new Error('the containers of the pod do not end');
  }

  /** Deleted by force, or removed together with its namespace or node. */
  async #forget(uid: string, entry: Entry): Promise<void> {
    if (!entry.removed) {
      this.#o.probes.stop(uid);
      await this.#stopAll(uid, entry, () => {});
      await this.#cleanUp(uid);
    }
    this.#o.statuses.forget(uid);
    this.#backoff.forget(`${uid}/`);
    this.#entries.delete(uid);
    this.#o.onForgotten?.(uid);
  }

  async #removeOrphan(uid: string): Promise<void> {
    const observed = this.#o.observer.get(uid);
    const { name, namespace } = observed ?? {};
    this.#o.log.info('removing what is left of a pod that is gone', { uid, pod: name, namespace });
    await this.#cleanUp(uid);
  }

  async #cleanUp(uid: string): Promise<void> {
    const { observer, probes, updates, actor } = this.#o;
    const observed = observer.get(uid);
    probes.stop(uid);
    await updates?.forget(uid);
    await actor.removePod(uid, observed);
    this.#o.machine.forgetMessages((observed?.containers ?? []).map((c) => c.id));
    if (observed !== undefined) await this.#o.look();
  }
}

function newEntry(pod: Pod, now: number): Entry {
  return {
    pod,
    granted: undefined,
    pendingResize: undefined,
    resizing: false,
    gone: false,
    admitted: false,
    failures: new Map(),
    toldBackoffs: new Map(),
    volumesReady: false,
    failed: undefined,
    failGrace: undefined,
    wound: false,
    stopping: false,
    removed: false,
    ending: new AbortController(),
    graceUntil: undefined,
    tries: 0,
    heardAt: (pod.status?.phase ?? 'Pending') === 'Pending' ? now : undefined,
  };
}

/** Another image is another try. */
function backoffKey({ pod }: Entry, name: string): string {
  const container = containerNamed(pod.spec ?? { containers: [] }, name);
  return `${pod.metadata?.uid}/${name}/${container === undefined ? '' : containerHash(container)}`;
}

/** Whether the API wants it to go, or has it no more. */
const isEnding = ({ pod, gone }: Entry) => gone || pod.metadata?.deletionTimestamp !== undefined;

/** The pod as it is to be on this node. */
const podOf = (entry: Entry): Pod => entry.granted ?? entry.pod;

/** In seconds. A pod that was deleted by force gets only what is needed to end at all. */
function graceOf({ pod, gone }: Entry): number {
  if (gone && !isStaticPod(pod)) return MIN_GRACE_S;
  const grace = pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
  return Math.max(MIN_GRACE_S, grace);
}
