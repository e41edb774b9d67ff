/**
 * exec and attach over WebSocket: the channel protocol on the client's side, SPDY streams on the
 * runtime's.
 *
 * Source: KEP-4006, https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
 */
import type { WebSocket } from 'ws';
import type { SpdySession, SpdyStream } from '../../lib/spdy/session.ts';
import { receiveChannel, sendChannel } from './channels.ts';

/** The WebSocket subprotocols that are spoken, most wanted first. v5 adds the closing of a channel. */
export const REMOTE_COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

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
  try {
    // The runtime waits for exactly the streams that were asked for.
    const error = await session.open({ streamType: 'error' });
    const stdin = wanted.stdin ? await session.open({ streamType: 'stdin' }) : undefined;
    const stdout = wanted.stdout ? await session.open({ streamType: 'stdout' }) : undefined;
    const stderr = wanted.stderr && !wanted.tty ? await session.open({ streamType: 'stderr' }) : undefined;
    const resize = wanted.tty ? await session.open({ streamType: 'resize' }) : undefined;
    for (const stream of [error, stdin, stdout, stderr, resize]) stream?.on('error', () => {});

    receive(ws, stdin, resize);
    ws.resume();
    stdin?.resume();
    resize?.resume();
    greet(ws, wanted);
    const outputs = [
      sendChannel(ws, CHANNEL.error, error),
      ...(stdout ? [sendChannel(ws, CHANNEL.stdout, stdout)] : []),
      ...(stderr ? [sendChannel(ws, CHANNEL.stderr, stderr)] : []),
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
function greet(ws: WebSocket, wanted: RemoteCommandStreams): void {
  const channel = wanted.stdout ? CHANNEL.stdout : wanted.stderr ? CHANNEL.stderr : CHANNEL.error;
  ws.send(Buffer.from([channel]));
}

function receive(ws: WebSocket, stdin: SpdyStream | undefined, resize: SpdyStream | undefined): void {
  ws.on('message', (message: Buffer) => {
    if (message.length === 0) return;
    const body = message.subarray(1);
    switch (message[0]) {
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
