/**
 * The loop that brings pods to what their specs say: observe, plan, act, tell. One pod is worked on
 * once at a time; many pods at the same time.
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Client } from '../../client/client.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { RuntimeFeatures } from '../cri/features.ts';
import { PreparationError } from '../devices/claims.ts';
import type { AtFaultPoint } from '../faultPoints.ts';
import type { Grantor } from '../grants.ts';
import type { Machine } from '../machine/machine.ts';
import type { PodProbes } from '../probes/podProbes.ts';
import { BY_KUBELET } from '../status/podConditions.ts';
import { type Failure, podStatusOf } from '../status/podStatus.ts';
import type { StatusWriter } from '../status/statusWriter.ts';
import type { VolumeUpdates } from '../volumes/volumeUpdates.ts';
import { unlessAborted } from './aborting.ts';
import type { Actor } from './actor.ts';
import type { Admission } from './admission.ts';
import { FailureBackoff } from './backoff.ts';
import { PodEnding } from './ending.ts';
import { backoffKey, type Entry, graceOf, isEnding, newEntry, podOf } from './entry.ts';
import { EntryEvents } from './entryEvents.ts';
import { holdBack } from './holdBack.ts';
import { mountFailed } from './mountBackoff.ts';
import type { ObservedPod, RuntimeObserver } from './observed.ts';
import { isOver, type Plan, planPod, type Waiting } from './plan.ts';
import { PodResizes } from './podResizes.ts';
import { preemptionVictims } from './preemption.ts';
import { resizeText, stillGranted, wholeKey } from './resize.ts';

export interface WorkersOptions {
  readonly client: Client;
  readonly observer: RuntimeObserver;
  readonly actor: Actor;
  readonly machine: Machine;
  readonly admission: Admission;
  readonly grantor: Grantor;
  readonly features: RuntimeFeatures;
  readonly probes: PodProbes;
  /** absent where no volume has files */
  readonly updates: VolumeUpdates | undefined;
  readonly statuses: StatusWriter;
  readonly at?: AtFaultPoint | undefined;
  readonly events: EventRecorder;
  /** of the node, the first family first */
  readonly hostIPs: readonly string[];
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
const REST_MS = 2_000;
/** How soon it is looked whether those have gone that had to. */
const PREEMPTED_MS = 250;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const SECOND_MS = 1000;

export class PodWorkers {
  readonly #o: WorkersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;
  readonly #backoff = new FailureBackoff();
  readonly #say: EntryEvents;
  readonly #ending: PodEnding;
  readonly #resizes: PodResizes;
  #sourcesSynced = false;

  constructor(options: WorkersOptions) {
    this.#o = options;
    this.#say = new EntryEvents(options.events);
    this.#resizes = new PodResizes(
      { ...options, again: (uid, ms) => this.#queue.addAfter(uid, ms), others: (entry) => this.#others(entry) },
      this.#say,
    );
    this.#ending = new PodEnding(options, (entry) => this.#tell(entry, options.observer.get(uidOf(entry)), new Map()));
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
        if (this.#sourcesSynced) await this.#ending.removeOrphan(uid);
      } else if (entry.gone) await this.#forget(uid, entry);
      else if (entry.removed) return;
      else if (entry.pod.metadata?.deletionTimestamp !== undefined) await this.#ending.terminate(uid, entry);
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
    const admission = this.#admit(uid, entry);
    if (admission === 'waits') return;
    if (admission === 'new') {
      await this.#allocate(entry);
      await this.#o.at?.('admitted', uid);
    }
    this.#resizes.grant(entry);
    await this.#resizes.limitWhole(entry);
    for (let step = 0; step < MAX_STEPS; step++) {
      // What came meanwhile is in the queue.
      if (isEnding(entry) || this.#o.signal.aborted) return;
      const observed = observer.get(uid);
      probes.adjust(entry.pod, observed);
      const plan = this.#plan(uid, entry, observed);
      const held = holdBack(plan, entry.failures, clock.now());
      this.#say.pullBackoffs(entry, held.waiting);
      this.#tell(entry, observed, held.waiting);
      if (held.lookAgainAt !== undefined) this.#queue.addAfter(uid, Math.max(0, held.lookAgainAt - clock.now()));
      if (!(await this.#prepared(uid, entry, plan, observed))) return;
      const actions = this.#resizes.due(entry, held.actions);
      if (actions.length === 0) {
        if (plan.finished) await this.#wind(uid, entry);
        return;
      }
      const { failures, resizeFailure } = await actor.perform(podOf(entry), observed, actions, entry.ending.signal);
      this.#o.machine.forgetMessages(actions.flatMap((a) => (a.action === 'removeContainer' ? [a.id] : [])));
      for (const failure of failures) entry.failures.set(failure.container, { ...failure, at: clock.now() });
      if (actions.some((a) => a.action === 'resizeContainer')) this.#resizes.failed(entry, resizeFailure);
      await this.#o.look();
    }
    this.#queue.addAfter(uid, REST_MS);
  }

  /** A pod that this node cannot run fails at once. It waits where others have to go first. */
  #admit(uid: string, entry: Entry): 'new' | 'known' | 'waits' {
    if (entry.admitted) return 'known';
    entry.admitted = true;
    // What runs already was admitted before.
    if (isOver(entry.pod) || this.#o.observer.get(uid) !== undefined) return 'known';
    const others = this.#others(entry);
    const refusal = this.#o.admission.refusal(entry.pod, others);
    if (refusal === undefined) return 'new';
    if (refusal.reason.startsWith('OutOf') && this.#preempt(entry, others)) {
      entry.admitted = false;
      this.#queue.addAfter(uid, PREEMPTED_MS);
      return 'waits';
    }
    this.#refuse(entry, refusal);
    return 'known';
  }

  /** Lets others go where a critical pod finds no room. Returns whether there will be room. */
  #preempt({ pod }: Entry, others: readonly Pod[]): boolean {
    const { admission, events } = this.#o;
    // Those that are ending already leave their room, too.
    const staying = others.filter(({ metadata }) => {
      const other = this.#entries.get(metadata?.uid ?? '');
      return other !== undefined && !isEnding(other) && other.failed === undefined;
    });
    const victims = preemptionVictims(pod, staying, admission.missing(pod, staying));
    for (const victim of victims ?? []) {
      const message = 'Preempted in order to admit critical pod';
      events.event(referenceTo(victim), 'Warning', 'Preempting', message);
      const failure = { reason: 'Preempting', message, disruption: BY_KUBELET };
      this.fail(victim.metadata?.uid ?? '', failure, victim.spec?.terminationGracePeriodSeconds ?? 30);
    }
    return victims !== undefined;
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

  #plan(uid: string, entry: Entry, observed: ObservedPod | undefined): Plan {
    const { clock, probes } = this.#o;
    const plan = planPod({
      pod: podOf(entry),
      observed,
      now: clock.now(),
      failed: entry.failed !== undefined,
      grace: entry.failGrace,
      backoffUntil: (container, finishedAt) => this.#backoff.until(backoffKey(entry, container), finishedAt),
      resizedAway: (id) => this.#o.actor.resizedAway.has(id),
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
      if (reason === 'CrashLoopBackOff')
        this.#say.backoff(entry, name, this.#backoff.current(backoffKey(entry, name)) ?? 0);
    }
    return plan;
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
      const reason = error instanceof PreparationError ? error.reason : 'FailedMount';
      const { message } = error as Error;
      const { failure, say, retryMs } = mountFailed(message, entry.mountFailure, this.#o.clock.now());
      entry.mountFailure = failure;
      if (say) this.#o.events.event(referenceTo(entry.pod), 'Warning', reason, message);
      this.#queue.addAfter(uid, retryMs);
      return !starts;
    }
    entry.mountFailure = undefined;
    entry.volumesReady = true;
    entry.whole = wholeKey(podOf(entry));
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
    const { statuses, probes, machine, clock, hostIPs, actor } = this.#o;
    const { failed, pendingResize, resizeFailure } = entry;
    const pod = podOf(entry);
    const uid = pod.metadata?.uid ?? '';
    const status = podStatusOf({
      pod: { ...pod, status: statuses.latest(pod) },
      observed,
      waiting,
      hostIPs,
      now: clock.now(),
      ending: pod.metadata?.deletionTimestamp !== undefined || failed !== undefined,
      recursiveReadOnly: this.#o.features.recursiveReadOnly(undefined),
      ready: (id) => probes.ready(uid, id),
      started: (id) => probes.started(uid, id),
      terminationMessage: (run) => machine.terminationMessage(run, pod),
      applied: (run) => actor.resized.get(run.id) ?? run.resources,
      ...(pendingResize === undefined ? {} : { pendingResize }),
      ...(resizeFailure === undefined ? {} : { resizeFailure: resizeFailure.message }),
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

  async #forget(uid: string, entry: Entry): Promise<void> {
    await this.#ending.remove(uid, entry);
    this.#o.statuses.forget(uid);
    this.#backoff.forget(`${uid}/`);
    this.#entries.delete(uid);
    this.#o.onForgotten?.(uid);
  }
}

const uidOf = ({ pod }: Entry) => pod.metadata?.uid ?? '';
