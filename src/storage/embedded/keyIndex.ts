/**
 * The history of every key, in memory: which revisions wrote it, so that a range at any kept
 * revision is a walk over sorted keys. The values stay in the database.
 *
 * Source: https://etcd.io/docs/v3.5/learning/data_model/ (physical view)
 */
import type { KeyRange, LeaseId, Revision } from '../storage.ts';

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
  const last = writes[writes.length - 1];
  const write = last !== undefined && last.revision <= revision ? last : writes[placeAfter(writes, revision) - 1];
  return write === undefined || write.version === 0 ? undefined : write;
}

/** The first place whose write is after `revision`. */
function placeAfter(writes: readonly Write[], revision: Revision): number {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((writes[middle] as Write).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Chunks are split above this, so that an insert moves few keys. */
const CHUNK_MAX = 512;

export class KeyIndex {
  readonly #byKey = new Map<string, KeyHistory>();
  readonly #chunks: string[][] = [];
  /** Keys of which compaction could forget something. */
  readonly #grown = new Set<KeyHistory>();
  #before: (a: string, b: string) => boolean = (a, b) => a < b;

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
      this.#grown.add(history);
      return;
    }
    const first = { key, writes: [write] };
    this.#byKey.set(key, first);
    if (write.version === 0) this.#grown.add(first);
    if (beyondPlain.test(key)) this.#orderByCodePoints();
    this.#insert(key);
  }

  /** Histories of the keys in a range, ascending. */
  *range({ key: start, end }: KeyRange): IterableIterator<KeyHistory> {
    if (end === undefined) {
      const history = this.#byKey.get(start);
      if (history !== undefined) yield history;
      return;
    }
    for (let c = this.#chunkOf(start); c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] as string[];
      for (let i = this.#lowerBound(chunk, start); i < chunk.length; i++) {
        const key = chunk[i] as string;
        if (!this.#before(key, end)) return;
        // Every key in a chunk has a history.
        yield this.#byKey.get(key) as KeyHistory;
      }
    }
  }

  /** Forgets the writes that no reader at or after `revision` can see, and returns them. */
  compact(revision: Revision): Write[] {
    const gone: Write[] = [];
    for (const history of this.#grown) {
      const { writes } = history;
      // The newest write up to `revision` is still what a reader sees, unless it is an older deletion.
      let kept = Math.max(0, placeAfter(writes, revision) - 1);
      const first = writes[kept];
      if (first !== undefined && first.version === 0 && first.revision < revision) kept++;
      for (let i = 0; i < kept; i++) gone.push(writes[i] as Write);
      if (kept > 0) history.writes = writes.slice(kept);
      if (history.writes.length === 0) this.#remove(history.key);
      if (history.writes.length === 0 || (history.writes.length === 1 && history.writes[0]?.version !== 0)) {
        this.#grown.delete(history);
      }
    }
    return gone;
  }

  #remove(key: string): void {
    this.#byKey.delete(key);
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c] as string[];
    chunk.splice(this.#lowerBound(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(c, 1);
  }

  #insert(key: string): void {
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(this.#lowerBound(chunk, key), 0, key);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(c, 1, chunk.slice(0, CHUNK_MAX / 2), chunk.slice(CHUNK_MAX / 2));
  }

  /** The chunk in which `key` stands or would stand. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#before(key, this.#chunks[middle]?.[0] as string)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  /** The first place whose key is not before `key`. */
  #lowerBound(keys: readonly string[], key: string): number {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#before(keys[middle] as string, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first key that `<` on strings could put in another place than the order of its bytes: sort all keys anew. */
  #orderByCodePoints(): void {
    if (this.#before === beforeByCodePoints) return;
    this.#before = beforeByCodePoints;
    const keys = this.#chunks.flat().sort((a, b) => (beforeByCodePoints(a, b) ? -1 : 1));
    this.#chunks.length = 0;
    for (let i = 0; i < keys.length; i += CHUNK_MAX / 2) this.#chunks.push(keys.slice(i, i + CHUNK_MAX / 2));
  }
}

/** Whether a key lies in a range. */
export function inRange(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key;
  if (beyondPlain.test(key)) return !beforeByCodePoints(key, range.key) && beforeByCodePoints(key, range.end);
  return key >= range.key && key < range.end;
}

/** Only among strings that both have such characters does the order of UTF-16 differ from that of UTF-8. */
const beyondPlain = /[\ud800-\uffff]/;

/** The order of UTF-8's bytes, which is that of code points. */
function beforeByCodePoints(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue;
    return rank(a.charCodeAt(i)) < rank(b.charCodeAt(i));
  }
  return a.length < b.length;
}

/** Moves surrogates, which stand for the highest code points, behind all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
