/**
 * port-forward over WebSocket, in its two forms: SPDY tunnelled in binary messages (kubectl),
 * and a pair of channels for each port (`v4.channel.k8s.io`, browsers and the JavaScript client).
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { SpdySession, SpdyStream } from '../../lib/spdy/session.ts';
import { MAX_UNSENT_BYTES, receiveChannel, sendChannel } from './channels.ts';

export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';
export const TUNNELED_PORT_FORWARD_PROTOCOL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`;
export const PORT_FORWARD_PROTOCOLS = [TUNNELED_PORT_FORWARD_PROTOCOL, 'v4.channel.k8s.io'] as const;

/** Passes the bytes of a SPDY connection through the binary messages of a WebSocket, which is paused. */
export function tunnel(ws: WebSocket, socket: Duplex, head: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      socket.destroy();
      if (ws.readyState === ws.OPEN) ws.close(1000);
      resolve();
    };
    ws.once('close', over);
    socket.once('close', over);
    socket.on('error', () => socket.destroy());
    ws.on('message', (message: Buffer) => {
      if (socket.write(message)) return;
      ws.pause();
      socket.once('drain', () => ws.resume());
    });
    const send = (chunk: Buffer) => {
      if (ws.readyState !== ws.OPEN) return;
      const tooFull = ws.bufferedAmount > MAX_UNSENT_BYTES;
      if (tooFull) socket.pause();
      ws.send(chunk, () => {
        if (tooFull) socket.resume();
      });
    };
    if (head.length > 0) send(head);
    socket.on('data', send);
    ws.resume();
  });
}

/** Two channels a port: data on 2i, errors on 2i+1, each opened by a message that names the port. */
export async function bridgePortForward(ws: WebSocket, session: SpdySession, ports: readonly number[]): Promise<void> {
  const closed = new Promise<void>((resolve) => ws.once('close', () => resolve()));
  const data: SpdyStream[] = [];
  try {
    const ends: Promise<void>[] = [];
    for (const [i, port] of ports.entries()) {
      const name = { port: String(port), requestID: String(i) };
      const error = await session.open({ ...name, streamType: 'error' });
      const stream = await session.open({ ...name, streamType: 'data' });
      error.on('error', () => {});
      stream.on('error', () => {});
      error.end();
      data.push(stream);
      const opening = Buffer.alloc(3);
      opening.writeUInt16LE(port, 1);
      for (const channel of [2 * i, 2 * i + 1]) {
        opening.writeUInt8(channel, 0);
        ws.send(Buffer.from(opening));
      }
      ends.push(sendChannel(ws, 2 * i, stream), sendChannel(ws, 2 * i + 1, error));
    }
    ws.on('message', (message: Buffer) => {
      const channel = message[0];
      if (channel === undefined || channel % 2 !== 0) return;
      const stream = data[channel / 2];
      if (stream !== undefined) receiveChannel(ws, stream, message.subarray(1));
    });
    ws.resume();
    await Promise.race([Promise.all(ends), closed]);
  } finally {
    session.close();
    if (ws.readyState === ws.OPEN) ws.close(1000);
  }
}
