/** The transport over TLS, to any API server. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from '../lib/clock.ts';
import { stringifyExactJson } from '../machinery/exactJson.ts';
import { deepFreeze } from '../machinery/freeze.ts';
import { ApiError, type Status } from '../machinery/status.ts';
import { LineSplitter } from './lines.ts';
import { type ApiRequest, type ApiResponse, type Transport, TransportError, type WatchEvent } from './transport.ts';

export interface HttpTransportOptions {
  /** `https://127.0.0.1:6443`, with a path where the API is not at the root */
  readonly server: string;
  /** PEM: who signs the server's certificate; absent: who the machine believes */
  readonly ca?: string;
  /** PEM: a client certificate and its key */
  readonly cert?: string;
  readonly key?: string;
  /** the client certificate and its key of the moment, where they change */
  readonly credentials?: () => { readonly cert: string; readonly key: string };
  /** as whom requests are made, by who may act as that user */
  readonly impersonate?: string;
  /** what the client calls itself */
  readonly agent?: string;
  /** a bearer token, or what gives the one of the moment */
  readonly token?: string | (() => string);
  readonly clock: Clock;
  /** how long to wait for an answer, or for a watch to be accepted; 60 s when absent */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
/** A peer that is gone without a word is noticed by the kernel's probes. */
const KEEP_ALIVE_MS = 30_000;
/** Larger answers are refused: a string cannot hold much more. */
const MAX_ANSWER_BYTES = 512 << 20;
/** A server that is busy asks for patience; it is asked again this often. */
const MAX_RETRIES = 5;
const LONGEST_RETRY_AFTER_S = 60;

/** @throws TypeError where `server` is not a URL */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { clock, timeoutMs = TIMEOUT_MS } = options;
  const server = new URL(options.server);
  const basePath = server.pathname.replace(/\/$/, '');
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    scheduling: 'lifo',
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
  });

  function open(request: ApiRequest): Promise<{ sent: ClientRequest; answer: IncomingMessage }> {
    const { signal, body, method, query } = request;
    const search = query === undefined ? '' : new URLSearchParams(query).toString();
    const headers: Record<string, string | number> = { accept: 'application/json' };
    const token = typeof options.token === 'function' ? options.token() : options.token;
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (options.agent !== undefined) headers['user-agent'] = options.agent;
    if (options.impersonate !== undefined) headers['impersonate-user'] = options.impersonate;
    const payload = body === undefined ? undefined : Buffer.from(stringifyExactJson(body));
    if (payload !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = payload.length;
    }
    const to: RequestOptions = {
      agent,
      method,
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port || 443,
      path: `${basePath}${request.path}${search === '' ? '' : `?${search}`}`,
      headers,
      // Connections are kept by their certificates, too.
      ...options.credentials?.(),
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(to);
      const timer = clock.after(timeoutMs, () => sent.destroy(new TransportError(`no answer within ${timeoutMs} ms`)));
      sent.on('error', (error) => {
        timer.cancel();
        reject(failureOf(error, signal));
      });
      sent.on('response', (answer) => {
        timer.cancel();
        resolve({ sent, answer });
      });
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      sent.end(payload);
    });
  }

  async function once(request: ApiRequest): Promise<{ answer: IncomingMessage; response: ApiResponse }> {
    const { sent, answer } = await open(request);
    const timer = clock.after(timeoutMs, () =>
      sent.destroy(new TransportError(`the answer took over ${timeoutMs} ms`)),
    );
    try {
      const object = decodeBody(answer, await readAll(answer, request.signal));
      return { answer, response: { status: answer.statusCode ?? 0, object } };
    } finally {
      timer.cancel();
    }
  }

  return {
    async request(request) {
      for (let attempt = 0; ; attempt++) {
        const { answer, response } = await once(request);
        if (response.status < 400) return response;
        const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
        if (response.status !== 429 || !(seconds >= 0) || attempt >= MAX_RETRIES) throw refusalOf(response);
        await clock.sleep(Math.min(seconds, LONGEST_RETRY_AFTER_S) * 1000, request.signal);
      }
    },

    async watch(request, onEvent, onEnd) {
      const { answer } = await open({ ...request, query: { ...request.query, watch: 'true' } });
      const status = answer.statusCode ?? 0;
      if (status >= 400) {
        throw refusalOf({ status, object: decodeBody(answer, await readAll(answer, request.signal)) });
      }
      readEvents(answer, request.signal, onEvent, onEnd);
    },

    async close() {
      agent.destroy();
    },
  };
}

function failureOf(error: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new TransportError('aborted');
  if (error instanceof TransportError) return error;
  const { message } = error as Error;
  return new TransportError(message, { cause: error });
}

function readAll(answer: IncomingMessage, signal: AbortSignal | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    answer.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) answer.destroy(new TransportError(`an answer of over ${MAX_ANSWER_BYTES} bytes`));
      else chunks.push(chunk);
    });
    answer.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    answer.on('error', (error) => reject(failureOf(error, signal)));
    answer.on('close', () => reject(failureOf(new TransportError('the connection ended within an answer'), signal)));
  });
}

/** @throws TransportError where it says that it is JSON and is not */
function decodeBody(answer: IncomingMessage, body: Buffer): unknown {
  const text = body.toString('utf8');
  if (!(answer.headers['content-type'] ?? '').includes('json')) return text;
  return deepFreeze(parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TransportError('the server sent what is not JSON', { cause });
  }
}

function refusalOf({ status, object }: ApiResponse): ApiError {
  if (typeof object === 'object' && object !== null && (object as Partial<Status>).kind === 'Status') {
    return new ApiError(object as Status);
  }
  // Something between us and the API server answered.
  const message = typeof object === 'string' && object !== '' ? object.slice(0, 1024) : `the server answered ${status}`;
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(status === 404 ? { reason: 'NotFound' } : status === 401 ? { reason: 'Unauthorized' } : {}),
    code: status,
  });
}

function readEvents(
  answer: IncomingMessage,
  signal: AbortSignal | undefined,
  onEvent: (event: WatchEvent) => void,
  onEnd: (error?: Error) => void,
): void {
  let over = false;
  const end = (error?: Error) => {
    if (over) return;
    over = true;
    if (!signal?.aborted) onEnd(error);
  };
  const lines = new LineSplitter((line) => {
    if (!over && !signal?.aborted) onEvent(deepFreeze(parse(line)) as WatchEvent);
  });
  answer.on('data', (chunk: Buffer) => {
    try {
      lines.push(chunk);
    } catch (error) {
      end(failureOf(error, signal));
      answer.destroy();
    }
  });
  answer.on('end', () => end());
  answer.on('error', (error) => end(failureOf(error, signal)));
  answer.on('close', () => end());
}
