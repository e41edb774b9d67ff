/**
 * Numbers out of a range, each held by at most one owner: addresses and ports of services. Choosing
 * and holding happen at once, so requests that run side by side never get the same one.
 */
import type { Random } from '../../lib/random.ts';

/** Random choices before the range is searched from a random place. */
const RANDOM_TRIES = 16;
/** Smaller ranges keep nothing back. */
const LEAST_KEPT = 16;

/** Both ends belong to it. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** How much of the start of a range is kept for those who ask for a number by name. */
interface KeptShare {
  readonly share: number;
  readonly most: number;
}

interface DividedRange extends NumberRange {
  /** numbers below this are chosen only when there are no others */
  readonly dynamicFrom: number;
}

function divide({ first, last }: NumberRange, kept: KeptShare): DividedRange {
  const size = last - first + 1;
  const count = size < LEAST_KEPT ? 0 : Math.max(LEAST_KEPT, Math.min(Math.floor(size / kept.share), kept.most));
  return { first, last, dynamicFrom: first + count };
}

export class Reservations {
  #ranges: readonly DividedRange[];
  readonly #owners = new Map<number, string>();
  readonly #held = new Map<string, Set<number>>();
  readonly #kept: KeptShare;
  readonly #random: Random;

  constructor(ranges: readonly NumberRange[], kept: KeptShare, random: Random) {
    this.#kept = kept;
    this.#random = random;
    this.#ranges = ranges.map((range) => divide(range, kept));
  }

  /** From now on numbers come out of these. What is held stays held, wherever it lies. */
  setRanges(ranges: readonly NumberRange[]): void {
    this.#ranges = ranges.map((range) => divide(range, this.#kept));
  }

  includes(value: number): boolean {
    return this.#ranges.some(({ first, last }) => value >= first && value <= last);
  }

  /** Whether somebody holds a number for which `test` is true. */
  someHeld(test: (value: number) => boolean): boolean {
    for (const value of this.#owners.keys()) if (test(value)) return true;
    return false;
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

  /** A free number out of the ranges that are wanted; undefined where there is none. It is not taken yet. */
  choose(isWanted: (range: NumberRange) => boolean = () => true): number | undefined {
    const ranges = this.#ranges.filter(isWanted);
    for (const { dynamicFrom, last } of ranges) {
      const value = this.#within(dynamicFrom, last);
      if (value !== undefined) return value;
    }
    for (const { first, dynamicFrom } of ranges) {
      const value = this.#within(first, dynamicFrom - 1);
      if (value !== undefined) return value;
    }
    return undefined;
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
