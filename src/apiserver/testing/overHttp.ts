/** Requests to a test server over TLS, as a client makes them, and watches that are read line by line. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { VirtualClock } from '../../lib/clock.ts';
import type { KeyPair } from './certificates.ts';
import { type HttpAnswer, http, type TestServer } from './testServer.ts';

const JSON_TYPE = 'application/json';
const PATCH = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

/** One event of a watch, or the Status of what refused it. */
export interface WatchLine {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into objects of every shape
  readonly object: any;
}

export interface OpenWatch {
  readonly status: number;
  readonly events: WatchLine[];
  /** `ADDED name` for each event */
  readonly seen: string[];
  readonly ended: boolean;
  close(): void;
}

export interface OverHttp {
  readonly port: number;
  get(path: string, headers?: Record<string, string>, as?: KeyPair | null): Promise<HttpAnswer>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  patch(type: keyof typeof PATCH, path: string, body: unknown): Promise<HttpAnswer>;
  watch(path: string): Promise<OpenWatch>;
  /** Ends the watches that are still open. */
  close(): void;
}

/** Lets the server listen. Text bodies go out as they are, others as JSON. */
export async function overHttp(server: TestServer): Promise<OverHttp> {
  const { port } = await server.api.listen({ host: '127.0.0.1', port: 0 });
  const open = new Set<OpenWatch>();
  const send: OverHttp['send'] = (method, path, body, headers = {}) =>
    http(server, port, path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': JSON_TYPE }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    port,
    get: (path, headers = {}, as = server.admin) => http(server, port, path, { headers, as }),
    send,
    patch: (type, path, body) => send('PATCH', path, body, { 'content-type': PATCH[type] }),
    async watch(path) {
      const watch = await openWatch(server, port, path);
      open.add(watch);
      return watch;
    },
    close() {
      for (const watch of open) watch.close();
    },
  };
}

/** Waits for an answer that only comes when it has been waited for long enough. */
export async function whileTimePasses<T>(clock: VirtualClock, coming: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  coming.then(end, end);
  while (!done) {
    await clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return coming;
}

function openWatch(server: TestServer, port: number, path: string): Promise<OpenWatch> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ca: server.ca.pem, agent: false, ...server.admin });
    sent.on('error', reject);
    sent.on('response', (answer: IncomingMessage) => {
      const events: WatchLine[] = [];
      let rest = '';
      let ended = false;
      answer.setEncoding('utf8');
      answer.on('error', () => {});
      answer.on('close', () => {
        ended = true;
      });
      answer.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) events.push(JSON.parse(line) as WatchLine);
      });
      resolve({
        status: answer.statusCode ?? 0,
        events,
        get seen() {
          return events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
        },
        get ended() {
          return ended;
        },
        close: () => void sent.destroy(),
      });
    });
    sent.end();
  });
}
