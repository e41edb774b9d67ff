/**
 * The frames of SPDY/3.1, which `kubectl exec`, `attach` and `port-forward` and container
 * runtimes speak: reading them off a byte stream and writing them.
 *
 * Source: SPDY Protocol Draft 3.1, https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */

export const FRAME = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8 } as const;

export const FLAG_FIN = 0x01;

/** Status codes of a RST_STREAM frame. */
export const RESET = { protocolError: 1, refusedStream: 3, cancel: 5 } as const;

const SPDY_VERSION = 3;
const HEADER_BYTES = 8;
/** A peer that announces a longer frame is not a SPDY peer that we want to talk to. */
export const MAX_FRAME_BYTES = 1 << 20;

export type Frame =
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'control'; readonly control: number; readonly flags: number; readonly payload: Buffer };

export class SpdyProtocolError extends Error {
  override readonly name = 'SpdyProtocolError';
}

/** Cuts a byte stream into frames, however it was chunked. */
export class FrameReader {
  #pending: Buffer[] = [];
  #length = 0;

  /** @throws SpdyProtocolError for an oversized frame or another version */
  push(chunk: Buffer): Frame[] {
    this.#pending.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    while (this.#length >= HEADER_BYTES) {
      const head = this.#peek();
      const length = head.readUIntBE(5, 3);
      if (length > MAX_FRAME_BYTES) throw new SpdyProtocolError(`a frame of ${length} bytes is over the limit`);
      if (this.#length < HEADER_BYTES + length) break;
      const frame = this.#take(HEADER_BYTES + length);
      frames.push(parseFrame(frame));
    }
    return frames;
  }

  /** The buffered bytes, joined only as far as a header needs. */
  #peek(): Buffer {
    const first = this.#pending[0];
    if (first !== undefined && first.length >= HEADER_BYTES) return first;
    this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0] as Buffer;
  }

  #take(length: number): Buffer {
    const all = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
    const rest = all.subarray(length);
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return all.subarray(0, length);
  }
}

function parseFrame(frame: Buffer): Frame {
  const flags = frame.readUInt8(4);
  const payload = frame.subarray(HEADER_BYTES);
  if ((frame.readUInt8(0) & 0x80) === 0) {
    return { type: 'data', streamId: frame.readUInt32BE(0), fin: (flags & FLAG_FIN) !== 0, data: payload };
  }
  const version = frame.readUInt16BE(0) & 0x7fff;
  if (version !== SPDY_VERSION) throw new SpdyProtocolError(`version ${version} is not SPDY/3`);
  return { type: 'control', control: frame.readUInt16BE(2), flags, payload };
}

export function dataFrame(streamId: number, data: Buffer, fin: boolean): Buffer[] {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(streamId & 0x7fffffff, 0);
  head.writeUInt32BE(data.length, 4);
  head.writeUInt8(fin ? FLAG_FIN : 0, 4);
  return data.length === 0 ? [head] : [head, data];
}

export function controlFrame(control: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(0x8000 | SPDY_VERSION, 0);
  head.writeUInt16BE(control, 2);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, payload]);
}

export type Headers = Readonly<Record<string, string>>;

/** The name/value block of SYN_STREAM and SYN_REPLY, before compression. */
export function encodeHeaderBlock(headers: Headers): Buffer {
  const entries = Object.entries(headers);
  const parts: Buffer[] = [uint32(entries.length)];
  for (const [name, value] of entries) {
    const n = Buffer.from(name.toLowerCase());
    const v = Buffer.from(value);
    parts.push(uint32(n.length), n, uint32(v.length), v);
  }
  return Buffer.concat(parts);
}

/** @throws SpdyProtocolError where lengths do not add up */
export function decodeHeaderBlock(block: Buffer): Headers {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  const readUint32 = (): number => {
    if (at + 4 > block.length) throw new SpdyProtocolError('the header block is cut short');
    const value = block.readUInt32BE(at);
    at += 4;
    return value;
  };
  const readString = (): string => {
    const length = readUint32();
    if (at + length > block.length) throw new SpdyProtocolError('the header block is cut short');
    const text = block.toString('utf8', at, at + length);
    at += length;
    return text;
  };
  const count = readUint32();
  for (let i = 0; i < count; i++) {
    const name = readString();
    headers[name] = readString();
  }
  return headers;
}

export function uint32(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(value >>> 0);
  return b;
}
