/**
 * CBOR as clients send it, with Kubernetes' rules: no key twice, no NaN, keys are texts, byte strings are texts
 * too, and what a tag says of base64 is done.
 * Source: https://www.rfc-editor.org/rfc/rfc8949.html and https://kep.k8s.io/4222
 */
import { exactInteger } from '../exactJson.ts';
import { setOwn } from '../setOwn.ts';
import { formatTime } from '../time.ts';

export class CborError extends Error {
  override readonly name = 'CborError';
}

/** As deep as JSON may be. */
const MAX_DEPTH = 1000;
const SELF_DESCRIBED_TAG = 55_799;
const INDEFINITE = 31;
const BREAK = Symbol('break');

/** @throws CborError for bytes that are not one well-formed item */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new CborReader(bytes);
  const value = reader.item(0);
  if (value === BREAK) throw new CborError('a list or map ends that never began');
  if (!reader.done) throw new CborError('there is more behind the object');
  return value;
}

/** How byte strings become texts: as they are, or as the tag around them says. */
type Format = 'utf8' | 'base64' | 'base64url' | 'hex';

const FORMATS: ReadonlyMap<number, Format> = new Map([
  [21, 'base64url'],
  [22, 'base64'],
  [23, 'hex'],
]);

class CborReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next item, or `BREAK`. */
  item(depth: number, format: Format = 'utf8'): unknown {
    if (depth > MAX_DEPTH) throw new CborError(`nested deeper than ${MAX_DEPTH} levels`);
    const first = this.#byte();
    const info = first & 0x1f;
    switch (first >> 5) {
      case 0:
        return whole(this.#argument(info));
      case 1:
        return whole(-1n - BigInt(this.#argument(info)));
      case 2:
        return this.#bytesOf(info, 2).toString(format);
      case 3:
        return textOf(this.#bytesOf(info, 3));
      case 4:
        return this.#list(info, depth, format);
      case 5:
        return this.#map(info, depth, format);
      case 6:
        return this.#tagged(Number(this.#argument(info)), depth, format);
      default:
        return this.#simple(info);
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new CborError('the item is cut short');
    return byte;
  }

  #take(size: number): Buffer {
    if (size > this.#bytes.length - this.#at) throw new CborError('the item is cut short');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#byte();
      case 25:
        return this.#take(2).readUInt16BE();
      case 26:
        return this.#take(4).readUInt32BE();
      case 27:
        return this.#take(8).readBigUInt64BE();
      default:
        throw new CborError(`there is no additional information ${info} here`);
    }
  }

  /** How many items follow, each of which is a byte at least. */
  #count(info: number): number {
    const count = Number(this.#argument(info));
    if (count > this.#bytes.length - this.#at) throw new CborError('the item is cut short');
    return count;
  }

  #bytesOf(info: number, major: number): Buffer {
    if (info !== INDEFINITE) return this.#take(Number(this.#argument(info)));
    const chunks: Buffer[] = [];
    for (;;) {
      const head = this.#byte();
      if (head === 0xff) return Buffer.concat(chunks);
      if (head >> 5 !== major || (head & 0x1f) === INDEFINITE) throw new CborError('a text is made of other things');
      const chunk = this.#take(Number(this.#argument(head & 0x1f)));
      // A text may be cut into millions of nothings.
      if (chunk.length > 0) chunks.push(chunk);
    }
  }

  #list(info: number, depth: number, format: Format): unknown[] {
    const out: unknown[] = [];
    const count = info === INDEFINITE ? Number.POSITIVE_INFINITY : this.#count(info);
    while (out.length < count) {
      const item = this.item(depth + 1, format);
      if (item === BREAK) {
        if (info === INDEFINITE) break;
        throw new CborError('a list ends too early');
      }
      out.push(item);
    }
    return out;
  }

  #map(info: number, depth: number, format: Format): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    const count = info === INDEFINITE ? Number.POSITIVE_INFINITY : this.#count(info);
    for (let i = 0; i < count; i++) {
      const key = this.#key(depth);
      if (key === BREAK) {
        if (info === INDEFINITE) break;
        throw new CborError('a map ends too early');
      }
      if (Object.hasOwn(out, key)) throw new CborError(`found duplicate map key ${JSON.stringify(key)}`);
      const value = this.item(depth + 1, format);
      if (value === BREAK) throw new CborError('a map ends behind a key');
      setOwn(out, key, value);
    }
    return out;
  }

  #key(depth: number): string | typeof BREAK {
    const major = (this.#bytes[this.#at] ?? 0) >> 5;
    if (this.#bytes[this.#at] !== 0xff && major !== 2 && major !== 3) throw new CborError('a key of a map is no text');
    return this.item(depth) as string | typeof BREAK;
  }

  #tagged(tag: number, depth: number, format: Format): unknown {
    if (tag === 2 || tag === 3) throw new CborError('numbers of any size are not accepted');
    const value = this.item(depth + 1, FORMATS.get(tag) ?? (tag === SELF_DESCRIBED_TAG ? format : 'utf8'));
    if (value === BREAK) throw new CborError('a tag stands before nothing');
    if (tag === 0 && typeof value !== 'string') throw new CborError('a time is no text');
    return tag === 1 ? timeOf(value) : value;
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return finite(half(this.#take(2).readUInt16BE()));
      case 26:
        return finite(this.#take(4).readFloatBE());
      case 27:
        return finite(this.#take(8).readDoubleBE());
      case INDEFINITE:
        return BREAK;
      default:
        throw new CborError(`the simple value ${info} is none of true, false and null`);
    }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new CborError('a text is not UTF-8');
  }
}

function whole(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value;
  const exact = exactInteger(String(value));
  if (BigInt(exact) === value) return exact;
  throw new CborError(`the number ${value} has more than 64 bits`);
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new CborError('a number is none, or infinite');
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Seconds since the epoch, as RFC 3339. */
function timeOf(value: unknown): string {
  if (typeof value !== 'number' || Math.abs(value) > 253_402_300_799) throw new CborError('a time is out of range');
  const text = formatTime(Math.floor(value) * 1000);
  if (Number.isInteger(value)) return text;
  const micros = Math.floor((value - Math.floor(value)) * 1e6);
  return `${text.slice(0, -1)}.${String(micros).padStart(6, '0')}Z`;
}
