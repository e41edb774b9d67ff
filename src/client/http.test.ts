import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { configMaps } from '../apis/core/configMap.ts';
import { type ClusterCertificates, ensureCertificates } from '../cluster/certificates.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { apiError, isApiError } from '../machinery/status.ts';
import { createClient } from './createClient.ts';
import { createHttpTransport, type HttpTransportOptions } from './http.ts';
import { type Transport, TransportError, type WatchEvent } from './transport.ts';

const clock = new SystemClock();
let dir: string;
let certificates: ClusterCertificates;
let server: Server;
let port: number;
let handle: (request: IncomingMessage, response: ServerResponse, body: string) => void;
const open: Transport[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-http-'));
  certificates = await ensureCertificates({
    dir,
    clock,
    log: silentLogger,
    nodeName: 'node',
    nodeIP: '127.0.0.1',
    serviceIP: '10.96.0.1',
    extraNames: ['127.0.0.1', 'localhost'],
  });
});

afterAll(() => rm(dir, { recursive: true, force: true }));

beforeEach(async () => {
  const { cert, key } = certificates.apiserver;
  server = createServer(
    { cert, key, ca: certificates.ca.cert, requestCert: true, rejectUnauthorized: false },
    async (q, s) => {
      let body = '';
      for await (const chunk of q) body += chunk;
      handle(q, s, body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function connect(options: Partial<HttpTransportOptions> = {}): Transport {
  const transport = createHttpTransport({
    server: `https://127.0.0.1:${port}`,
    ca: certificates.ca.cert,
    clock,
    ...options,
  });
  open.push(transport);
  return transport;
}

const json = (response: ServerResponse, status: number, object: unknown, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(object));
};

describe('requests over TLS', () => {
  it('carry the token, the query and the body, and bring frozen objects', async () => {
    const seen: unknown[] = [];
    handle = (q, s, body) => {
      seen.push([q.method, q.url, q.headers.authorization, q.headers['content-type'], body]);
      json(s, 201, { metadata: { name: 'a' } });
    };
    const client = createClient(connect({ token: () => 'secret' }));
    const made = await client.create(configMaps, { metadata: { name: 'a', namespace: 'x' } }, { fieldManager: 'me' });
    expect(seen).toEqual([
      [
        'POST',
        '/api/v1/namespaces/x/configmaps?fieldManager=me',
        'Bearer secret',
        'application/json',
        '{"metadata":{"name":"a","namespace":"x"},"apiVersion":"v1","kind":"ConfigMap"}',
      ],
    ]);
    expect(Object.isFrozen(made.metadata)).toBe(true);
  });

  it('show a client certificate', async () => {
    handle = (q, s) => json(s, 200, { name: (q.socket as TLSSocket).getPeerCertificate().subject.CN });
    const { cert, key } = certificates.admin;
    const { object } = await connect({ cert, key }).request({ method: 'GET', path: '/' });
    expect(object).toEqual({ name: 'kubernetes-admin' });
  });

  it('refuse a server that another CA speaks for', async () => {
    handle = (_q, s) => json(s, 200, {});
    const transport = createHttpTransport({ server: `https://127.0.0.1:${port}`, clock });
    open.push(transport);
    await expect(transport.request({ method: 'GET', path: '/' })).rejects.toThrow(TransportError);
  });

  it('use one connection for requests that follow each other', async () => {
    const sockets = new Set<unknown>();
    handle = (q, s) => {
      sockets.add(q.socket);
      json(s, 200, {});
    };
    const transport = connect();
    for (let i = 0; i < 5; i++) await transport.request({ method: 'GET', path: '/' });
    expect(sockets.size).toBe(1);
  });

  it('fill in the kind of list items, which other servers leave out', async () => {
    handle = (_q, s) => json(s, 200, { metadata: { resourceVersion: '3' }, items: [{ metadata: { name: 'a' } }] });
    const list = await createClient(connect()).list(configMaps);
    expect(list.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  it('throw the refusal that the server gives', async () => {
    handle = (_q, s) => json(s, 409, apiError('Conflict', 'changed').status);
    const failure = await connect()
      .request({ method: 'GET', path: '/' })
      .catch((e: unknown) => e);
    expect(isApiError(failure, 'Conflict')).toBe(true);
  });

  it('make a refusal of what is not a Status', async () => {
    handle = (_q, s) => {
      s.writeHead(502, { 'content-type': 'text/html' });
      s.end('<h1>bad gateway</h1>');
    };
    const failure = await connect()
      .request({ method: 'GET', path: '/' })
      .catch((e: unknown) => e);
    expect(isApiError(failure) && [failure.code, failure.message]).toEqual([502, '<h1>bad gateway</h1>']);
  });

  it('come again when the server asks for patience', async () => {
    let count = 0;
    handle = (_q, s) => {
      if (++count < 3) json(s, 429, apiError('TooManyRequests', 'busy').status, { 'retry-after': '0' });
      else json(s, 200, { count });
    };
    await expect(connect().request({ method: 'GET', path: '/' })).resolves.toMatchObject({ object: { count: 3 } });
  });

  it('fail as transport errors: refused, silent, cut off, not JSON', async () => {
    const silent = connect({ timeoutMs: 50 });
    handle = () => {};
    await expect(silent.request({ method: 'GET', path: '/' })).rejects.toThrow(TransportError);
    handle = (_q, s) => {
      s.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      s.write('{"a":');
      setImmediate(() => s.destroy());
    };
    await expect(connect().request({ method: 'GET', path: '/' })).rejects.toThrow(TransportError);
    handle = (_q, s) => {
      s.writeHead(200, { 'content-type': 'application/json' });
      s.end('{nonsense');
    };
    await expect(connect().request({ method: 'GET', path: '/' })).rejects.toThrow(TransportError);
    const nobody = connect({ server: 'https://127.0.0.1:1' });
    await expect(nobody.request({ method: 'GET', path: '/' })).rejects.toThrow(TransportError);
  });

  it('end with their signal, with its reason', async () => {
    handle = () => stop.abort(new Error('enough'));
    const stop = new AbortController();
    await expect(connect().request({ method: 'GET', path: '/', signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('a watch over TLS', () => {
  function watchLines(lines: readonly string[], end: 'end' | 'destroy' | 'stay') {
    handle = (_q, s) => {
      s.writeHead(200, { 'content-type': 'application/json' });
      for (const line of lines) s.write(line);
      if (end === 'end') s.end();
      else if (end === 'destroy') setImmediate(() => s.destroy());
    };
  }

  async function watch(signal?: AbortSignal) {
    const events: WatchEvent[] = [];
    const ends: (Error | undefined)[] = [];
    const request = { method: 'GET', path: '/api/v1/configmaps', ...(signal === undefined ? {} : { signal }) } as const;
    await connect().watch(
      request,
      (e) => events.push(e),
      (e) => ends.push(e),
    );
    return { events, ends };
  }

  it('brings events in order, however they are cut, and its end', async () => {
    watchLines(
      ['{"type":"ADDED","object":{"metadata":{"na', 'me":"a"}}}\n{"type":"BOOKMARK","object":{}}', '\n'],
      'end',
    );
    const { events, ends } = await watch();
    await vi.waitFor(() => expect(ends).toEqual([undefined]));
    expect(events).toEqual([
      { type: 'ADDED', object: { metadata: { name: 'a' } } },
      { type: 'BOOKMARK', object: {} },
    ]);
    expect(Object.isFrozen(events[0]?.object.metadata)).toBe(true);
  });

  it('ends with an error when the connection breaks', async () => {
    watchLines(['{"type":"ADDED","object":{}}\n'], 'destroy');
    const { ends } = await watch();
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    expect(ends[0]).toBeInstanceOf(TransportError);
  });

  it('ends with an error when the server sends nonsense', async () => {
    watchLines(['nonsense\n', '{"type":"ADDED","object":{}}\n'], 'stay');
    const { events, ends } = await watch();
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    expect(ends[0]).toBeInstanceOf(TransportError);
    expect(events).toEqual([]);
  });

  it('is refused as a request is', async () => {
    handle = (_q, s) => json(s, 410, apiError('Expired', 'too old').status);
    await expect(watch()).rejects.toThrow('too old');
  });

  it('is silent after its signal', async () => {
    const stop = new AbortController();
    watchLines(['{"type":"ADDED","object":{}}\n'], 'stay');
    const { events, ends } = await watch(stop.signal);
    await vi.waitFor(() => expect(events).toHaveLength(1));
    stop.abort();
    await vi.waitFor(async () => {
      const count = await new Promise<number>((resolve) => server.getConnections((_e, n) => resolve(n)));
      expect(count).toBe(0);
    });
    expect(ends).toEqual([]);
  });
});
