/**
 * How nodes fare by zone, and how fast pods may be driven off them: where much of a zone fails at once, the fault is
 * rather with the network between it and the control plane.
 *
 * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
 */
import type { Node } from '../../apis/core/node.ts';

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** nodes a second */
const EVICTION_RATE = 0.1;
const REDUCED_RATE = 0.01;
/** From this part of nodes on that are not ready, a zone is disrupted. */
const UNHEALTHY_PART = 0.55;
/** So few do not make a disruption, unless they are all. */
const FEW = 2;
/** A disrupted zone with more nodes goes on slowly, a smaller one stops. */
const LARGE_ZONE = 50;

const REGION = 'topology.kubernetes.io/region';
const ZONE = 'topology.kubernetes.io/zone';
const EXCLUDED = 'node.kubernetes.io/exclude-disruption';

export function zoneOf(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  return `${labels[REGION] ?? ''}/${labels[ZONE] ?? ''}`;
}

/** Whether the node does not count. */
export const isExcluded = (node: Node): boolean => node.metadata?.labels?.[EXCLUDED] !== undefined;

class Zone {
  readonly nodes = new Set<string>();
  ready = 0;
  /** monotonic: when the last node was given up */
  lastEvictionMs = Number.NEGATIVE_INFINITY;

  get state(): ZoneState {
    const notReady = this.nodes.size - this.ready;
    if (this.ready === 0 && notReady > 0) return 'FullDisruption';
    return notReady > FEW && notReady / this.nodes.size >= UNHEALTHY_PART ? 'PartialDisruption' : 'Normal';
  }
}

/** What changed for other nodes: `all` of them, those of some zones, or nothing. */
export interface ZoneChange {
  readonly nodes: readonly string[];
  /** Some node is heard of again after none was: what was thought of the others was a fault of our own. */
  readonly restored: boolean;
}

export class Zones {
  readonly #zones = new Map<string, Zone>();
  readonly #nodes = new Map<string, { readonly zone: string; readonly ready: boolean }>();
  #disrupted = 0;

  /** Whether no zone has a node that is ready: then no pod is driven off anywhere. */
  get allDown(): boolean {
    return this.#disrupted > 0 && this.#disrupted === this.#zones.size;
  }

  stateOf(zone: string): ZoneState {
    return this.#zones.get(zone)?.state ?? 'Normal';
  }

  set(name: string, zone: string, ready: boolean): ZoneChange {
    const before = this.#nodes.get(name);
    if (before?.zone === zone && before.ready === ready) return { nodes: [], restored: false };
    return this.#change([before?.zone, zone], () => {
      this.#take(name);
      this.#nodes.set(name, { zone, ready });
      const now = this.#zones.get(zone) ?? new Zone();
      this.#zones.set(zone, now);
      now.nodes.add(name);
      if (ready) now.ready++;
    });
  }

  remove(name: string): ZoneChange {
    return this.#change([this.#nodes.get(name)?.zone], () => this.#take(name));
  }

  /**
   * Asks to drive the pods off one more node of a zone; what is allowed counts as done.
   * @returns 0: now; else in how many milliseconds it is worth to ask again; undefined: not before the zone's state changes
   */
  evict(zone: string, monotonicMs: number): number | undefined {
    const found = this.#zones.get(zone);
    const rate = this.#rateOf(found);
    if (rate === 0) return undefined;
    if (found === undefined) return 0;
    const leftMs = Math.ceil(found.lastEvictionMs + 1000 / rate - monotonicMs);
    if (leftMs > 0) return leftMs;
    found.lastEvictionMs = monotonicMs;
    return 0;
  }

  #rateOf(zone: Zone | undefined): number {
    if (this.allDown) return 0;
    if (zone?.state !== 'PartialDisruption') return EVICTION_RATE;
    return zone.nodes.size > LARGE_ZONE ? REDUCED_RATE : 0;
  }

  #take(name: string): void {
    const before = this.#nodes.get(name);
    if (before === undefined) return;
    this.#nodes.delete(name);
    const zone = this.#zones.get(before.zone);
    if (zone === undefined) return;
    zone.nodes.delete(name);
    if (before.ready) zone.ready--;
    if (zone.nodes.size === 0) this.#zones.delete(before.zone);
  }

  /** Makes a change in these zones and finds out what it means. */
  #change(names: readonly (string | undefined)[], make: () => void): ZoneChange {
    const touched = [...new Set(names)].filter((name) => name !== undefined);
    const states = () => touched.map((name) => this.#zones.get(name)?.state);
    const down = (all: readonly (ZoneState | undefined)[]) => all.filter((s) => s === 'FullDisruption').length;
    const allWereDown = this.allDown;
    const before = states();
    make();
    const after = states();
    this.#disrupted += down(after) - down(before);
    if (allWereDown !== this.allDown) return { nodes: [...this.#nodes.keys()], restored: allWereDown };
    const changed = touched.filter((_, i) => before[i] !== after[i]);
    return { nodes: changed.flatMap((name) => [...(this.#zones.get(name)?.nodes ?? [])]), restored: false };
  }
}
