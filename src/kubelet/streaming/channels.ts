/** Channels over one WebSocket: what a message begins with names its channel. */
import type { WebSocket } from 'ws';
import type { SpdyStream } from '../../lib/spdy/session.ts';

/** Above this many unsent bytes to the client, the other side waits. */
export const MAX_UNSENT_BYTES = 1 << 20;

/** How messages name their channel. */
export interface Framing {
  encode(channel: number, body: Buffer): Buffer | string;
  /** undefined for what is none */
  decode(message: Buffer): { readonly channel: number; readonly body: Buffer } | undefined;
}

/** By the first byte of a binary message. */
export const BINARY: Framing = {
  encode: (channel, body) => Buffer.concat([Buffer.from([channel]), body]),
  decode(message) {
    const [channel] = message;
    return channel === undefined ? undefined : { channel, body: message.subarray(1) };
  },
};

const ZERO = 0x30;

/** By a digit, before base64, in a text: for clients that know no bytes. */
export const BASE64: Framing = {
  encode: (channel, body) => String.fromCharCode(ZERO + channel) + body.toString('base64'),
  decode(message) {
    const [digit] = message;
    if (digit === undefined || digit < ZERO) return undefined;
    return { channel: digit - ZERO, body: Buffer.from(message.toString('latin1', 1), 'base64') };
  },
};

/** Sends what a stream gives on a channel, no faster than the client takes it; resolves at its end. */
export async function sendChannel(
  ws: WebSocket,
  channel: number,
  stream: SpdyStream,
  framing: Framing = BINARY,
): Promise<void> {
  try {
    // At its end it is left as it is: giving it up would write to a runtime that may have gone, and the failure of
    // that would take away what it said last on the other channels.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      if (ws.readyState !== ws.OPEN) return;
      const sent = new Promise<void>((resolve) => ws.send(framing.encode(channel, chunk as Buffer), () => resolve()));
      if (ws.bufferedAmount > MAX_UNSENT_BYTES) await sent;
    }
  } catch {
    // A stream that was reset has given all that it had.
  }
}

/** Writes a message's body to a stream; the WebSocket waits while the stream is full. */
export function receiveChannel(ws: WebSocket, stream: SpdyStream, body: Buffer): void {
  if (!stream.writable || body.length === 0 || stream.write(body)) return;
  ws.pause();
  // A stream that was ended meanwhile finishes, and is not said to have drained.
  const events = ['drain', 'finish', 'close'];
  const resume = () => {
    for (const event of events) stream.off(event, resume);
    ws.resume();
  };
  for (const event of events) stream.on(event, resume);
}
