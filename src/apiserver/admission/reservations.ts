/**
 * Numbers out of a range, each held by at most one owner: addresses and ports of services. Choosing
 * and holding happen at once, so requests that run side by side never get the same one.
 */
import type { Random } from '../../lib/random.ts';

/** Random choices before the range is searched from a random place. */
const RANDOM_TRIES = 16;
/** Smaller ranges keep nothing back. */
const LEAST_KEPT = 16;

export class Reservations {
  readonly first: number;
  readonly last: number;
  /** numbers below this are chosen only when there are no others: they are for those who ask for one by name */
  readonly #dynamicFrom: number;
  readonly #owners = new Map<number, string>();
  readonly #held = new Map<string, Set<number>>();
  readonly #random: Random;

  /** @param kept how much of the start of the range is kept for those who ask for one by name */
  constructor(first: number, last: number, kept: { readonly share: number; readonly most: number }, random: Random) {
    this.first = first;
    this.last = last;
    this.#random = random;
    const size = last - first + 1;
    const count = size < LEAST_KEPT ? 0 : Math.max(LEAST_KEPT, Math.min(Math.floor(size / kept.share), kept.most));
    this.#dynamicFrom = first + count;
  }

  includes(value: number): boolean {
    return value >= this.first && value <= this.last;
  }

  isFreeFor(value: number, owner: string): boolean {
    const holder = this.#owners.get(value);
    return holder === undefined || holder === owner;
  }

  /** Takes `value` for `owner`; false where another has it. */
  take(value: number, owner: string): boolean {
    if (!this.isFreeFor(value, owner)) return false;
    this.#owners.set(value, owner);
    let held = this.#held.get(owner);
    if (held === undefined) {
      held = new Set();
      this.#held.set(owner, held);
    }
    held.add(value);
    return true;
  }

  /** A free number; undefined where there is none. It is not taken yet. */
  choose(): number | undefined {
    return this.#within(this.#dynamicFrom, this.last) ?? this.#within(this.first, this.#dynamicFrom - 1);
  }

  #within(from: number, to: number): number | undefined {
    const size = to - from + 1;
    if (size <= 0) return undefined;
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const value = from + this.#random.integer(size);
      if (!this.#owners.has(value)) return value;
    }
    const start = this.#random.integer(size);
    for (let i = 0; i < size; i++) {
      const value = from + ((start + i) % size);
      if (!this.#owners.has(value)) return value;
    }
    return undefined;
  }

  /** Makes the owner hold just these: others that it held are free again. */
  settle(owner: string, values: readonly number[]): void {
    for (const value of this.#held.get(owner) ?? []) {
      if (!values.includes(value)) this.#owners.delete(value);
    }
    this.#held.delete(owner);
    for (const value of values) this.take(value, owner);
  }
}
