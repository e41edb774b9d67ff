/**
 * exec and attach over WebSocket: the channel protocol on the client's side, SPDY streams on the
 * runtime's.
 *
 * Source: KEP-4006, https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
 */
import type { WebSocket } from 'ws';
import type { SpdySession, SpdyStream } from '../../lib/spdy/session.ts';
import { BASE64, BINARY, type Framing, receiveChannel, sendChannel } from './channels.ts';

interface Protocol {
  readonly framing: Framing;
  /** What went wrong is told as text; else as a Status, which also tells that all went well. */
  readonly plainErrors?: true;
}

/** The WebSocket subprotocols that are spoken, most wanted first. v5 adds the closing of a channel. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  'v5.channel.k8s.io': { framing: BINARY },
  'v4.channel.k8s.io': { framing: BINARY },
  'v4.base64.channel.k8s.io': { framing: BASE64 },
  'channel.k8s.io': { framing: BINARY, plainErrors: true },
  'base64.channel.k8s.io': { framing: BASE64, plainErrors: true },
};
/** That of a client that names none. */
const FIRST_PROTOCOL: Protocol = { framing: BINARY, plainErrors: true };

export const REMOTE_COMMAND_PROTOCOLS: readonly string[] = Object.keys(PROTOCOLS);

/** What the runtime is asked to speak. */
export const RUNTIME_REMOTE_COMMAND_PROTOCOL = 'v4.channel.k8s.io';

/** The first byte of a message names its channel. */
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface RemoteCommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Joins a client's WebSocket, which is paused, and a runtime's session; resolves when the command or the client is done. */
export async function bridgeRemoteCommand(
  ws: WebSocket,
  session: SpdySession,
  wanted: RemoteCommandStreams,
): Promise<void> {
  const closed = new Promise<void>((resolve) => ws.once('close', () => resolve()));
  const { framing, plainErrors } = PROTOCOLS[ws.protocol] ?? FIRST_PROTOCOL;
  try {
    // The runtime waits for exactly the streams that were asked for.
    const error = await session.open({ streamType: 'error' });
    const stdin = wanted.stdin ? await session.open({ streamType: 'stdin' }) : undefined;
    const stdout = wanted.stdout ? await session.open({ streamType: 'stdout' }) : undefined;
    const stderr = wanted.stderr && !wanted.tty ? await session.open({ streamType: 'stderr' }) : undefined;
    const resize = wanted.tty ? await session.open({ streamType: 'resize' }) : undefined;
    for (const stream of [error, stdin, stdout, stderr, resize]) stream?.on('error', () => {});

    receive(ws, framing, stdin, resize);
    ws.resume();
    stdin?.resume();
    resize?.resume();
    greet(ws, framing, wanted);
    const outputs = [
      plainErrors ? sendError(ws, framing, error) : sendChannel(ws, CHANNEL.error, error, framing),
      ...(stdout ? [sendChannel(ws, CHANNEL.stdout, stdout, framing)] : []),
      ...(stderr ? [sendChannel(ws, CHANNEL.stderr, stderr, framing)] : []),
    ];
    await Promise.race([Promise.all(outputs), closed]);
  } finally {
    session.close();
    if (ws.readyState === ws.OPEN) {
      ws.close(1000);
      await closed;
    }
  }
}

/** An empty message on the lowest channel that we write tells the client that the connection stands. */
function greet(ws: WebSocket, framing: Framing, wanted: RemoteCommandStreams): void {
  const channel = wanted.stdout ? CHANNEL.stdout : wanted.stderr ? CHANNEL.stderr : CHANNEL.error;
  ws.send(framing.encode(channel, Buffer.alloc(0)));
}

/** Sends what went wrong as text, and nothing where all went well. */
async function sendError(ws: WebSocket, framing: Framing, stream: SpdyStream): Promise<void> {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) parts.push(chunk as Buffer);
  } catch {
    // A stream that was reset has given all that it had.
  }
  const text = textOf(Buffer.concat(parts));
  if (text !== '' && ws.readyState === ws.OPEN) ws.send(framing.encode(CHANNEL.error, Buffer.from(text)));
}

/** What a Status says that tells of a failure; '' for one that tells that all went well. */
function textOf(status: Buffer): string {
  const text = status.toString('utf8');
  try {
    const { status: outcome, message = '' } = JSON.parse(text) as { status?: string; message?: string };
    return outcome === 'Success' ? '' : message;
  } catch {
    return text;
  }
}

function receive(ws: WebSocket, framing: Framing, stdin: SpdyStream | undefined, resize: SpdyStream | undefined): void {
  ws.on('message', (message: Buffer) => {
    const { channel, body = Buffer.alloc(0) } = framing.decode(message) ?? {};
    switch (channel) {
      case CHANNEL.stdin:
        if (stdin !== undefined) receiveChannel(ws, stdin, body);
        return;
      case CHANNEL.resize:
        if (resize?.writable) resize.write(body);
        return;
      case CHANNEL.close:
        if (body[0] === CHANNEL.stdin) stdin?.end();
        return;
      default:
        return;
    }
  });
}
