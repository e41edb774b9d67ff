/** Sets of indexes of an Indexed job, as its status writes them: `1,3-5,7`. */

export class IndexSet {
  readonly #indexes: Set<number>;

  constructor(indexes: Iterable<number> = []) {
    this.#indexes = new Set(indexes);
  }

  /** What is no list of indexes below `limit` is left out. */
  static parse(text: string | undefined, limit: number): IndexSet {
    const set = new IndexSet();
    for (const part of (text ?? '').split(',')) {
      const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(part);
      if (match === null) continue;
      const first = Number(match[1]);
      const last = Math.min(Number(match[2] ?? match[1]), limit - 1);
      for (let i = first; i <= last; i++) set.add(i);
    }
    return set;
  }

  get size(): number {
    return this.#indexes.size;
  }

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  add(index: number): void {
    this.#indexes.add(index);
  }

  /** How many of them `other` has, too. */
  countIn(other: IndexSet): number {
    let count = 0;
    for (const index of this.#indexes) if (other.has(index)) count++;
    return count;
  }

  toString(): string {
    const sorted = [...this.#indexes].sort((a, b) => a - b);
    const parts: string[] = [];
    for (let i = 0; i < sorted.length; ) {
      let end = i;
      while (end + 1 < sorted.length && sorted[end + 1] === (sorted[end] as number) + 1) end++;
      // Two in a row are written as two, more as a span.
      if (end - i >= 2) parts.push(`${sorted[i]}-${sorted[end]}`);
      else for (let j = i; j <= end; j++) parts.push(String(sorted[j]));
      i = end + 1;
    }
    return parts.join(',');
  }
}
