/**
 * The way in and out over the network: HTTP/1.1 and HTTP/2 with TLS on one port. Makes a context of
 * each request, runs the pipeline, writes the answer.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KubeObject } from '../machinery/kind.ts';
import { type ApiError, apiError, badRequest, type Status } from '../machinery/status.ts';
import type { Answer } from './answer.ts';
import type { AuditTrail } from './audit/trail.ts';
import { emptyInfo, type RawConnection, type RequestBody, type RequestContext } from './context.ts';
import { type Encoded, encodeAnswer, encodeValue, JSON_TYPE } from './encoding/encodeAnswer.ts';
import { negotiate, PLAIN, streamTypeOf, type Wanted } from './encoding/negotiate.ts';
import { streamWatch } from './encoding/watchStream.ts';
import { YamlReader } from './encoding/yamlReader.ts';
import type { Pipeline } from './pipeline.ts';
import { sendBody } from './sendBody.ts';
import type { ApiServerParts } from './stage.ts';
import { mayUpgrade } from './stages/route.ts';
import { statusOf } from './statusOf.ts';
import { ANONYMOUS } from './user.ts';
import { warningHeaders } from './warnings.ts';

/** Larger bodies are refused, as Kubernetes does. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** What one HTTP/2 connection may have waiting: it carries all watches of a client. */
const MAX_SESSION_MEGABYTES = 256;
const HEADERS_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 64 * 1024;
/** More do not fit into so many bytes. What is beyond a limit of the number would be left out, unseen. */
const MAX_HEADERS = MAX_HEADER_BYTES / 4;

export interface TlsMaterial {
  /** PEM: the serving certificate and its key */
  readonly cert: string;
  readonly key: string;
  /** PEM: whose client certificates are looked at; authenticators say what each is good for */
  readonly clientCAs: readonly string[];
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws the listen error (EADDRINUSE, EACCES, …) */
export async function listen(
  parts: ApiServerParts,
  pipeline: Pipeline,
  tls: TlsMaterial,
  address: { host: string; port: number },
): Promise<Listener> {
  const connections = new Connections(parts, pipeline);
  const server = createSecureServer({
    cert: tls.cert,
    key: tls.key,
    ca: [...tls.clientCAs],
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: true,
    maxSessionMemory: MAX_SESSION_MEGABYTES,
    maxHeaderListPairs: MAX_HEADERS,
    settings: { maxConcurrentStreams: 1000, initialWindowSize: 1 << 20 },
  } as Parameters<typeof createSecureServer>[0]);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', ignore);
  });
  server.on('secureConnection', (socket) => socket.on('error', ignore));
  server.on('request', (req, res) =>
    connections.request(req as unknown as IncomingMessage, res as unknown as ServerResponse),
  );
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => connections.upgrade(req, socket, head));
  server.on('tlsClientError', ignore);
  server.on('sessionError', ignore);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW' && socket.writable;
    if (tooLarge) socket.end('HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  // A server of both versions takes these for HTTP/1.1 only when they are set on it.
  Object.assign(server, {
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: 120_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    maxHeadersCount: MAX_HEADERS,
    shouldUpgradeCallback: ({ method = '', url = '' }: IncomingMessage) => mayUpgrade(parts, method, url),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server, sockets) };
}

function closeServer(server: Http2SecureServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Watches and idle connections would hold it up for ever.
    setImmediate(() => {
      for (const socket of sockets) socket.destroy();
    });
  });
}

/** A connection that breaks ends with `close`, which is where things are tidied. */
function ignore(): void {}

class Connections {
  readonly #parts: ApiServerParts;
  readonly #pipeline: Pipeline;
  readonly #yaml = new YamlReader();

  constructor(parts: ApiServerParts, pipeline: Pipeline) {
    this.#parts = parts;
    this.#pipeline = pipeline;
  }

  /** A hot path: a read that needs to wait for nothing is answered before this returns. */
  request(req: IncomingMessage, res: ServerResponse): void {
    req.on('error', ignore);
    res.on('error', ignore);
    const ctx = new HttpContext({ req, res }, this.#yaml);
    try {
      const answer = this.#pipeline(ctx);
      if (answer instanceof Promise) {
        answer.then((a) => this.#answer(ctx, res, a)).catch((error: unknown) => this.#refuse(ctx, res, error));
      } else this.#answer(ctx, res, answer);
    } catch (error) {
      this.#refuse(ctx, res, error);
    }
  }

  #answer(ctx: HttpContext, res: ServerResponse, answer: Answer): void {
    if (answer.type === 'taken') {
      answer.done.catch((error: unknown) => this.#refuse(ctx, res, error));
      return;
    }
    const wanted =
      answer.type === 'raw'
        ? PLAIN
        : negotiate(ctx.header('accept'), ctx.query, { watch: answer.type === 'watch', kind: answer.kind });
    if (answer.type === 'watch') {
      const contentType = streamTypeOf(wanted.encoding);
      res.writeHead(200, withWarnings(ctx, { 'Content-Type': contentType, 'Cache-Control': 'no-cache, private' }));
      if (ctx.method === 'HEAD') {
        res.end();
        return;
      }
      res.flushHeaders();
      // HTTP/1.1 holds back what is written until the end of the turn; HTTP/2 has frames of its own.
      const flush = ctx.raw.req.httpVersionMajor === 1 ? () => res.socket?.uncork() : () => {};
      streamWatch(answer, res, wanted, () => this.#parts.clock.now(), flush);
      return;
    }
    const encoded = encodeAnswer(answer, wanted, this.#parts.clock.now());
    const headers = answer.type === 'raw' ? answer.headers : undefined;
    if (!(encoded instanceof Promise)) this.#send(ctx, res, encoded, headers);
    else encoded.then((e) => this.#send(ctx, res, e, headers)).catch((e: unknown) => this.#refuse(ctx, res, e));
  }

  #send(ctx: HttpContext, res: ServerResponse, encoded: Encoded, extra?: Readonly<Record<string, string>>): void {
    const headers = withWarnings(ctx, {
      'Content-Type': encoded.contentType,
      'Cache-Control': 'no-cache, private',
      ...extra,
    });
    const { status, body } = encoded;
    if (ctx.method === 'HEAD' || status === 304) {
      res.writeHead(status, { ...headers, 'Content-Length': body.length });
      res.end();
      return;
    }
    sendBody(res, { status, headers }, body, accepts(ctx.header('accept-encoding'), 'gzip'));
  }

  #refuse(ctx: HttpContext, res: ServerResponse, error: unknown): void {
    const status = statusOf(error, this.#parts, { method: ctx.method, path: ctx.rawPath });
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    const headers = headersOf(status);
    // What was not read of a refused body will not be read: the connection cannot go on with it.
    if (ctx.bodyAbandoned && ctx.raw.req.httpVersionMajor === 1) headers.Connection = 'close';
    const encoded = encodeValue(status.code, { value: status as KubeObject }, refusalWanted(ctx));
    if (!(encoded instanceof Promise)) this.#send(ctx, res, encoded, headers);
    else encoded.then((e) => this.#send(ctx, res, e, headers)).catch(() => res.destroy());
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const ctx = new HttpContext({ req, upgrade: { socket, head } }, this.#yaml);
    const refuse = (error: unknown) => {
      const status = statusOf(error, this.#parts, { method: ctx.method, path: ctx.rawPath });
      const body = JSON.stringify(status);
      const lines = [
        `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}`,
        `Content-Type: ${JSON_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Connection: close',
      ];
      if (!socket.destroyed) socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    };
    const take = (answer: Answer) => {
      if (answer.type === 'taken') answer.done.catch(refuse);
      else if (answer.type === 'watch') {
        const wanted = negotiate(ctx.header('accept'), ctx.query, { watch: true, kind: answer.kind });
        import('./encoding/watchSocket.ts')
          .then(({ serveWatchSocket }) => serveWatchSocket(answer, ctx.raw, wanted, () => this.#parts.clock.now()))
          .catch(refuse);
      } else refuse(apiError('BadRequest', 'this cannot be upgraded to another protocol'));
    };
    try {
      const answer = this.#pipeline(ctx);
      if (answer instanceof Promise) answer.then(take).catch(refuse);
      else take(answer);
    } catch (error) {
      refuse(error);
    }
  }
}

/** A refusal comes in JSON where the client takes nothing that it could have. */
function refusalWanted(ctx: HttpContext): Wanted {
  try {
    return negotiate(ctx.header('accept'), ctx.query, { watch: false, kind: undefined });
  } catch {
    return PLAIN;
  }
}

function headersOf(status: Status): Record<string, string> {
  const seconds = status.details?.retryAfterSeconds;
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) };
}

/** Tells of the flow, and warnings. */
function withWarnings(ctx: HttpContext, headers: OutgoingHttpHeaders) {
  if (ctx.flowHeaders !== undefined) Object.assign(headers, ctx.flowHeaders);
  if (ctx.audit !== undefined) headers['Audit-Id'] = ctx.audit.id;
  if (ctx.warnings.length > 0) headers.Warning = warningHeaders(ctx.warnings);
  return headers;
}

function accepts(header: string | undefined, encoding: string): boolean {
  return header?.split(',').some((part) => part.trim().split(';')[0] === encoding) === true;
}

const NO_QUERY = new URLSearchParams();

class HttpContext implements RequestContext {
  readonly raw: RawConnection;
  readonly method: string;
  readonly rawPath: string;
  readonly query: URLSearchParams;
  flowHeaders?: Readonly<Record<string, string>>;
  info = emptyInfo();
  user = ANONYMOUS;
  bodyAbandoned = false;
  expired = false;
  audit?: AuditTrail;
  #abort: AbortController | undefined;
  #warnings: string[] | undefined;
  readonly #yaml: YamlReader;

  constructor(raw: RawConnection, yaml: YamlReader) {
    this.raw = raw;
    this.#yaml = yaml;
    const { req } = raw;
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    this.method = req.method ?? 'GET';
    this.rawPath = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1));
  }

  header(name: string): string | undefined {
    const value = this.raw.req.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      const end = this.raw.res ?? this.raw.upgrade?.socket;
      end?.once('close', () => abort.abort());
      this.#abort = abort;
    }
    return this.#abort.signal;
  }

  expire(): void {
    this.expired = true;
    this.#abort?.abort();
    // What has not come of the body by now is not waited for.
    if (!this.raw.req.complete) this.bodyAbandoned = true;
  }

  get warnings(): readonly string[] {
    return this.#warnings ?? [];
  }

  warn(text: string): void {
    this.#warnings ??= [];
    this.#warnings.push(text);
  }

  /** @throws ApiError RequestEntityTooLarge, BadRequest where the client went away */
  readBody(): Promise<RequestBody> {
    const { req } = this.raw;
    const contentType = mediaTypeOf(this.header('content-type'));
    if (Number(this.header('content-length') ?? 0) > MAX_BODY_BYTES) return Promise.reject(this.#tooLarge());
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      req.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_BODY_BYTES) chunks.push(chunk);
        else {
          req.pause();
          reject(this.#tooLarge());
        }
      });
      req.once('end', () => {
        const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        resolve({ type: 'bytes', bytes, contentType, yaml: this.#yaml });
      });
      req.once('close', () => {
        if (!req.complete) reject(badRequest('the client went away before its request was complete'));
      });
    });
  }

  #tooLarge(): ApiError {
    this.bodyAbandoned = true;
    return apiError('RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`);
  }
}

/** `application/json` of `application/json; charset=utf-8`. */
function mediaTypeOf(header: string | undefined): string {
  if (header === undefined || header === 'application/json') return header ?? '';
  return (header.split(';')[0] as string).trim().toLowerCase();
}
