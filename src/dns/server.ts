/** The cluster's DNS server: UDP and TCP on one port. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { answerOf, failure } from './answer.ts';
import { datagramLimit, formatError, type Query, RCODE, type Response, readQuery, writeResponse } from './message.ts';
import { framed, type Upstream } from './upstream.ts';
import type { Zone } from './zone.ts';

export interface DnsServerOptions {
  readonly zone: Zone;
  readonly upstream: Upstream;
  readonly address: string;
  /** 0: any that is free */
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A port that is free over TCP may be taken over UDP: then others are tried. */
const MAX_ATTEMPTS = 20;
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 500;
const MAX_MESSAGE = 0xffff;

/** Resolves when it answers. @throws the error of listening */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => serveStream(options, socket, connections));
  server.maxConnections = MAX_CONNECTIONS;
  for (let attempt = 1; ; attempt++) {
    const port = await listen(server, options);
    const socket = createSocket(isIPv6(options.address) ? 'udp6' : 'udp4');
    try {
      await bind(socket, options.address, port);
    } catch (error) {
      socket.close();
      await new Promise((resolve) => server.close(resolve));
      if (options.port !== 0 || attempt === MAX_ATTEMPTS) throw error;
      continue;
    }
    serveDatagrams(options, socket);
    return {
      port,
      async close() {
        socket.close();
        for (const connection of connections) connection.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }
}

function listen(server: Server, { address, port }: DnsServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as { port: number }).port);
    });
  });
}

function bind(socket: DatagramSocket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function serveDatagrams(options: DnsServerOptions, socket: DatagramSocket): void {
  const { log } = options;
  socket.on('error', (err) => log.warn('the DNS socket has a problem', { err }));
  socket.on('message', (message, from) => {
    const query = readQuery(message);
    const answer = query === undefined ? formatError(message) : respond(options, query, datagramLimit(query));
    if (answer === undefined) return;
    const send = (bytes: Buffer) => {
      socket.send(bytes, from.port, from.address, () => {
        // Who asked may be gone, or cannot be reached: then nobody waits for it.
      });
    };
    if (Buffer.isBuffer(answer)) send(answer);
    else
      answer.then(send, (err: unknown) => {
        log.warn('a DNS query failed', { err, name: query?.name });
      });
  });
}

function serveStream(options: DnsServerOptions, socket: Socket, connections: Set<Socket>): void {
  connections.add(socket);
  socket.on('close', () => connections.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const message = received.subarray(2, end);
      received = received.subarray(end);
      const query = readQuery(message);
      const answer = query === undefined ? formatError(message) : respond(options, query, MAX_MESSAGE);
      if (answer === undefined) {
        socket.destroy();
        return;
      }
      void Promise.resolve(answer).then(
        (bytes) => socket.write(framed(bytes)),
        () => socket.destroy(),
      );
    }
  });
}

function respond(options: DnsServerOptions, query: Query, limit: number): Promise<Buffer> | Buffer {
  const { zone, upstream, random } = options;
  if (!query.isQuery || !query.isInternet || (query.edns?.version ?? 0) !== 0) {
    const rcode = (query.edns?.version ?? 0) !== 0 ? RCODE.noError : RCODE.notImplemented;
    return writeResponse(query, { ...failure(), rcode }, limit);
  }
  const write = (response: Response) => writeResponse(query, response, limit);
  if (zone.owns(query.name)) {
    return answerOf(zone, query, random, (name, type) => upstream.resolve(name, type)).then(write);
  }
  return upstream.ask(query).then((message) => {
    if (message === undefined) return write(failure());
    if (message.length <= limit) return message;
    // The whole answer is there over TCP.
    return writeTruncated(query, limit);
  });
}

const TRUNCATED = 0x02;

function writeTruncated(query: Query, limit: number): Buffer {
  const out = writeResponse(query, { ...failure(), rcode: RCODE.noError }, limit);
  out[2] = (out[2] ?? 0) | TRUNCATED;
  return out;
}
