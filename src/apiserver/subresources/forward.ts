/**
 * Passing a request on to another server and its answer back, byte for byte: plain HTTP with back-pressure
 * and streaming, and upgrades (WebSocket, SPDY/3.1) as two joined connections.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError, apiError, badRequest, type Status, type StatusReason } from '../../machinery/status.ts';
import type { TakenAnswer } from '../answer.ts';
import { withoutToken } from '../authentication/bearerToken.ts';
import type { RequestContext } from '../context.ts';

export interface Target {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** path and query, escaped */
  readonly path: string;
  readonly tls?: TargetTls;
}

/** The client's certificate, and whom to trust; without a CA nobody is verified. */
export interface TargetTls {
  readonly cert?: string;
  readonly key?: string;
  /** PEM; 'system': those that the machine trusts */
  readonly ca?: string;
  /** whom the certificate must be for; absent: the host */
  readonly servername?: string;
}

export interface ForwardOptions {
  /** In place of the client's own method. */
  readonly method?: string;
  /** In place of the client's own, by names in lower case. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Failures of the target become failures of this server, in its own form; else they are passed on as they are. */
  readonly translateErrors: boolean;
  /** What the answer's body goes through on its way; may change the headers that go before it. */
  readonly through?: (answer: IncomingMessage, headers: Record<string, string | string[]>) => Duplex[];
  /** @param message why the target could not be reached */
  readonly unreachable: (message: string) => ApiError;
}

/** In place of a CA: those that the machine trusts. */
export const SYSTEM_ROOTS = 'system';

/** How long a target may take to accept a connection. */
const CONNECT_TIMEOUT_MS = 10_000;
/** So much of a failure's body is read to find its message. */
const MAX_ERROR_BODY_BYTES = 16 * 1024;

/** Hop by hop: between two neighbours only. `authorization` is for this server alone. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'authorization',
]);

/** Takes the connection; `done` rejects where nothing was answered yet. */
export function forward(ctx: RequestContext, target: Target, options: ForwardOptions): TakenAnswer {
  const { raw } = ctx;
  if (raw === undefined) throw badRequest('streams cannot be asked for within the process');
  if (raw.upgrade !== undefined) {
    return { type: 'taken', done: forwardUpgrade(ctx, raw.req, raw.upgrade.socket, raw.upgrade.head, target, options) };
  }
  if (raw.res === undefined) throw badRequest('there is nobody to answer');
  return { type: 'taken', done: forwardPlain(ctx, raw.req, raw.res, target, options) };
}

async function forwardPlain(
  ctx: RequestContext,
  req: IncomingMessage,
  res: ServerResponse,
  target: Target,
  options: ForwardOptions,
): Promise<void> {
  const method = options.method ?? req.method ?? 'GET';
  const hasBody = options.method === undefined && method !== 'GET' && method !== 'HEAD';
  const outgoing = open(target, method, { ...passedOn(req), ...options.headers });
  const abandon = () => outgoing.destroy();
  ctx.signal.addEventListener('abort', abandon, { once: true });
  try {
    const answering = answerOf(outgoing, options);
    if (hasBody) pipeline(req, outgoing).catch(abandon);
    else outgoing.end();
    const answer = await answering;
    const status = answer.statusCode ?? 502;
    if (options.translateErrors && status >= 400) throw await failureOf(answer, status);
    const answered = responseHeaders(answer);
    const through = options.through?.(answer, answered) ?? [];
    res.writeHead(status, answered);
    // What streams slowly is shown as it comes.
    res.flushHeaders?.();
    await pipeline([answer, ...through, res]).catch(() => {
      // One side went away: the other goes, too.
      answer.destroy();
      res.destroy();
    });
  } finally {
    ctx.signal.removeEventListener('abort', abandon);
  }
}

/** The target's answer to a GET of this server's own. @throws ApiError where it fails */
export async function ask(target: Target, options: ForwardOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const outgoing = open(target, 'GET', options.headers);
  signal.addEventListener('abort', () => outgoing.destroy(), { once: true });
  const answering = answerOf(outgoing, options);
  outgoing.end();
  const answer = await answering;
  const status = answer.statusCode ?? 502;
  if (status >= 400) throw await failureOf(answer, status);
  return answer;
}

async function forwardUpgrade(
  ctx: RequestContext,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: Target,
  options: ForwardOptions,
): Promise<void> {
  const headers = { ...passedOn(req), ...options.headers };
  headers.connection = 'Upgrade';
  headers.upgrade = req.headers.upgrade ?? '';
  const protocols = req.headers['sec-websocket-protocol'];
  if (protocols !== undefined) headers['sec-websocket-protocol'] = withoutToken(protocols);
  const outgoing = open(target, options.method ?? req.method ?? 'GET', headers);
  const abandon = () => outgoing.destroy();
  ctx.signal.addEventListener('abort', abandon, { once: true });
  try {
    const upgraded = upgradeOf(outgoing, options);
    outgoing.end();
    const { answer, other, otherHead } = await upgraded;
    socket.write(`HTTP/1.1 101 ${answer.statusMessage ?? 'Switching Protocols'}\r\n${rawHeaders(answer)}\r\n`);
    if (otherHead.length > 0) socket.write(otherHead);
    if (head.length > 0) other.write(head);
    join(socket, other);
  } finally {
    ctx.signal.removeEventListener('abort', abandon);
  }
}

/** Two connections as one: what one side sent before it went still reaches the other. */
function join(a: Duplex, b: Duplex): void {
  const pair = [
    [a, b],
    [b, a],
  ] as const;
  for (const [one, other] of pair) {
    one.once('error', () => other.destroy());
    one.once('close', () => {
      if (!other.destroyed) other.end(() => other.destroy());
    });
    one.pipe(other);
  }
}

function open(target: Target, method: string, headers: RequestOptions['headers']): ClientRequest {
  const options: RequestOptions = {
    host: target.host,
    port: target.port,
    path: target.path,
    method,
    headers: headers ?? {},
    agent: false,
  };
  if (target.protocol === 'http') return httpRequest(options);
  return httpsRequest({ ...options, ...tlsOptions(target.tls) });
}

/** As Node wants it. */
export function tlsOptions({ cert, key, ca, servername }: TargetTls = {}): RequestOptions {
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
    ...(ca === undefined ? { rejectUnauthorized: false } : ca === SYSTEM_ROOTS ? {} : { ca }),
  };
}

function answerOf(outgoing: ClientRequest, options: ForwardOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    watchConnect(outgoing);
    outgoing.once('response', resolve);
    outgoing.on('error', (e) => reject(options.unreachable(e.message)));
  });
}

interface Upgraded {
  readonly answer: IncomingMessage;
  readonly other: Duplex;
  readonly otherHead: Buffer;
}

function upgradeOf(outgoing: ClientRequest, options: ForwardOptions): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    watchConnect(outgoing);
    outgoing.once('upgrade', (answer, other, otherHead) => resolve({ answer, other, otherHead }));
    outgoing.once('response', (answer) => {
      failureOf(answer, answer.statusCode ?? 502).then(reject, reject);
    });
    outgoing.on('error', (e) => reject(options.unreachable(e.message)));
  });
}

/** Bounds the time to connect, not what comes after: a log may be silent for hours. */
function watchConnect(outgoing: ClientRequest): void {
  outgoing.setTimeout(CONNECT_TIMEOUT_MS, () => outgoing.destroy(new Error('the connection timed out')));
  outgoing.once('socket', (socket) => {
    const connected = () => outgoing.setTimeout(0);
    socket.once('secureConnect', connected);
    if (!('encrypted' in socket)) socket.once('connect', connected);
  });
}

/** Header names are in lower case. */
function passedOn({ rawHeaders }: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  // HTTP/2 requests have their headers in this form, too.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (NOT_PASSED_ON.has(name) || name.startsWith(':')) continue;
    if (name.startsWith('impersonate-') || name.startsWith('x-remote-')) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : typeof before === 'string' ? [before, value] : [...before, value];
  }
  return headers;
}

function responseHeaders(answer: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    if (values === undefined || NOT_PASSED_ON.has(name)) continue;
    headers[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return headers;
}

function rawHeaders(answer: IncomingMessage): string {
  let text = '';
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    text += `${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}\r\n`;
  return text;
}

const REASON: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/** What a target's failure is as our own: its Status, or its text. */
async function failureOf(answer: IncomingMessage, code: number): Promise<ApiError> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= MAX_ERROR_BODY_BYTES) break;
    }
  } catch {
    // What came of it must do.
  }
  return failureFrom(Buffer.concat(chunks).toString('utf8'), code);
}

/** @param body what the target answered, with the status `code` */
export function failureFrom(body: string, code: number): ApiError {
  const text = body.trim();
  try {
    const status = JSON.parse(text) as Partial<Status>;
    if (status.kind === 'Status' && typeof status.code === 'number') return new ApiError(status as Status);
  } catch {
    // It is plain text.
  }
  return apiError(REASON[code] ?? 'InternalError', text === '' ? `the server answered with code ${code}` : text);
}
