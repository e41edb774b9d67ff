/**
 * The history of every key, in memory: which revisions wrote it, so that a range at any kept
 * revision is a walk over sorted keys. The values stay in the database.
 */
import type { LeaseId, Revision } from '../storage.ts';

/** One write of a key. */
export interface Write {
  readonly revision: Revision;
  /** its place among the writes of its transaction */
  readonly sub: number;
  readonly createRevision: Revision;
  /** 0 for a deletion */
  readonly version: number;
  readonly lease: LeaseId;
}

export interface KeyHistory {
  readonly key: string;
  /** ascending by revision */
  writes: Write[];
}

/** The write that a reader at `revision` sees; undefined where the key did not exist. */
export function writeAt(history: KeyHistory, revision: Revision): Write | undefined {
  const { writes } = history;
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i] as Write;
    if (write.revision <= revision) return write.version === 0 ? undefined : write;
  }
  return undefined;
}

/** Chunks are split above this, so that an insert moves few keys. */
const CHUNK_MAX = 512;

/** Compares as UTF-8 bytes do: by code points. For what the API stores (ASCII), `<` on strings is the same. */
const before = (a: string, b: string) => a < b;

export class KeyIndex {
  readonly #byKey = new Map<string, KeyHistory>();
  #chunks: string[][] = [];

  get(key: string): KeyHistory | undefined {
    return this.#byKey.get(key);
  }

  all(): IterableIterator<KeyHistory> {
    return this.#byKey.values();
  }

  append(key: string, write: Write): void {
    const history = this.#byKey.get(key);
    if (history !== undefined) {
      history.writes.push(write);
      return;
    }
    this.#byKey.set(key, { key, writes: [write] });
    this.#insert(key);
  }

  remove(key: string): void {
    if (!this.#byKey.delete(key)) return;
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c];
    const at = chunk === undefined ? -1 : lowerBound(chunk, key);
    if (chunk === undefined || chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(c, 1);
  }

  /** Histories of the keys in [start, end), ascending; the single key where `end` is absent. */
  *range(start: string, end: string | undefined): IterableIterator<KeyHistory> {
    if (end === undefined) {
      const history = this.#byKey.get(start);
      if (history !== undefined) yield history;
      return;
    }
    for (let c = this.#chunkOf(start); c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] as string[];
      for (let i = lowerBound(chunk, start); i < chunk.length; i++) {
        const key = chunk[i] as string;
        if (!before(key, end)) return;
        yield this.#byKey.get(key) as KeyHistory;
      }
    }
  }

  #insert(key: string): void {
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(c, 1, chunk.slice(0, CHUNK_MAX / 2), chunk.slice(CHUNK_MAX / 2));
  }

  /** The chunk in which `key` stands or would stand. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (before(key, this.#chunks[middle]?.[0] as string)) high = middle - 1;
      else low = middle;
    }
    return low;
  }
}

/** The first place whose key is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(keys[middle] as string, key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
