/** A range of addresses that is cut into equal parts, and which of them are taken. */
import { type Cidr, contains, formatCidr, parseCidr } from '../../apis/networking/cidr.ts';

const MASKS = { 4: 24, 6: 64 } as const;
const WIDTHS = { 4: 32, 6: 128 } as const;
/** A range may be cut into so many parts, as a power of two. */
const MOST_BITS = 16;

export class PartedRange {
  readonly #cidr: Cidr;
  readonly #mask: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  /** A part that was given back is not given out again soon. */
  #next = 0;

  /** @param mask of a part; absent: 24, or 64 for IPv6 @throws RangeError for what is no range, or cannot be cut so */
  constructor(text: string, mask?: number) {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new RangeError(`${JSON.stringify(text)} is no range of addresses`);
    // A range that is smaller than a part is one part.
    this.#mask = Math.max(mask ?? MASKS[cidr.family], cidr.length);
    const bits = this.#mask - cidr.length;
    if (bits > MOST_BITS || this.#mask > WIDTHS[cidr.family]) {
      throw new RangeError(`${text} cannot be cut into parts of /${this.#mask}: they are too many, or too small`);
    }
    this.#cidr = cidr;
    this.#count = 2 ** bits;
  }

  /** Undefined where all are taken. */
  allocate(): string | undefined {
    if (this.#taken.size >= this.#count) return undefined;
    while (this.#taken.has(this.#next)) this.#next = (this.#next + 1) % this.#count;
    const index = this.#next;
    this.#taken.add(index);
    this.#next = (index + 1) % this.#count;
    const base = this.#cidr.base + (BigInt(index) << this.#partBits);
    return formatCidr({ family: this.#cidr.family, base, length: this.#mask, loose: false });
  }

  /** Takes all parts that these addresses are in. What is not of this range does not matter. */
  occupy(text: string): void {
    for (const index of this.#partsOf(text)) this.#taken.add(index);
  }

  release(text: string): void {
    for (const index of this.#partsOf(text)) this.#taken.delete(index);
  }

  get #partBits(): bigint {
    return BigInt(WIDTHS[this.#cidr.family] - this.#mask);
  }

  *#partsOf(text: string): Iterable<number> {
    const cidr = parseCidr(text);
    if (cidr === undefined) return;
    if (contains(cidr, this.#cidr)) {
      for (let index = 0; index < this.#count; index++) yield index;
      return;
    }
    if (!contains(this.#cidr, cidr)) return;
    const first = Number((cidr.base - this.#cidr.base) >> this.#partBits);
    const count = 2 ** Math.max(0, this.#mask - cidr.length);
    for (let index = first; index < first + count; index++) yield index;
  }
}
