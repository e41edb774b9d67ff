/** Counts kept for each value of a topology label, e.g. for each zone. */
import type { NodeInfo } from './nodeInfo.ts';

export class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>();

  /** Adds to the domain that the node is in; nothing where it lacks the label. */
  add(topologyKey: string, node: NodeInfo, amount: number): void {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    let values = this.#counts.get(topologyKey);
    if (values === undefined) {
      values = new Map();
      this.#counts.set(topologyKey, values);
    }
    values.set(value, (values.get(value) ?? 0) + amount);
  }

  /** The count of the domain that the node is in; 0 where it lacks the label. */
  at(topologyKey: string, node: NodeInfo): number {
    const value = node.labels[topologyKey];
    return value === undefined ? 0 : (this.#counts.get(topologyKey)?.get(value) ?? 0);
  }

  /** The sum over all labels of what the node's domains count. */
  sumAt(node: NodeInfo): number {
    let sum = 0;
    for (const topologyKey of this.#counts.keys()) sum += this.at(topologyKey, node);
    return sum;
  }

  get empty(): boolean {
    return this.#counts.size === 0;
  }
}
