/** What was read of one node in the last minute, and the rates that follow. */
import type { ContainerUsage, NodeUsage } from './usage.ts';

/** Older readings say nothing of now. */
export const KEPT_MS = 60_000;
/** Rates are told over at least so long, where there are readings for it: shorter ones jump. */
const USUAL_WINDOW_MS = 10_000;
/** Nothing is told over less than this. */
export const SHORTEST_WINDOW_MS = 1_000;
/** Of readings that are closer together, the older ones are enough. */
const SPACING_MS = 5_000;
/** Start times are told in seconds with fractions: so much may be lost. */
const SAME_START_MS = 500;

export interface Rate {
  /** ms since the epoch: the end of the window */
  readonly at: number;
  readonly windowMs: number;
  readonly cpuNanocores: number;
  readonly memoryBytes: number;
}

interface Reading {
  readonly usage: NodeUsage;
  /** by `containerKey` */
  readonly containers: ReadonlyMap<string, ContainerUsage>;
}

export const podKey = (namespace: string, name: string) => `${namespace}/${name}`;
const containerKey = ({ namespace, pod, container }: ContainerUsage) => `${namespace}/${pod}/${container}`;

export class NodeHistory {
  /** oldest first */
  #readings: Reading[] = [];

  add(usage: NodeUsage): void {
    const containers = new Map(usage.containers.map((c) => [containerKey(c), c]));
    const kept = this.#readings.filter((r) => usage.at - r.usage.at <= KEPT_MS && r.usage.at < usage.at);
    const [before, last] = kept.slice(-2);
    if (before !== undefined && last !== undefined && last.usage.at - before.usage.at < SPACING_MS) kept.pop();
    this.#readings = [...kept, { usage, containers }];
  }

  /** ms since the epoch: the newest reading */
  get latestAt(): number | undefined {
    return this.#readings.at(-1)?.usage.at;
  }

  /** Whether there are two readings that a rate can be told from. */
  get isWarm(): boolean {
    const [first] = this.#readings;
    return first !== undefined && (this.latestAt ?? 0) - first.usage.at >= SHORTEST_WINDOW_MS;
  }

  /** Undefined where there is no earlier reading. */
  node(): Rate | undefined {
    const now = this.#readings.at(-1)?.usage;
    return now === undefined
      ? undefined
      : rateBetween(
          this.#before(now, (r) => r.usage),
          now,
        );
  }

  /** Of the pods of which all containers can be told of, by `podKey`: each container's rate by its name. */
  pods(): Map<string, Map<string, Rate>> {
    const pods = new Map<string, Map<string, Rate>>();
    const incomplete = new Set<string>();
    for (const now of this.#readings.at(-1)?.usage.containers ?? []) {
      const key = podKey(now.namespace, now.pod);
      const name = containerKey(now);
      const earlier = this.#before(now, (r) => r.containers.get(name));
      // What started since then has used nothing before.
      const rate = rateBetween(earlier ?? { ...now, at: now.startedAt, cpuNanoseconds: 0 }, now);
      if (rate === undefined) incomplete.add(key);
      else pods.set(key, (pods.get(key) ?? new Map()).set(now.container, rate));
    }
    for (const key of incomplete) pods.delete(key);
    return pods;
  }

  /** The youngest reading that is old enough, else the oldest; of the same run only. */
  #before<U extends Counter>(now: U, of: (reading: Reading) => U | undefined): U | undefined {
    let found: U | undefined;
    for (const reading of this.#readings) {
      const usage = of(reading);
      if (usage === undefined || usage === now || !isSameRun(usage, now)) continue;
      if (found === undefined || now.at - usage.at >= USUAL_WINDOW_MS) found = usage;
    }
    return found;
  }
}

interface Counter {
  readonly at: number;
  readonly startedAt: number;
  readonly cpuNanoseconds: number;
  readonly workingSetBytes: number;
}

function isSameRun(before: Counter, now: Counter): boolean {
  return Math.abs(before.startedAt - now.startedAt) < SAME_START_MS && before.cpuNanoseconds <= now.cpuNanoseconds;
}

function rateBetween(before: Counter | undefined, now: Counter): Rate | undefined {
  if (before === undefined) return undefined;
  const windowMs = now.at - before.at;
  if (windowMs < SHORTEST_WINDOW_MS) return undefined;
  const cpuNanocores = Math.round(((now.cpuNanoseconds - before.cpuNanoseconds) * 1000) / windowMs);
  return { at: now.at, windowMs, cpuNanocores, memoryBytes: now.workingSetBytes };
}
