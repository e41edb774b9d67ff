/** What happened to the pods of an app, event by event, for tests that look at every moment of a history. */
import { type Pod, pods } from '../../src/apis/core/pod.ts';
import type { Stored } from '../../src/machinery/kind.ts';
import { isReady, NAMESPACE, type Simulation } from './simulation.ts';

/** A change of a pod. `before` and `after` are all pods of the app at that time, by name. */
export interface PodChange {
  readonly type: 'added' | 'going' | 'changed' | 'gone';
  readonly pod: Stored<Pod>;
  readonly before: ReadonlyMap<string, Stored<Pod>>;
  readonly after: ReadonlyMap<string, Stored<Pod>>;
}

export const isGoing = (pod: Pod) => pod.metadata?.deletionTimestamp !== undefined;
export const isOver = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
export const active = (all: ReadonlyMap<string, Stored<Pod>>) =>
  [...all.values()].filter((pod) => !isGoing(pod) && !isOver(pod));
export const ready = (all: ReadonlyMap<string, Stored<Pod>>) => [...all.values()].filter(isReady);

export class History {
  /** what was found to be wrong, the first first */
  readonly faults: string[] = [];
  readonly #world: Simulation;
  readonly #abort = new AbortController();
  #all: ReadonlyMap<string, Stored<Pod>> = new Map();

  private constructor(world: Simulation) {
    this.#world = world;
  }

  /** @param look says what is wrong with a change, if anything */
  static async of(world: Simulation, app: string, look: (change: PodChange) => string | undefined): Promise<History> {
    const history = new History(world);
    await world.cluster.client.watch(
      pods,
      { namespace: NAMESPACE, labelSelector: `app=${app}`, signal: history.#abort.signal },
      ({ type, object }) => {
        if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') history.#take(type, object, look);
      },
      () => {},
    );
    return history;
  }

  get all(): ReadonlyMap<string, Stored<Pod>> {
    return this.#all;
  }

  end(): void {
    this.#abort.abort(new Error('the history is over'));
  }

  #take(type: string, pod: Stored<Pod>, look: (change: PodChange) => string | undefined): void {
    const before = this.#all;
    const { name } = pod.metadata;
    const after = new Map(before);
    if (type === 'DELETED') after.delete(name);
    else after.set(name, pod);
    this.#all = after;
    const known = before.get(name);
    const wasGoing = known !== undefined && isGoing(known);
    const began = type === 'MODIFIED' && isGoing(pod) && !wasGoing;
    const change = type === 'ADDED' ? 'added' : began ? 'going' : type === 'DELETED' ? 'gone' : 'changed';
    const fault = look({ type: change, pod, before, after });
    if (fault === undefined) return;
    const shown = [...after.values()].map((p) => `${p.metadata.name}${isReady(p) ? '+' : isGoing(p) ? '-' : ''}`);
    this.faults.push(`${fault}: ${change} ${name} at ${this.#world.cluster.clock.now()}: ${shown.join(' ')}`);
  }
}
