/** Events of what becomes of a pod, each told once. */
import type { Pod } from '../../apis/core/pod.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import { containerReference } from './containerReference.ts';
import type { Entry } from './entry.ts';
import { containerNamed, type Waiting } from './plan.ts';
import { type PendingResize, resizeText, sameResources } from './resize.ts';

export class EntryEvents {
  readonly #events: EventRecorder;

  constructor(events: EventRecorder) {
    this.#events = events;
  }

  /** Events of what comes of a wish for other resources; that it is fulfilled is told with the status. */
  resize(entry: Entry, before: Pod, pending: PendingResize | undefined): void {
    const { pod, granted, pendingResize } = entry;
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#events.event(referenceTo(pod), type, reason, message);
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

  /** Once for each wait. */
  backoff(entry: Entry, container: string, until: number): void {
    if (entry.toldBackoffs.get(container) === until) return;
    entry.toldBackoffs.set(container, until);
    const { name, namespace, uid } = entry.pod.metadata ?? {};
    const message = `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`;
    this.#events.event(containerReference(entry.pod, container), 'Warning', 'BackOff', message);
  }

  /** Once for each pull that failed. */
  pullBackoffs(entry: Entry, waiting: ReadonlyMap<string, Waiting>): void {
    for (const [name, { reason }] of waiting) {
      const { at: failedAt, image: ofVolume } = entry.failures.get(name) ?? {};
      if (reason !== 'ImagePullBackOff' || failedAt === undefined || entry.toldBackoffs.get(name) === failedAt)
        continue;
      entry.toldBackoffs.set(name, failedAt);
      const about = containerReference(entry.pod, name);
      const own = containerNamed(entry.pod.spec ?? { containers: [] }, name)?.image;
      const image = JSON.stringify(ofVolume ?? own ?? '');
      this.#events.event(about, 'Normal', 'BackOff', `Back-off pulling image ${image}`);
      this.#events.event(about, 'Warning', 'Failed', `Error: ${reason}`);
    }
  }
}
