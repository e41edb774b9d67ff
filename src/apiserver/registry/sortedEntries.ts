/** The entries of a cache in the order of their keys, kept in order while objects come, change and go. */
import { prefixEnd } from '../../storage/storage.ts';
import type { Entry } from './entry.ts';

export class SortedEntries {
  #entries: Entry[];
  /** Somebody holds the array: the next change is made in a copy. */
  #shared = false;

  constructor(entries: Entry[]) {
    this.#entries = entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** Ascending. The array never changes any more. */
  all(): readonly Entry[] {
    this.#shared = true;
    return this.#entries;
  }

  /** Those whose key begins with `prefix`, which ends in an ASCII character. */
  below(prefix: string): readonly Entry[] {
    return this.#entries.slice(this.#placeOf(prefix), this.#placeOf(prefixEnd(prefix)));
  }

  put(entry: Entry): void {
    this.#own();
    const at = this.#placeOf(entry.key);
    const there = this.#entries[at];
    if (there?.key === entry.key) this.#entries[at] = entry;
    else this.#entries.splice(at, 0, entry);
  }

  delete(key: string): void {
    const at = this.#placeOf(key);
    if (this.#entries[at]?.key !== key) return;
    this.#own();
    this.#entries.splice(at, 1);
  }

  #own(): void {
    if (!this.#shared) return;
    this.#entries = [...this.#entries];
    this.#shared = false;
  }

  /** The first place whose key is not before `key`. */
  #placeOf(key: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry).key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
