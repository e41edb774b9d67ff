/**
 * Reads the usage of nodes when somebody asks for it, and never otherwise. Whoever asks again and again, as
 * autoscalers do, gets rates since they asked before; whoever asks once waits for a second reading.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { KEPT_MS, NodeHistory, SHORTEST_WINDOW_MS } from './history.ts';
import type { UsageSource } from './usage.ts';

/** A reading that is not older is taken for now. */
const FRESH_MS = 1_000;
/** A node that does not answer in this time is left out. */
const TIMEOUT_MS = 5_000;
/** Nodes that nobody asked about for a while are forgotten, looked for no more often than this. */
const FORGET_EVERY_MS = KEPT_MS;

export interface UsageCollectorOptions {
  readonly source: UsageSource;
  readonly clock: Clock;
  readonly log: Logger;
}

export class UsageCollector {
  readonly #o: UsageCollectorOptions;
  readonly #nodes = new Map<string, NodeHistory>();
  readonly #reading = new Map<string, Promise<void>>();
  #forgotAt = 0;

  constructor(options: UsageCollectorOptions) {
    this.#o = options;
  }

  /** What is known of these nodes now; nodes that do not answer are not in it. */
  async measure(names: Iterable<string>): Promise<ReadonlyMap<string, NodeHistory>> {
    const wanted = [...new Set(names)];
    this.#forget();
    await this.#readAll(wanted);
    const cold = wanted.filter((name) => this.#nodes.get(name)?.isWarm === false);
    if (cold.length > 0) {
      await this.#o.clock.sleep(SHORTEST_WINDOW_MS);
      await this.#readAll(cold);
    }
    const now = this.#o.clock.now();
    return new Map(
      wanted.flatMap((name) => {
        const history = this.#nodes.get(name);
        // What was read long ago, of a node that does not answer now, is not what it uses.
        const isNow = now - (history?.latestAt ?? 0) <= FRESH_MS + TIMEOUT_MS + SHORTEST_WINDOW_MS;
        return history === undefined || !isNow ? [] : [[name, history] as const];
      }),
    );
  }

  async #readAll(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#read(name)));
  }

  #read(name: string): Promise<void> | undefined {
    const latest = this.#nodes.get(name)?.latestAt;
    if (latest !== undefined && this.#o.clock.now() - latest < FRESH_MS) return undefined;
    let reading = this.#reading.get(name);
    if (reading === undefined) {
      reading = this.#readOnce(name).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  async #readOnce(name: string): Promise<void> {
    const { source, clock, log } = this.#o;
    const abort = new AbortController();
    const timer = clock.after(TIMEOUT_MS, () => abort.abort(new Error('the kubelet did not answer in time')));
    try {
      const usage = await source(name, abort.signal);
      if (usage === undefined) return;
      const history = this.#nodes.get(name) ?? new NodeHistory();
      history.add(usage);
      this.#nodes.set(name, history);
    } catch (error) {
      log.debug('the usage of a node could not be read', { node: name, err: error });
    } finally {
      timer.cancel();
    }
  }

  #forget(): void {
    const now = this.#o.clock.now();
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    for (const [name, { latestAt = 0 }] of this.#nodes) if (now - latestAt > KEPT_MS) this.#nodes.delete(name);
  }
}
