/**
 * One SPDY/3.1 session over a connected socket: streams that each side may open, close by half
 * and reset. Both roles speak it, so it serves towards clients and towards a container runtime.
 *
 * The peers that Kubernetes has use no SPDY flow control: back-pressure is TCP's own. So a
 * session pauses its socket while any stream's reader lags, and a stream's write waits for the
 * socket to drain.
 */
import { Duplex } from 'node:stream';
import { createDeflate, createInflate, type Deflate, type Inflate, constants as zlib } from 'node:zlib';
import { HEADER_DICTIONARY } from './dictionary.ts';
import {
  controlFrame,
  dataFrame,
  decodeHeaderBlock,
  encodeHeaderBlock,
  FLAG_FIN,
  FRAME,
  type Frame,
  FrameReader,
  type Headers,
  RESET,
  SpdyProtocolError,
  uint32,
} from './frames.ts';

/** Larger writes are cut, so that one stream cannot hold up the others. */
const MAX_DATA_BYTES = 32 * 1024;
/** More streams than this on one session are refused. */
const MAX_STREAMS = 1024;

export interface SpdySessionOptions {
  readonly role: 'client' | 'server';
  /** Called for each stream that the peer opens; it has been accepted already. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** Called once, when the session is over for whatever reason. */
  readonly onClose?: (error?: Error) => void;
}

/** One stream: a Duplex whose `end` closes our half and whose `destroy` resets it. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #session: SpdySession;
  #resume: (() => void) | undefined;
  #ended = false;
  #peerEnded = false;

  constructor(session: SpdySession, id: number, headers: Headers) {
    super({ allowHalfOpen: true });
    this.#session = session;
    this.id = id;
    this.headers = headers;
  }

  /** @internal bytes from the peer; false asks for a pause */
  receive(data: Buffer, resume: () => void): boolean {
    if (this.destroyed || data.length === 0) return true;
    if (this.push(data)) return true;
    this.#resume = resume;
    return false;
  }

  /** @internal the peer closed its half */
  receiveEnd(): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.push(null);
    // An ended stream asks for no more, and the others' frames must not wait for it to do so.
    this._read();
    this.#forgetIfOver();
  }

  /** @internal the peer gave the stream up; what it sent before is still there to be read */
  receiveReset(): void {
    this.receiveEnd();
    if (this.readableLength === 0) this.destroy();
    else this.once('end', () => this.destroy());
  }

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#session.writeData(this.id, chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ended = true;
    this.#session.writeData(this.id, Buffer.alloc(0), true, (error) => {
      this.#forgetIfOver();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#ended || !this.#peerEnded) this.#session.reset(this.id, RESET.cancel);
    this._read();
    this.#session.forget(this.id);
    done(error);
  }

  #forgetIfOver(): void {
    if (this.#ended && this.#peerEnded) this.#session.forget(this.id);
  }
}

export class SpdySession {
  readonly #socket: Duplex;
  readonly #options: SpdySessionOptions;
  readonly #reader = new FrameReader();
  readonly #deflate: Deflate = createDeflate({ dictionary: HEADER_DICTIONARY });
  readonly #inflate: Inflate = createInflate({ dictionary: HEADER_DICTIONARY });
  readonly #streams = new Map<number, SpdyStream>();
  readonly #opening = new Map<number, { resolve: () => void; reject: (e: Error) => void }>();
  /** Streams whose readers lag; the socket is paused while there is one. */
  readonly #lagging = new Set<number>();
  #nextId: number;
  #closed = false;
  /** Frames are handled one after the other, since header blocks share one compression state. */
  #work: Promise<void> = Promise.resolve();
  #writes: Promise<void> = Promise.resolve();

  /** @param head bytes that came with the upgrade's answer */
  constructor(socket: Duplex, options: SpdySessionOptions, head?: Buffer) {
    this.#socket = socket;
    this.#options = options;
    this.#nextId = options.role === 'client' ? 1 : 2;
    if (head !== undefined && head.length > 0) this.#receive(head);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // What came before the end is handled before it.
    const over = () => {
      this.#work = this.#work.then(() => this.close());
    };
    socket.once('close', over);
    socket.once('end', over);
    socket.once('error', (error) => this.close(error));
  }

  /** Opens a stream and waits until the peer has accepted it. @throws SpdyProtocolError when it is refused or the session ends */
  async open(headers: Headers): Promise<SpdyStream> {
    if (this.#closed) throw new SpdyProtocolError('the session is closed');
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    const accepted = new Promise<void>((resolve, reject) => this.#opening.set(id, { resolve, reject }));
    await this.#writeWithHeaders(headers, (block) =>
      controlFrame(FRAME.synStream, 0, Buffer.concat([uint32(id), uint32(0), Buffer.alloc(2), block])),
    );
    await accepted;
    return stream;
  }

  /** Ends the session and every stream of it. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = error ?? new SpdyProtocolError('the session was closed');
    for (const waiting of this.#opening.values()) waiting.reject(reason);
    this.#opening.clear();
    // Streams that hear of the end only now have readers that still drain what came.
    for (const stream of [...this.#streams.values()]) {
      stream.receiveEnd();
      if (error) stream.destroy();
    }
    this.#streams.clear();
    this.#deflate.destroy();
    this.#inflate.destroy();
    this.#socket.end();
    this.#options.onClose?.(error);
  }

  /** @internal */
  writeData(id: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (this.#closed) {
      done(fin ? null : new SpdyProtocolError('the session is closed'));
      return;
    }
    let at = 0;
    let open = true;
    do {
      const part = data.subarray(at, at + MAX_DATA_BYTES);
      at += part.length;
      for (const piece of dataFrame(id, part, fin && at >= data.length)) open = this.#socket.write(piece);
    } while (at < data.length);
    if (open) done();
    else this.#whenDrained(done);
  }

  #whenDrained(done: () => void): void {
    const finish = () => {
      this.#socket.off('drain', finish);
      this.#socket.off('close', finish);
      done();
    };
    this.#socket.on('drain', finish);
    this.#socket.on('close', finish);
  }

  /** @internal */
  reset(id: number, status: number): void {
    if (!this.#closed) this.#socket.write(controlFrame(FRAME.reset, 0, Buffer.concat([uint32(id), uint32(status)])));
  }

  /** @internal */
  forget(id: number): void {
    this.#streams.delete(id);
  }

  #receive(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      this.close(error as Error);
      return;
    }
    for (const frame of frames) {
      this.#work = this.#work.then(() => this.#handle(frame)).catch((error: Error) => this.close(error));
    }
  }

  async #handle(frame: Frame): Promise<void> {
    if (this.#closed) return;
    if (frame.type === 'data') this.#handleData(frame.streamId, frame.data, frame.fin);
    else await this.#handleControl(frame.control, frame.flags, frame.payload);
  }

  #handleData(id: number, data: Buffer, fin: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const goOn = stream.receive(data, () => {
      this.#lagging.delete(id);
      if (this.#lagging.size === 0) this.#socket.resume();
    });
    if (!goOn) {
      this.#lagging.add(id);
      this.#socket.pause();
    }
    if (fin) stream.receiveEnd();
  }

  async #handleControl(control: number, flags: number, payload: Buffer): Promise<void> {
    switch (control) {
      case FRAME.synStream: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        const headers = decodeHeaderBlock(await this.#decompress(payload.subarray(10)));
        await this.#accept(id, headers, (flags & FLAG_FIN) !== 0);
        return;
      }
      case FRAME.synReply: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        await this.#decompress(payload.subarray(4));
        this.#opening.get(id)?.resolve();
        this.#opening.delete(id);
        if ((flags & FLAG_FIN) !== 0) this.#streams.get(id)?.receiveEnd();
        return;
      }
      case FRAME.headers:
        await this.#decompress(payload.subarray(4));
        return;
      case FRAME.reset: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        this.#opening.get(id)?.reject(new SpdyProtocolError(`the peer refused stream ${id}`));
        this.#opening.delete(id);
        this.#streams.get(id)?.receiveReset();
        return;
      }
      case FRAME.ping:
        // Pings of the peer's parity are asked of us and go back as they came.
        if (payload.readUInt32BE(0) % 2 !== this.#nextId % 2) this.#socket.write(controlFrame(FRAME.ping, 0, payload));
        return;
      case FRAME.goAway:
        this.close();
        return;
      default:
        return;
    }
  }

  async #accept(id: number, headers: Headers, fin: boolean): Promise<void> {
    const onStream = this.#options.onStream;
    if (onStream === undefined || this.#streams.size >= MAX_STREAMS) {
      this.reset(id, RESET.refusedStream);
      return;
    }
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    await this.#writeWithHeaders({}, (block) => controlFrame(FRAME.synReply, 0, Buffer.concat([uint32(id), block])));
    if (fin) stream.receiveEnd();
    onStream(stream);
  }

  /** Header blocks must go out in the order in which they were compressed. */
  #writeWithHeaders(headers: Headers, frame: (block: Buffer) => Buffer): Promise<void> {
    this.#writes = this.#writes.then(async () => {
      if (this.#closed) return;
      const block = await transform(this.#deflate, encodeHeaderBlock(headers));
      if (!this.#closed) this.#socket.write(frame(block));
    });
    return this.#writes;
  }

  #decompress(block: Buffer): Promise<Buffer> {
    return transform(this.#inflate, block);
  }
}

/** Header blocks are small: a peer whose block swells beyond this means harm. */
const MAX_HEADER_BLOCK_BYTES = 64 * 1024;

/** Runs one block through a compressor whose state lasts for the session. */
function transform(through: Deflate | Inflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let size = 0;
    const stop = () => {
      through.off('data', onData);
      through.off('error', onError);
      through.off('close', onClose);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_HEADER_BLOCK_BYTES) out.push(chunk);
      else onError(new SpdyProtocolError('a header block is over the limit'));
    };
    const onError = (error: Error) => {
      stop();
      reject(error);
    };
    const onClose = () => onError(new SpdyProtocolError('the session is closed'));
    through.on('data', onData);
    through.on('error', onError);
    through.on('close', onClose);
    through.write(block);
    through.flush(zlib.Z_SYNC_FLUSH, () => {
      stop();
      resolve(Buffer.concat(out));
    });
  });
}
