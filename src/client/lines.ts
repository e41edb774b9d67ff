/** Lines out of a stream of bytes. */
import { TransportError } from './transport.ts';

/** No event is longer: an object is 3 MiB at most. */
const MAX_LINE_BYTES = 16 << 20;
const NEWLINE = 0x0a;

/** Every byte is looked at once and copied once at most, however the stream is cut. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** @throws TransportError for a line that is too long, and what `onLine` throws */
  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(NEWLINE, from);
      if (at < 0) break;
      this.#keep(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts, this.#length);
      this.#parts = [];
      this.#length = 0;
      if (line.length > 0) this.#onLine(line.toString('utf8'));
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > MAX_LINE_BYTES) throw new TransportError(`a line of over ${MAX_LINE_BYTES} bytes`);
    this.#parts.push(part);
  }
}
