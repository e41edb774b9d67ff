/**
 * Writes protobuf from its end to its beginning: the length of what is nested is known by the time it is
 * written, so that nothing is made apart and copied. The fields of a message are given last to first.
 */
import { BYTES } from './protobuf.ts';

const FIRST_SIZE = 1024;
/** Texts up to this length are written letter by letter, which is faster than a call into the runtime. */
const SHORT_TEXT = 48;

export class BackwardWriter {
  #buffer: Buffer;
  /** where the first byte that was written stands */
  #at: number;

  constructor(size = FIRST_SIZE) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#at = size;
  }

  /** How much was written. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#at));
  }

  #reserve(size: number): void {
    if (size <= this.#at) return;
    const { length } = this;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, length + size));
    this.#buffer.copy(bigger, bigger.length - length, this.#at);
    this.#at = bigger.length - length;
    this.#buffer = bigger;
  }

  /** Whole numbers of up to 64 bits, negative ones as ten bytes. */
  varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === 'number' && value >= 0 && value <= 0x7f) {
      this.#buffer[--this.#at] = value;
      return;
    }
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
      let size = 1;
      for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
      this.#at -= size;
      let rest = value;
      for (let i = this.#at; rest > 0x7f; rest >>>= 7) this.#buffer[i++] = (rest & 0x7f) | 0x80;
      this.#buffer[this.#at + size - 1] = rest;
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** Bytes without their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
  }

  /** Bytes as a field. */
  block(field: number, bytes: Uint8Array): void {
    this.raw(bytes);
    this.varint(bytes.length);
    this.tag(field, BYTES);
  }

  /** A text as a field. */
  text(field: number, text: string): void {
    if (!this.#ascii(text)) {
      const size = Buffer.byteLength(text);
      this.#reserve(size);
      this.#at -= size;
      this.#buffer.write(text, this.#at, 'utf8');
      this.varint(size);
    } else this.varint(text.length);
    this.tag(field, BYTES);
  }

  /** Writes a short text of plain letters; false, and nothing is written, for others. */
  #ascii(text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    this.#reserve(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#buffer[start + i] = code;
    }
    this.#at = start;
    return true;
  }

  /** Makes a field of all that was written since the writer had `length` bytes. */
  close(field: number, length: number): void {
    this.varint(this.length - length);
    this.tag(field, BYTES);
  }
}
