/**
 * The entries of a cache in the order of their keys, kept in order while objects come, change and go: in chunks, so
 * that among a hundred thousand objects a new one moves a few hundred.
 */
import { prefixEnd } from '../../storage/storage.ts';
import type { Entry } from './entry.ts';

/** A chunk above this is split. */
const CHUNK_MAX = 512;

export class SortedEntries {
  /** None is empty. */
  readonly #chunks: Entry[][] = [];
  /** all of them, since somebody asked and until something changes */
  #all: readonly Entry[] | undefined;

  constructor(entries: Entry[]) {
    const sorted = entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (let i = 0; i < sorted.length; i += CHUNK_MAX / 2) this.#chunks.push(sorted.slice(i, i + CHUNK_MAX / 2));
  }

  /** Ascending. The array never changes any more. */
  all(): readonly Entry[] {
    this.#all ??= this.#chunks.flat();
    return this.#all;
  }

  /** Those whose key begins with `prefix`, which ends in an ASCII character. */
  below(prefix: string): readonly Entry[] {
    const end = prefixEnd(prefix);
    const out: Entry[] = [];
    for (let c = this.#chunkOf(prefix); c < this.#chunks.length; c++) {
      // The index is within the array.
      const chunk = this.#chunks[c] as Entry[];
      const to = placeIn(chunk, end);
      for (let i = placeIn(chunk, prefix); i < to; i++) out.push(chunk[i] as Entry);
      if (to < chunk.length) break;
    }
    return out;
  }

  put(entry: Entry): void {
    this.#all = undefined;
    const c = this.#chunkOf(entry.key);
    const chunk = this.#chunks[c];
    if (chunk === undefined) {
      this.#chunks.push([entry]);
      return;
    }
    const at = placeIn(chunk, entry.key);
    if (chunk[at]?.key === entry.key) chunk[at] = entry;
    else chunk.splice(at, 0, entry);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(c + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  delete(key: string): void {
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c];
    if (chunk === undefined) return;
    const at = placeIn(chunk, key);
    if (chunk[at]?.key !== key) return;
    this.#all = undefined;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(c, 1);
  }

  /** The chunk in which `key` stands or would stand: the last that begins before it or with it. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      // No chunk is empty.
      if (((this.#chunks[middle] as Entry[])[0] as Entry).key <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The first place whose key is not before `key`. */
function placeIn(chunk: readonly Entry[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunk[middle] as Entry).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
