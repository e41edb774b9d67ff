/**
 * The pods that wait for a node. Active ones come next, by priority and then by time. One that fitted
 * nowhere waits until the cluster changes in a way that may help it, and then for its back-off, though
 * no longer than the scheduler has anything else to do. Nothing waits for longer than five minutes.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/#queueing-hint
 */
import type { Pod } from '../apis/core/pod.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { Heap } from '../lib/heap.ts';
import type { Stored } from '../machinery/kind.ts';
import { type ClusterChange, maySucceedNow } from './clusterChange.ts';
import { type PodInfo, podInfoOf } from './podInfo.ts';
import { DEFAULT_PROFILE } from './profile.ts';

type Where = 'active' | 'backingOff' | 'unschedulable' | 'gated' | 'inFlight';

export interface QueuedPod {
  info: PodInfo;
  where: Where;
  /** tries that failed */
  attempts: number;
  /** when it came into the queue that it is in, by the clock's monotonic time */
  since: number;
  /** of its back-off after the last try */
  backoffUntil: number;
  /** the plugins that refused nodes; empty where something went wrong */
  refusedBy: ReadonlySet<string>;
  /** it is in the heap of active pods, though perhaps no longer rightly so */
  inHeap: boolean;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 10_000;
const LONGEST_WAIT_MS = 5 * 60_000;

const RETRY_AFTER: ReadonlyMap<string, ReadonlySet<ClusterChange>> = new Map(
  DEFAULT_PROFILE.map(({ plugin }) => [plugin.name, new Set(plugin.retryAfter)]),
);

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onWork: () => void;
  /** by uid; bounded by the pods of the cluster that wait */
  readonly #pods = new Map<string, QueuedPod>();
  readonly #active: Heap<QueuedPod>;
  readonly #backingOff = new Set<QueuedPod>();
  #timer: { at: number; timer: Timer } | undefined;

  /** @param onWork is called when there is a pod to take */
  constructor(clock: Clock, onWork: () => void) {
    this.#clock = clock;
    this.#onWork = onWork;
    this.#active = new Heap(comesBefore);
  }

  /** Pods that wait, wherever. */
  get size(): number {
    return this.#pods.size;
  }

  /** A pod without a node is there, for the first time or changed. */
  set(pod: Stored<Pod>): void {
    const { uid } = pod.metadata;
    const gated = (pod.spec?.schedulingGates ?? []).length > 0;
    const queued = this.#pods.get(uid);
    if (queued === undefined) {
      const added: QueuedPod = {
        info: podInfoOf(pod),
        where: 'gated',
        attempts: 0,
        since: this.#clock.monotonic(),
        backoffUntil: 0,
        refusedBy: new Set(),
        inHeap: false,
      };
      this.#pods.set(uid, added);
      if (!gated) this.#activate(added);
      return;
    }
    const old = queued.info.pod;
    queued.info = podInfoOf(pod);
    if (queued.where === 'gated') {
      if (!gated) this.#activate(queued);
    } else if (queued.where === 'unschedulable' && maySucceedNow(pod, old)) this.#retry(queued);
  }

  delete(uid: string): void {
    const queued = this.#pods.get(uid);
    if (queued === undefined) return;
    this.#pods.delete(uid);
    this.#backingOff.delete(queued);
    // Where it stands in the heap it is passed over.
    queued.where = 'inFlight';
  }

  /** Takes the pod that is next; it is in flight until `failed` or `delete`. */
  take(): QueuedPod | undefined {
    let queued = this.#active.pop();
    for (; queued !== undefined; queued = this.#active.pop()) {
      queued.inHeap = false;
      if (queued.where === 'active') break;
    }
    queued ??= this.#nextBackingOff();
    if (queued !== undefined) queued.where = 'inFlight';
    return queued;
  }

  /** Whether it is still to be scheduled: a pod may be deleted while it is in flight. */
  has(queued: QueuedPod): boolean {
    return this.#pods.get(queued.info.uid) === queued;
  }

  /** It could not be placed. @param refusedBy the plugins that said no; empty where something went wrong */
  failed(queued: QueuedPod, refusedBy: ReadonlySet<string>): void {
    if (!this.has(queued)) return;
    const now = this.#clock.monotonic();
    queued.attempts++;
    queued.since = now;
    queued.refusedBy = refusedBy;
    queued.backoffUntil = now + Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(queued.attempts - 1, 10));
    if (refusedBy.size === 0) this.#backOff(queued);
    else {
      queued.where = 'unschedulable';
      this.#wakeAt(now + LONGEST_WAIT_MS);
    }
  }

  /** The cluster changed: pods that this may help are tried again. @param concerns absent: it may be any pod */
  clusterChanged(changes: readonly ClusterChange[], concerns?: (pod: PodInfo) => boolean): void {
    if (changes.length === 0) return;
    for (const queued of this.#pods.values()) {
      if (queued.where !== 'unschedulable') continue;
      const helps = [...queued.refusedBy].some((name) => changes.some((c) => RETRY_AFTER.get(name)?.has(c)));
      if (helps && concerns?.(queued.info) !== false) this.#retry(queued);
    }
  }

  stop(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#pods.clear();
    this.#backingOff.clear();
  }

  #retry(queued: QueuedPod): void {
    if (queued.backoffUntil > this.#clock.monotonic()) this.#backOff(queued);
    else this.#activate(queued);
  }

  #activate(queued: QueuedPod): void {
    this.#backingOff.delete(queued);
    queued.where = 'active';
    queued.since = this.#clock.monotonic();
    if (!queued.inHeap) {
      queued.inHeap = true;
      this.#active.push(queued);
    }
    this.#onWork();
  }

  #backOff(queued: QueuedPod): void {
    queued.where = 'backingOff';
    this.#backingOff.add(queued);
    this.#wakeAt(queued.backoffUntil);
    this.#onWork();
  }

  /** With nothing else to do there is no need to wait, except after a failure of another kind. */
  #nextBackingOff(): QueuedPod | undefined {
    let next: QueuedPod | undefined;
    for (const queued of this.#backingOff) {
      if (queued.refusedBy.size > 0 && (next === undefined || comesBefore(queued, next))) next = queued;
    }
    if (next !== undefined) this.#backingOff.delete(next);
    return next;
  }

  /** One timer for all that waits, set to the earliest. */
  #wakeAt(at: number): void {
    if (this.#timer !== undefined) {
      if (this.#timer.at <= at) return;
      this.#timer.timer.cancel();
    }
    const timer = this.#clock.after(at - this.#clock.monotonic(), () => {
      this.#timer = undefined;
      this.#wake();
    });
    this.#timer = { at, timer };
  }

  #wake(): void {
    const now = this.#clock.monotonic();
    let earliest = Number.POSITIVE_INFINITY;
    for (const queued of this.#pods.values()) {
      if (queued.where !== 'backingOff' && queued.where !== 'unschedulable') continue;
      const at = queued.where === 'backingOff' ? queued.backoffUntil : queued.since + LONGEST_WAIT_MS;
      if (at <= now) this.#activate(queued);
      else earliest = Math.min(earliest, at);
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#wakeAt(earliest);
  }
}

function comesBefore(a: QueuedPod, b: QueuedPod): boolean {
  return a.info.priority !== b.info.priority ? a.info.priority > b.info.priority : a.since < b.since;
}
