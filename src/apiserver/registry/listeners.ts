/**
 * Who hears of the events of one kind. Whoever follows only the objects with one value of a field, as a kubelet
 * follows the pods of its node, is found by that value: an event costs those that it concerns, not all.
 */
import { fieldValue } from '../../machinery/fieldSelector.ts';
import type { Kind } from '../../machinery/kind.ts';
import type { CacheEvent } from './eventLog.ts';

/** Hears of events in order; must not throw and must not block. */
export interface CacheListener {
  onEvent(event: CacheEvent): void;
  /** The cache ends or had to start anew: whoever listens must list again. */
  onEnd(): void;
}

/** What an object must have, or have had, to be of interest. */
export interface FieldValue {
  readonly field: string;
  readonly value: string;
}

export class Listeners {
  readonly #kind: Kind;
  readonly #toAll = new Set<CacheListener>();
  /** by field, then by value */
  readonly #byField = new Map<string, Map<string, Set<CacheListener>>>();

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** @param only absent: of every object. Returns a function that ends it. */
  add(listener: CacheListener, only?: FieldValue): () => void {
    if (only === undefined) {
      this.#toAll.add(listener);
      return () => this.#toAll.delete(listener);
    }
    const { field, value } = only;
    const byValue = this.#byField.get(field) ?? new Map<string, Set<CacheListener>>();
    this.#byField.set(field, byValue);
    const mine = byValue.get(value) ?? new Set();
    byValue.set(value, mine);
    mine.add(listener);
    return () => {
      mine.delete(listener);
      if (mine.size === 0 && this.#byField.get(field)?.get(value) === mine) this.#drop(field, value);
    };
  }

  #drop(field: string, value: string): void {
    const byValue = this.#byField.get(field);
    byValue?.delete(value);
    if (byValue?.size === 0) this.#byField.delete(field);
  }

  /** A hot path: once for each write, times the listeners that it concerns. */
  tell(event: CacheEvent): void {
    for (const listener of this.#toAll) listener.onEvent(event);
    for (const [field, byValue] of this.#byField) {
      const now = fieldValue(field, this.#kind, event.entry.object);
      for (const listener of byValue.get(now) ?? NOBODY) listener.onEvent(event);
      if (event.previous === undefined) continue;
      const before = fieldValue(field, this.#kind, event.previous.object);
      if (before !== now) for (const listener of byValue.get(before) ?? NOBODY) listener.onEvent(event);
    }
  }

  /** All of them, who hear of nothing any more. */
  takeAll(): CacheListener[] {
    const all = [...this.#toAll];
    for (const byValue of this.#byField.values()) for (const listeners of byValue.values()) all.push(...listeners);
    this.#toAll.clear();
    this.#byField.clear();
    return all;
  }
}

const NOBODY: ReadonlySet<CacheListener> = new Set();
