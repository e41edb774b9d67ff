/**
 * The way of requests from outside to services: HTTP/1.1 and, over TLS, HTTP/2; WebSocket and other upgrades.
 * Node's own HTTP stack carries them: it is there, and a core of it does more than the services of one machine take.
 */
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Asked, Decision, Protocol, Redirect, ToBackends } from './decision.ts';
import type { Address } from './endpoints.ts';
import { changeHeaders, type Headers } from './headers.ts';

export interface IngressServerOptions {
  /** where it listens */
  readonly address: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  route(request: Asked): Decision;
}

export interface SecureServerOptions extends IngressServerOptions {
  /** PEM, for a name; undefined: there is none */
  certificate(serverName: string): Certificate | undefined;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface IngressServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Headers of one connection only: they are not handed on. Source: RFC 9110 section 7.6.1 */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const CONNECT_TIMEOUT_MS = 5_000;

/** What a mirror has not taken yet; with more, the copy is given up: who is slow there must not hold up the request. */
const MAX_MIRRORED_BYTES = 1024 * 1024;

class NoConnectionInTime extends Error {
  override readonly name = 'NoConnectionInTime';
}
class NoAnswerInTime extends Error {
  override readonly name = 'NoAnswerInTime';
}
const isLate = (err: Error | undefined) => err instanceof NoConnectionInTime || err instanceof NoAnswerInTime;

/** HTTP/1.1. Resolves when the port is open. @throws the listen error */
export function startPlainServer(options: IngressServerOptions): Promise<IngressServer> {
  const forwarder = new Forwarder(options);
  const server = createServer((req, res) => forwarder.forward(req, res, 'http'));
  server.on('upgrade', (req, socket, head) => forwarder.upgrade(req, socket, head, 'http'));
  return open(server, forwarder, options.address);
}

/** HTTP/1.1 and HTTP/2 over TLS. Resolves when the port is open. @throws the listen error */
export function startSecureServer(options: SecureServerOptions): Promise<IngressServer> {
  const forwarder = new Forwarder(options);
  const contexts = new WeakMap<Certificate, SecureContext>();
  const server = createSecureServer({
    allowHTTP1: true,
    SNICallback(name, done) {
      const certificate = options.certificate(name);
      if (certificate === undefined) {
        done(new Error(`there is no certificate for ${name}`));
        return;
      }
      try {
        const context = contexts.get(certificate) ?? createSecureContext(certificate);
        contexts.set(certificate, context);
        done(null, context);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  // Node's requests over HTTP/2 are made to look like those over HTTP/1.1.
  server.on('request', (req, res) => {
    forwarder.forward(req as unknown as IncomingMessage, res as unknown as ServerResponse, 'https');
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    forwarder.upgrade(req, socket, head, 'https'),
  );
  return open(server, forwarder, options.address);
}

async function open(server: Server | Http2SecureServer, forwarder: Forwarder, address: string): Promise<IngressServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  const port = await listen(server, address);
  return {
    port,
    async close() {
      forwarder.close();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server | Http2SecureServer, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

class Forwarder {
  readonly #o: IngressServerOptions;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });

  constructor(options: IngressServerOptions) {
    this.#o = options;
  }

  close(): void {
    this.#agent.destroy();
  }

  forward(req: IncomingMessage, res: ServerResponse, protocol: Protocol): void {
    const decision = this.#o.route(askedBy(req, protocol));
    if (decision.to === 'refuse') refuse(res, decision.status);
    else if (decision.to === 'redirect') redirect(res, decision);
    else if (decision.addresses.length === 0) refuse(res, 503);
    else this.#send(req, res, protocol, decision, this.#shuffled(decision.addresses), decision.mirrors ?? []);
  }

  /** To one of the addresses; where it cannot be reached, and nothing was sent yet, to the next. */
  #send(
    req: IncomingMessage,
    res: ServerResponse,
    protocol: Protocol,
    decision: ToBackends,
    [address, ...others]: readonly Address[],
    mirrors: readonly Address[],
  ): void {
    if (address === undefined) {
      refuse(res, 502);
      return;
    }
    const { host, port } = address;
    const out = this.#request(req, protocol, decision, address);
    let sent = false;
    let left = false;
    out.on('response', (answer) => {
      const headers = Object.entries(answer.headers).filter(([name]) => !OF_CONNECTION.has(name));
      res.writeHead(
        answer.statusCode ?? 502,
        changeHeaders(Object.fromEntries(headers) as Headers, decision.answerHeaders),
      );
      answer.on('error', () => res.destroy());
      answer.pipe(res);
    });
    out.on('error', (err) => {
      if (left) return;
      if (res.headersSent) {
        res.destroy();
        return;
      }
      // A connection that was kept open may have been closed at this very moment.
      const next = out.reusedSocket ? [address, ...others] : others;
      if (!sent && next.length > 0 && !(err instanceof NoAnswerInTime)) {
        this.#send(req, res, protocol, decision, next, mirrors);
        return;
      }
      this.#o.log.info('a service could not be reached', { err, host, port });
      refuse(res, isLate(err) ? 504 : 502);
    });
    res.on('close', () => {
      left = true;
      out.destroy();
    });
    const { method, headers } = req;
    const hasBody =
      (method !== 'GET' && method !== 'HEAD') ||
      headers['content-length'] !== undefined ||
      headers['transfer-encoding'] !== undefined;
    const begin = () => {
      // Not before: who reads of the body first is the one who starts it.
      for (const mirror of mirrors) this.#mirror(req, protocol, decision, mirror, hasBody);
      mirrors = [];
      // A body cannot be sent twice.
      if (!hasBody) {
        out.end();
        return;
      }
      sent = true;
      req.pipe(out);
    };
    out.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', begin);
      else begin();
    });
  }

  /** It fails where there is no connection, or no end of the answer, in time. */
  #request(req: IncomingMessage, protocol: Protocol, decision: ToBackends, { host, port }: Address): ClientRequest {
    const { clock } = this.#o;
    const out = request({
      host,
      port,
      method: req.method ?? 'GET',
      path: decision.url ?? req.url ?? '/',
      headers: headersFor(req, protocol, decision),
      agent: this.#agent,
    });
    const connecting = clock.after(CONNECT_TIMEOUT_MS, () =>
      out.destroy(new NoConnectionInTime('no connection in time')),
    );
    out.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => connecting.cancel());
      else connecting.cancel();
    });
    const { timeoutMs } = decision;
    const whole =
      timeoutMs === undefined
        ? undefined
        : clock.after(timeoutMs, () => out.destroy(new NoAnswerInTime('no answer in time')));
    out.once('close', () => {
      connecting.cancel();
      whole?.cancel();
    });
    return out;
  }

  /** A copy of the request; nobody waits for its answer. */
  #mirror(req: IncomingMessage, protocol: Protocol, decision: ToBackends, address: Address, hasBody: boolean): void {
    const out = this.#request(req, protocol, decision, address);
    const copy = (chunk: Buffer) => {
      out.write(chunk);
      if (out.writableLength > MAX_MIRRORED_BYTES) out.destroy();
    };
    const end = () => out.end();
    const leave = () => {
      req.off('data', copy);
      req.off('end', end);
    };
    out.on('response', (answer) => answer.resume());
    out.on('error', leave);
    out.on('close', leave);
    if (!hasBody) {
      out.end();
      return;
    }
    req.on('data', copy);
    req.on('end', end);
    req.on('close', () => !req.complete && out.destroy());
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, protocol: Protocol): void {
    socket.on('error', () => socket.destroy());
    const decision = this.#o.route(askedBy(req, protocol));
    if (decision.to === 'refuse') endWith(socket, decision.status);
    else if (decision.to === 'redirect') endWith(socket, decision.status, `Location: ${decision.location}\r\n`);
    else if (decision.addresses.length === 0) endWith(socket, 503);
    else this.#connect(req, socket, head, protocol, decision, this.#shuffled(decision.addresses));
  }

  /** To one of the addresses; where it cannot be reached, to the next. */
  #connect(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    protocol: Protocol,
    decision: ToBackends,
    [address, ...others]: readonly Address[],
    problem?: Error,
  ): void {
    if (address === undefined) {
      endWith(socket, isLate(problem) ? 504 : 502);
      return;
    }
    const backend = connect(address.port, address.host);
    const { clock, log } = this.#o;
    const connecting = clock.after(CONNECT_TIMEOUT_MS, () =>
      backend.destroy(new NoConnectionInTime('no connection in time')),
    );
    let connected = false;
    const gone = () => backend.destroy();
    backend.once('connect', () => {
      connected = true;
      connecting.cancel();
      const headers = {
        ...headersFor(req, protocol, decision),
        connection: 'Upgrade',
        upgrade: req.headers.upgrade ?? '',
      };
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`),
      );
      backend.write(`${req.method} ${decision.url ?? req.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      if (head.length > 0) backend.write(head);
      socket.pipe(backend);
      backend.pipe(socket);
    });
    backend.on('error', (err) => {
      problem = err;
      log.info('a service could not be reached', { err, ...address });
    });
    backend.on('close', () => {
      connecting.cancel();
      socket.off('close', gone);
      if (connected || socket.destroyed) socket.destroy();
      else this.#connect(req, socket, head, protocol, decision, others, problem);
    });
    socket.on('close', gone);
  }

  /** In an order of chance. */
  #shuffled(addresses: readonly Address[]): readonly Address[] {
    if (addresses.length < 2) return addresses;
    const start = this.#o.random.integer(addresses.length);
    return [...addresses.slice(start), ...addresses.slice(0, start)];
  }
}

const askedBy = (req: IncomingMessage, protocol: Protocol): Asked => ({
  protocol,
  host: hostOf(req),
  url: req.url ?? '/',
  method: req.method ?? 'GET',
  headers: req.headers,
});

const hostOf = ({ headers }: IncomingMessage) => String(headers[':authority'] ?? headers.host ?? '');

function headersFor(req: IncomingMessage, protocol: Protocol, decision: ToBackends): Headers {
  const headers: Headers = {};
  const named = String(req.headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || name.startsWith(':') || OF_CONNECTION.has(name) || named.includes(name)) continue;
    headers[name] = value;
  }
  const client = req.socket.remoteAddress ?? '';
  const before = headers['x-forwarded-for'];
  const host = hostOf(req);
  const all: Headers = {
    ...headers,
    host: decision.host ?? host,
    'x-forwarded-for': before === undefined ? client : `${before}, ${client}`,
    'x-forwarded-host': headers['x-forwarded-host'] ?? host,
    'x-forwarded-proto': protocol,
    'x-real-ip': client,
  };
  return changeHeaders(all, decision.requestHeaders);
}

function refuse(res: ServerResponse, status: number): void {
  if (res.headersSent) return;
  const body = `${STATUS_CODES[status]}\n`;
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(body.length) });
  res.end(body);
}

/** The answer to who wanted to speak another protocol, and cannot. */
function endWith(socket: Duplex, status: number, headers = ''): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`);
}

function redirect(res: ServerResponse, { status, location }: Redirect): void {
  res.writeHead(status, { location, 'content-length': '0' });
  res.end();
}
