import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { SpdySession, type SpdyStream } from '../../lib/spdy/session.ts';
import { BASE64, BINARY } from './channels.ts';
import { bridgeRemoteCommand, REMOTE_COMMAND_PROTOCOLS } from './remoteCommand.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('what a command says, over WebSocket', () => {
  const spoken = [...REMOTE_COMMAND_PROTOCOLS, ''];
  const failure = { metadata: {}, status: 'Failure', message: 'command terminated', reason: 'NonZeroExitCode' };

  /** What a client gets, by channel, of a command that gives back its input and ends with `status`. */
  async function talk(protocol: string, status: object): Promise<Record<number, string>> {
    const runtime = createServer((socket) => {
      cleanups.push(() => socket.destroy());
      const streams = new Map<string | undefined, SpdyStream>();
      new SpdySession(socket, {
        role: 'server',
        onStream(stream) {
          stream.on('error', () => {});
          streams.set(stream.headers.streamtype, stream);
          if (stream.headers.streamtype !== 'stdin') return;
          stream.once('data', (chunk: Buffer) => {
            streams.get('stdout')?.end(`got ${chunk}`);
            streams.get('error')?.end(JSON.stringify(status));
          });
        },
      });
    });
    runtime.listen(0, '127.0.0.1');
    await once(runtime, 'listening');
    const web = createHttpServer();
    const server = new WebSocketServer({
      server: web,
      handleProtocols: (offered) => REMOTE_COMMAND_PROTOCOLS.find((p) => offered.has(p)) ?? false,
    });
    cleanups.push(
      () => runtime.close(),
      () => server.close(),
      () => web.close(),
    );
    server.on('connection', (ws) => {
      ws.pause();
      const socket = connect((runtime.address() as AddressInfo).port, '127.0.0.1', () => {
        const session = new SpdySession(socket, { role: 'client' });
        void bridgeRemoteCommand(ws, session, { stdin: true, stdout: true, stderr: false, tty: false });
      });
    });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const url = `ws://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const ws = new WebSocket(url, protocol === '' ? [] : [protocol]);
    const framing = protocol.includes('base64') ? BASE64 : BINARY;
    const got: Record<number, string> = {};
    ws.on('message', (message: Buffer, isBinary: boolean) => {
      expect(isBinary).toBe(framing === BINARY);
      const { channel = -1, body = '' } = framing.decode(message) ?? {};
      got[channel] = (got[channel] ?? '') + body;
    });
    await once(ws, 'open');
    ws.send(framing.encode(0, Buffer.from('hällo')));
    await once(ws, 'close');
    return got;
  }

  it.each(spoken)('in the protocol %j', async (protocol) => {
    const told = protocol.startsWith('v') ? JSON.stringify(failure) : failure.message;
    expect(await talk(protocol, failure)).toEqual({ 1: 'got hällo', 3: told });
  });

  it('is nothing on the channel of errors in old protocols where all went well', async () => {
    const success = { metadata: {}, status: 'Success' };
    expect(await talk('channel.k8s.io', success)).toEqual({ 1: 'got hällo' });
    expect(await talk('v4.channel.k8s.io', success)).toEqual({ 1: 'got hällo', 3: JSON.stringify(success) });
  });
});

it('messages that are none are left alone', () => {
  expect(BINARY.decode(Buffer.alloc(0))).toBeUndefined();
  expect(BASE64.decode(Buffer.alloc(0))).toBeUndefined();
  expect(BASE64.decode(Buffer.from('\x00'))).toBeUndefined();
  expect(BASE64.decode(Buffer.from('0aGkK'))).toEqual({ channel: 0, body: Buffer.from('hi\n') });
});
