/** The end of a pod: its containers in their order, its last status, and nothing left of it here. */
import { pods } from '../../apis/core/pod.ts';
import { isApiError } from '../../machinery/status.ts';
import { type Entry, graceOf } from './entry.ts';
import { planTermination } from './plan.ts';
import type { WorkersOptions } from './workers.ts';

/** Steps in one go; a plan that never comes to rest would be a mistake. */
const MAX_STEPS = 20;
const SECOND_MS = 1000;

export class PodEnding {
  readonly #o: WorkersOptions;
  readonly #tell: (entry: Entry) => void;

  /** @param tell tells of the pod's status as it is now */
  constructor(options: WorkersOptions, tell: (entry: Entry) => void) {
    this.#o = options;
    this.#tell = tell;
  }

  /** The pod is to end: containers, then sandboxes; then its last status; then it leaves the API. */
  async terminate(uid: string, entry: Entry): Promise<void> {
    const { statuses, client, probes } = this.#o;
    probes.stopLiveness(uid);
    await this.#o.at?.('terminating', uid);
    entry.stopping = true;
    try {
      await this.#stopAll(uid, entry, () => this.#tell(entry));
    } finally {
      entry.stopping = false;
    }
    this.#tell(entry);
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

  /** The pod was deleted by force, or removed together with its namespace or node. */
  async remove(uid: string, entry: Entry): Promise<void> {
    if (entry.removed) return;
    this.#o.probes.stop(uid);
    await this.#stopAll(uid, entry, () => {});
    await this.#cleanUp(uid);
  }

  /** Takes away what is left of a pod that the API has no more. */
  async removeOrphan(uid: string): Promise<void> {
    const observed = this.#o.observer.get(uid);
    const { name, namespace } = observed ?? {};
    this.#o.log.info('removing what is left of a pod that is gone', { uid, pod: name, namespace });
    await this.#cleanUp(uid);
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
