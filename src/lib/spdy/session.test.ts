import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FrameReader, MAX_FRAME_BYTES, SpdyProtocolError } from './frames.ts';
import { SpdySession, type SpdyStream } from './session.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function pair(onStream: (stream: SpdyStream) => void): Promise<SpdySession> {
  const server = createServer((socket) => {
    new SpdySession(socket, { role: 'server', onStream });
    cleanups.push(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  cleanups.push(
    () => socket.destroy(),
    () => server.close(),
  );
  return new SpdySession(socket, { role: 'client' });
}

async function collect(stream: SpdyStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a SPDY session', () => {
  it('carries headers and bytes both ways on several streams, whole and in order', async () => {
    const seen: string[] = [];
    const client = await pair((stream) => {
      seen.push(stream.headers.streamtype ?? '');
      stream.pipe(stream);
    });
    const payload = Buffer.alloc(3_000_000, 'kubets');
    const answers = await Promise.all(
      ['stdin', 'stdout', 'error'].map(async (streamtype) => {
        const stream = await client.open({ streamtype, port: '80' });
        const answer = collect(stream);
        stream.end(payload);
        return answer;
      }),
    );
    expect(seen).toEqual(['stdin', 'stdout', 'error']);
    for (const answer of answers) expect(answer.equals(payload)).toBe(true);
  });

  it('gives what was sent before a reset and the end of the connection', async () => {
    const server = createServer((socket) => {
      new SpdySession(socket, {
        role: 'server',
        onStream(stream) {
          stream.write('last words', () => {
            stream.destroy();
            socket.end();
          });
        },
      });
      cleanups.push(() => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const closed = once(socket, 'close');
    const client = new SpdySession(socket, { role: 'client' });
    const stream = await client.open({ streamtype: 'error' });
    stream.on('error', () => {});
    await closed;
    expect(String(await collect(stream))).toBe('last words');
  });

  it('reads on where a stream that nobody reads yet ended full', async () => {
    const streams: SpdyStream[] = [];
    const client = await pair((stream) => streams.push(stream));
    const full = await client.open({ streamtype: 'stdout' });
    const other = await client.open({ streamtype: 'error' });
    // More than a stream takes without a reader, so little more that its end comes with its last bytes.
    const payload = Buffer.alloc(70_000, 'kubets');
    const more = Buffer.alloc(1_000_000, 'status');
    streams[0]?.end(payload);
    streams[1]?.end(more);
    expect((await collect(other)).equals(more)).toBe(true);
    expect((await collect(full)).equals(payload)).toBe(true);
  });

  it('closes by half: the peer can answer after our end', async () => {
    const client = await pair((stream) => {
      stream.resume();
      stream.once('end', () => stream.end('after the end'));
    });
    const stream = await client.open({ streamtype: 'data' });
    stream.end('question');
    expect((await collect(stream)).toString()).toBe('after the end');
  });

  it('refuses streams where nobody accepts them', async () => {
    const server = createServer((socket) => new SpdySession(socket, { role: 'server' }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    cleanups.push(
      () => socket.destroy(),
      () => server.close(),
    );
    await once(socket, 'connect');
    const client = new SpdySession(socket, { role: 'client' });
    await expect(client.open({ streamtype: 'data' })).rejects.toBeInstanceOf(SpdyProtocolError);
  });
});

describe('FrameReader', () => {
  it('cuts frames however the bytes are chunked', () => {
    const bytes = Buffer.from([0, 0, 0, 1, 0, 0, 0, 2, 7, 8, 0, 0, 0, 3, 1, 0, 0, 1, 9]);
    const reader = new FrameReader();
    const frames = [...bytes].flatMap((b) => reader.push(Buffer.from([b])));
    expect(frames).toEqual([
      { type: 'data', streamId: 1, fin: false, data: Buffer.from([7, 8]) },
      { type: 'data', streamId: 3, fin: true, data: Buffer.from([9]) },
    ]);
  });

  it('refuses a frame over the limit before it buffers it', () => {
    const head = Buffer.alloc(8);
    head.writeUIntBE(MAX_FRAME_BYTES + 1, 5, 3);
    expect(() => new FrameReader().push(head)).toThrow(SpdyProtocolError);
  });
});
