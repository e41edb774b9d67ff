/** Gives pods that run the resources that they wish for: grants them where there is room, and tells what comes of it. */
import type { Pod } from '../../apis/core/pod.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Machine } from '../machine/machine.ts';
import { podCgroup } from '../resources/cgroups.ts';
import type { Admission } from './admission.ts';
import { type Entry, podOf } from './entry.ts';
import type { EntryEvents } from './entryEvents.ts';
import type { RuntimeObserver } from './observed.ts';
import type { Action } from './plan.ts';
import { grant, grantedBefore, lowerMemory, sameResources, wholeKey } from './resize.ts';

export interface PodResizesOptions {
  readonly admission: Pick<Admission, 'infeasibility' | 'shortage'>;
  readonly observer: RuntimeObserver;
  readonly machine: Machine;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** A pod is to be looked at again. */
  again(uid: string, ms: number): void;
  /** The other pods that have their place here. */
  others(entry: Entry): readonly Pod[];
}

/** How often room is looked for that was not there. */
const DEFERRED_MS = 3_000;
/** How soon what failed is tried again. */
const RETRY_MS = 10_000;

export class PodResizes {
  readonly #o: PodResizesOptions;
  readonly #say: EntryEvents;

  constructor(options: PodResizesOptions, say: EntryEvents) {
    this.#o = options;
    this.#say = say;
  }

  /** What a pod wishes for now, it gets where there is room. */
  grant(entry: Entry): void {
    const { admission, observer, again, others } = this.#o;
    const { pod } = entry;
    const uid = uidOf(entry);
    if (entry.granted === undefined) entry.granted = observer.get(uid) === undefined ? pod : grantedBefore(pod);
    const before = entry.granted;
    const { pod: granted, pending } = grant(pod, before, {
      infeasibility: admission.infeasibility,
      shortage: (wished) => admission.shortage(wished, others(entry)),
    });
    entry.granted = granted;
    if (!sameResources(granted, before)) entry.resizeFailure = undefined;
    this.#say.resize(entry, before, pending);
    entry.pendingResize = pending;
    // Room may come when others go.
    if (pending?.reason === 'Deferred') again(uid, DEFERRED_MS);
  }

  /** The pod as a whole gets what it is to have; its containers' own are another matter. */
  async limitWhole(entry: Entry): Promise<void> {
    const { machine, again } = this.#o;
    const pod = podOf(entry);
    const wished = wholeKey(pod);
    if (!entry.volumesReady || wished === entry.whole) return;
    const waitMs = this.#left(entry);
    if (waitMs > 0) {
      again(uidOf(entry), waitMs);
      return;
    }
    const limit = lowerMemory(wished, entry.whole);
    const used = machine.cgroup(podCgroup(pod)).memoryBytes ?? 0;
    if (limit !== undefined && used >= limit) {
      this.failed(entry, `attempting to set pod memory limit (${limit}) below current usage (${used})`);
      again(uidOf(entry), RETRY_MS);
      return;
    }
    await machine.limitPod(pod);
    entry.whole = wished;
    this.failed(entry, undefined);
  }

  /** @param message why it cannot be; undefined: it was done */
  failed(entry: Entry, message: string | undefined): void {
    const { events, clock } = this.#o;
    if (message !== undefined && entry.resizeFailure === undefined)
      events.event(referenceTo(entry.pod), 'Warning', 'ResizeError', message);
    entry.resizeFailure = message === undefined ? undefined : { message, until: clock.now() + RETRY_MS };
  }

  /** What is to be done now: what failed a short while ago is not tried again yet. */
  due(entry: Entry, actions: readonly Action[]): readonly Action[] {
    const waitMs = this.#left(entry);
    if (waitMs <= 0 || !actions.some((a) => a.action === 'resizeContainer')) return actions;
    this.#o.again(uidOf(entry), waitMs);
    return actions.filter((a) => a.action !== 'resizeContainer');
  }

  #left({ resizeFailure }: Entry): number {
    return (resizeFailure?.until ?? 0) - this.#o.clock.now();
  }
}

const uidOf = ({ pod }: Entry) => pod.metadata?.uid ?? '';
