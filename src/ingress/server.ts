/**
 * The way of requests from outside to services: HTTP/1.1 and, over TLS, HTTP/2; WebSocket and other upgrades.
 * Node's own HTTP stack carries them: it is there, and a core of it does more than the services of one machine take.
 */
import {
  Agent,
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
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Address } from './endpoints.ts';

export interface IngressServerOptions {
  /** where it listens */
  readonly address: string;
  readonly random: Random;
  readonly log: Logger;
  /** The addresses that a request may go to; undefined: it is for nobody. */
  route(host: string, url: string): readonly Address[] | undefined;
  /** PEM, for a name; undefined: there is none */
  certificate(serverName: string): Certificate | undefined;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface IngressServer {
  readonly httpPort: number;
  readonly httpsPort: number;
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

/** Resolves when both ports are open. @throws the listen error */
export async function startIngressServer(options: IngressServerOptions): Promise<IngressServer> {
  const forwarder = new Forwarder(options);
  const plain = createServer((req, res) => forwarder.forward(req, res, 'http'));
  plain.on('upgrade', (req, socket, head) => forwarder.upgrade(req, socket, head, 'http'));
  const contexts = new WeakMap<Certificate, SecureContext>();
  const secure = createSecureServer({
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
  secure.on('request', (req, res) => {
    forwarder.forward(req as unknown as IncomingMessage, res as unknown as ServerResponse, 'https');
  });
  secure.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    forwarder.upgrade(req, socket, head, 'https'),
  );
  const sockets = new Set<Socket>();
  for (const server of [plain, secure]) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  }
  const [httpPort, httpsPort] = await Promise.all([listen(plain, options.address), listen(secure, options.address)]);
  return {
    httpPort,
    httpsPort,
    async close() {
      forwarder.close();
      const closed = [plain, secure].map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
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

  forward(req: IncomingMessage, res: ServerResponse, protocol: string): void {
    const addresses = this.#addresses(req);
    if (addresses === undefined) refuse(res, 404);
    else if (addresses.length === 0) refuse(res, 503);
    else this.#send(req, res, protocol, addresses);
  }

  /** To one of the addresses; where it cannot be reached, and nothing was sent yet, to the next. */
  #send(req: IncomingMessage, res: ServerResponse, protocol: string, [address, ...others]: readonly Address[]): void {
    if (address === undefined) {
      refuse(res, 502);
      return;
    }
    const { host, port } = address;
    const out = request({
      host,
      port,
      method: req.method ?? 'GET',
      path: req.url ?? '/',
      headers: headersFor(req, protocol),
      agent: this.#agent,
    });
    let sent = false;
    const connecting = setConnectTimeout(out);
    out.on('response', (answer) => {
      connecting();
      const headers = Object.entries(answer.headers).filter(([name]) => !OF_CONNECTION.has(name));
      res.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers) as Record<string, string | string[]>);
      answer.on('error', () => res.destroy());
      answer.pipe(res);
    });
    out.on('error', (err) => {
      connecting();
      if (res.headersSent) {
        res.destroy();
        return;
      }
      // A connection that was kept open may have been closed at this very moment.
      const next = out.reusedSocket ? [address, ...others] : others;
      if (!sent && next.length > 0) {
        this.#send(req, res, protocol, next);
        return;
      }
      this.#o.log.info('a service could not be reached', { err, host, port });
      refuse(res, 502);
    });
    res.on('close', () => out.destroy());
    const hasBody = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
    const begin = () => {
      connecting();
      // A body cannot be sent twice.
      if (!hasBody && (req.method === 'GET' || req.method === 'HEAD')) {
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

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): void {
    socket.on('error', () => socket.destroy());
    const [address] = this.#addresses(req) ?? [];
    if (address === undefined) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    const backend = connect(address.port, address.host);
    backend.setTimeout(CONNECT_TIMEOUT_MS, () => backend.destroy());
    backend.once('connect', () => {
      backend.setTimeout(0);
      const headers = { ...headersFor(req, protocol), connection: 'Upgrade', upgrade: req.headers.upgrade ?? '' };
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`),
      );
      backend.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      if (head.length > 0) backend.write(head);
      socket.pipe(backend);
      backend.pipe(socket);
    });
    backend.on('error', () => socket.destroy());
    backend.on('close', () => socket.destroy());
    socket.on('close', () => backend.destroy());
  }

  /** In an order of chance. */
  #addresses(req: IncomingMessage): readonly Address[] | undefined {
    const found = this.#o.route(hostOf(req), req.url ?? '/');
    if (found === undefined || found.length < 2) return found;
    const start = this.#o.random.integer(found.length);
    return [...found.slice(start), ...found.slice(0, start)];
  }
}

/** Returns what ends the wait. */
function setConnectTimeout(out: ReturnType<typeof request>): () => void {
  const end = () => out.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
  out.once('socket', (socket) => {
    if (!socket.connecting) return;
    socket.setTimeout(CONNECT_TIMEOUT_MS, end);
    socket.once('connect', () => socket.setTimeout(0));
  });
  return () => out.socket?.setTimeout(0);
}

const hostOf = ({ headers }: IncomingMessage) => String(headers[':authority'] ?? headers.host ?? '');

function headersFor(req: IncomingMessage, protocol: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
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
  return {
    ...headers,
    host,
    'x-forwarded-for': before === undefined ? client : `${before}, ${client}`,
    'x-forwarded-host': headers['x-forwarded-host'] ?? host,
    'x-forwarded-proto': protocol,
    'x-real-ip': client,
  };
}

function refuse(res: ServerResponse, status: number): void {
  if (res.headersSent) return;
  const body = `${STATUS_CODES[status]}\n`;
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(body.length) });
  res.end(body);
}
