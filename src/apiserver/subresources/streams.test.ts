import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { createServer, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { services } from '../../apis/core/service.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Kind } from '../../machinery/kind.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
const POD = `/api/v1/namespaces/${namespace}/pods/p`;
let server: TestServer;
let port = 0;
let kubelet: Server;
let web: Server;
let onRequest: (req: IncomingMessage, res: ServerResponse) => void;
let onUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
const sockets = new Set<Socket>();

const listening = (s: Server) =>
  new Promise<number>((resolve) => {
    s.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    s.listen(0, '127.0.0.1', () => resolve((s.address() as AddressInfo).port));
  });

beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
  const serving = await server.ca.issue('kubelet');
  kubelet = createServer({ ...serving, ca: server.ca.pem, requestCert: true }) as unknown as Server;
  kubelet.on('request', (req, res) => onRequest(req, res));
  kubelet.on('upgrade', (req, socket, head) => onUpgrade(req, socket, head));
  const kubeletPort = await listening(kubelet);
  web = createHttpServer((req, res) => onRequest(req, res));
  web.on('upgrade', (req, socket, head) => onUpgrade(req, socket, head));
  const webPort = await listening(web);
  const { client } = server;
  await client.create(serviceAccounts, { metadata: { namespace, name: 'default' } });
  const node = await client.create(nodes, { metadata: { name: 'n1' } });
  await client.update(
    nodes,
    {
      ...node,
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
      },
    },
    { subresource: 'status' },
  );
  for (const name of ['p', 'unscheduled']) {
    const pod = await client.create(pods, {
      metadata: { namespace, name },
      spec: {
        containers: [
          { name: 'a', image: 'x', ports: [{ containerPort: webPort, name: 'http' }] },
          { name: 'b', image: 'x' },
        ],
        initContainers: [{ name: 'i', image: 'x' }],
      },
    });
    if (name === 'unscheduled') continue;
    await client.createSubresource(pods as unknown as Kind, { namespace, name }, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      target: { kind: 'Node', name: 'n1' },
    });
    const status = { ...pod.status, podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
    const bound = await client.get(pods, { namespace, name });
    await client.update(pods, { ...bound, status } as Pod, { subresource: 'status' });
  }
  await client.create(services, {
    metadata: { namespace, name: 'web' },
    spec: { ports: [{ port: 80, name: 'http' }] },
  });
  await client.create(endpointSlices, {
    metadata: { namespace, name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    // Loopback is no address for an endpoint; the name stands for this machine.
    endpoints: [],
    ports: [{ name: 'http', port: webPort, protocol: 'TCP' }],
  });
});
afterEach(() => {
  onRequest = (_req, res) => res.end();
  onUpgrade = (_req, socket) => socket.destroy();
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  kubelet.close();
  web.close();
  await server.stop();
});

describe('logs', () => {
  test('come from the kubelet of the node, asked with our certificate', async () => {
    const seen: unknown[] = [];
    onRequest = (req, res) => {
      seen.push(
        req.method,
        req.url,
        (req.socket as TLSSocket).getPeerCertificate().subject.CN,
        req.headers.authorization,
      );
      res.writeHead(200, { 'Content-Type': 'text/plain' }).end('line\n');
    };
    const answer = await http(server, port, `${POD}/log?container=a&tailLines=1&follow=1`);
    expect([answer.status, answer.text]).toEqual([200, 'line\n']);
    expect(seen).toEqual(['GET', '/containerLogs/default/p/a?follow=true&tailLines=1', 'kube-apiserver', undefined]);
  });

  test('of the container that is meant', async () => {
    const refusal = async (path: string) => (await http(server, port, path)).json.message;
    expect(await refusal(`${POD}/log`)).toBe(
      'a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]',
    );
    expect(await refusal(`${POD}/log?container=z`)).toBe('container z is not valid for pod p');
    expect(await refusal(`${POD}/log?container=a&tailLines=-1`)).toContain('tailLines: Invalid value: -1');
    expect(await refusal(`/api/v1/namespaces/default/pods/none/log`)).toBe('pods "none" not found');
    expect((await http(server, port, `/api/v1/namespaces/default/pods/unscheduled/log?container=a`)).status).toBe(204);
  });

  test('a refusal of the kubelet is ours', async () => {
    onRequest = (_req, res) =>
      res.writeHead(400).end('container "a" in pod "p" is waiting to start: ContainerCreating');
    const { status, json } = await http(server, port, `${POD}/log?container=a`);
    expect([status, json.reason]).toEqual([400, 'BadRequest']);
    expect(json.message).toBe('container "a" in pod "p" is waiting to start: ContainerCreating');
  });

  test('stream as they are written, over HTTP/2 too, and end when the client goes', async () => {
    const gone = Promise.withResolvers<void>();
    const speak = Promise.withResolvers<ServerResponse>();
    onRequest = (_req, res) => {
      res.once('close', () => gone.resolve());
      res.write('first\n');
      speak.resolve(res);
    };
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: server.ca.pem, ...server.admin });
    const stream = session.request({ ':path': `${POD}/log?container=a&follow=true` });
    const chunks = stream[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('first\n');
    (await speak.promise).write('second\n');
    expect(String((await chunks.next()).value)).toBe('second\n');
    stream.close();
    await gone.promise;
    session.destroy();
  });

  test.each([
    ['binary.k8s.io', 'first\nsecond\n'],
    ['base64.binary.k8s.io', 'Zmlyc3QKc2Vjb25kCg=='],
    ['', 'first\nsecond\n'],
  ])('come over WebSocket in the protocol %j', async (protocol, expected) => {
    onRequest = (_req, res) => {
      res.write('first\n');
      setImmediate(() => res.end('second\n'));
    };
    const tls = { ca: server.ca.pem, ...server.admin };
    const ws = new WebSocket(`wss://127.0.0.1:${port}${POD}/log?container=a`, protocol === '' ? [] : [protocol], tls);
    const got: string[] = [];
    ws.on('message', (message: Buffer) => got.push(message.toString()));
    const [code] = await once(ws, 'close');
    expect([code, ws.protocol, got[0], got.join('')]).toEqual([1000, protocol, '', expected]);
    onRequest = (_req, res) => res.writeHead(400).end('is waiting to start');
    const { status, text } = (await upgrade(`${POD}/log?container=a`, WEBSOCKET, 'GET')) as {
      status: number;
      text: string;
    };
    expect([status, JSON.parse(text).message]).toEqual([400, 'is waiting to start']);
  });

  test('a client that does not read stops the kubelet, and nothing piles up in between', async () => {
    const written = { bytes: 0 };
    const done = Promise.withResolvers<void>();
    onRequest = (_req, res) => {
      const block = Buffer.alloc(64 * 1024, 'x');
      const fill = () => {
        while (written.bytes < 64 << 20) {
          written.bytes += block.length;
          if (!res.write(block)) {
            res.once('drain', fill);
            return;
          }
        }
        res.end();
      };
      res.once('close', () => done.resolve());
      fill();
    };
    const paused = await new Promise<IncomingMessage>((resolve) => {
      request(
        { port, host: '127.0.0.1', path: `${POD}/log?container=a`, ca: server.ca.pem, ...server.admin, agent: false },
        resolve,
      ).end();
    });
    paused.pause();
    // It is full when nothing more is written.
    await expect.poll(() => written.bytes).toBeGreaterThan(0);
    let last = -1;
    const settled = () => {
      const before = last;
      last = written.bytes;
      return before === last;
    };
    await expect.poll(settled, { interval: 200 }).toBe(true);
    expect(written.bytes).toBeLessThan(32 << 20);
    paused.destroy();
    await done.promise;
  });

  test('a kubelet that is away is an error that says so', async () => {
    onRequest = (req) => req.socket.destroy();
    const { status, json } = await http(server, port, `${POD}/log?container=a`);
    expect([status, json.reason]).toEqual([500, 'InternalError']);
    expect(json.message).toContain('error dialing backend');
  });
});

interface Upgraded {
  readonly answer: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const upgrade = (path: string, headers: Record<string, string | string[]>, method = 'POST', as = server.admin) =>
  new Promise<Upgraded | { status: number; text: string }>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers, ca: server.ca.pem, ...as, agent: false });
    sent.on('upgrade', (answer, socket, head) => resolve({ answer, socket, head }));
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end();
  });

const SPDY = {
  Connection: 'Upgrade',
  Upgrade: 'SPDY/3.1',
  'X-Stream-Protocol-Version': ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
};
const WEBSOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0',
};

describe('exec, attach and port-forward', () => {
  test('join client and kubelet byte for byte', async () => {
    const seen: IncomingMessage[] = [];
    onUpgrade = (req, socket, head) => {
      seen.push(req);
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5.channel.k8s.io\r\n\r\nhello',
      );
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    };
    const query = 'container=b&command=sh&command=-c&command=a%20b&stdin=true&stdout=true&tty=true';
    const result = (await upgrade(`${POD}/exec?${query}`, SPDY)) as Upgraded;
    expect(result.answer.headers['x-stream-protocol-version']).toBe('v5.channel.k8s.io');
    expect(seen[0]?.url).toBe('/exec/default/p/b?input=1&output=1&tty=1&command=sh&command=-c&command=a+b');
    expect(seen[0]?.headersDistinct['x-stream-protocol-version']).toEqual(['v5.channel.k8s.io', 'v4.channel.k8s.io']);
    const sent = Buffer.alloc(1 << 20, 'abc');
    const { socket } = result;
    let received = result.head.toString();
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(sent);
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(5 + sent.length);
    expect(received).toBe(`hello${sent}`);
    const closed = new Promise((resolve) => seen[0]?.socket.once('close', resolve));
    socket.destroy();
    await closed;
  });

  test('lose nothing of what was said last', async () => {
    const last = Buffer.alloc(4 << 20, 'z');
    onUpgrade = (_req, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
      socket.end(last);
    };
    const { socket, head } = (await upgrade(`${POD}/exec?container=a&command=x`, SPDY)) as Upgraded;
    let length = head.length;
    for await (const chunk of socket) length += (chunk as Buffer).length;
    expect(length).toBe(last.length);
  });

  test('pass a WebSocket on without the token in its protocols', async () => {
    const seen: IncomingMessage[] = [];
    onUpgrade = (req, socket) => {
      seen.push(req);
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n',
      );
    };
    const { answer, socket } = (await upgrade(`${POD}/attach?container=a&stderr=true`, WEBSOCKET, 'GET')) as Upgraded;
    expect(answer.headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io');
    expect(seen[0]?.url).toBe('/attach/default/p/a?output=1&error=1');
    expect(seen[0]?.headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io');
    expect(seen[0]?.headers['sec-websocket-key']).toBe(WEBSOCKET['Sec-WebSocket-Key']);
    socket.destroy();
  });

  test('are refused with a Status before anything is upgraded', async () => {
    const refusal = async (path: string) => {
      const { status, text } = (await upgrade(path, SPDY)) as { status: number; text: string };
      return [status, JSON.parse(text).message];
    };
    expect(await refusal(`${POD}/exec?container=a`)).toEqual([
      400,
      'you must specify at least 1 command for the container',
    ]);
    expect(await refusal('/api/v1/namespaces/default/pods/unscheduled/portforward')).toEqual([
      400,
      'pod unscheduled does not have a host assigned',
    ]);
    onUpgrade = (_req, socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope');
    expect(await refusal(`${POD}/portforward?ports=80`)).toEqual([404, 'nope']);
    const nobody = await server.ca.issue('nobody');
    const result = await upgrade(`${POD}/exec?container=a&command=x`, WEBSOCKET, 'GET', nobody);
    expect((result as { status: number }).status).toBe(403);
  });
});

describe('proxy', () => {
  test('of a pod and of a node', async () => {
    onRequest = (req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => res.writeHead(418, { 'X-Seen': `${req.method} ${req.url}` }).end(`got ${body}`));
    };
    const pod = await http(server, port, '/api/v1/namespaces/default/pods/p:http/proxy/a%20b/c?x=y', {
      method: 'POST',
      body: 'hi',
    });
    expect([pod.status, pod.text, pod.headers['x-seen']]).toEqual([418, 'got hi', 'POST /a%20b/c?x=y']);
    const redirect = await http(server, port, '/api/v1/namespaces/default/pods/p/proxy?x=y');
    expect([redirect.status, redirect.headers.location]).toEqual([301, '/api/v1/namespaces/default/pods/p/proxy/?x=y']);
    const asWritten = await http(server, port, '/api/v1/namespaces/default/pods/p:http/proxy/?x=%20%2F/&y');
    expect(asWritten.headers['x-seen']).toBe('GET /?x=%20%2F/&y');
    const node = await http(server, port, '/api/v1/nodes/n1/proxy/pods');
    expect([node.status, node.headers['x-seen']]).toEqual([418, 'GET /pods']);
    const service = await http(server, port, '/api/v1/namespaces/default/services/web:http/proxy/');
    expect([service.status, service.json.message]).toEqual([503, 'no endpoints available for service "web:http"']);
  });

  test('leads the links of a pod through itself, and tells it where it is seen', async () => {
    const seen: Record<string, string | string[] | undefined>[] = [];
    const page = '<a href="/rewriteme">test</a>';
    onRequest = (req, res) => {
      seen.push(req.headers);
      if (req.url === '/moved') res.writeHead(302, { Location: '/there?a' }).end();
      else if (req.url === '/packed')
        res
          .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Encoding': 'gzip' })
          .end(gzipSync(page));
      else
        res
          .writeHead(200, {
            'Content-Type': req.url === '/plain' ? 'text/plain' : 'text/html',
            'Content-Length': page.length,
            'Access-Control-Allow-Origin': '*',
          })
          .end(page);
    };
    const base = '/api/v1/namespaces/default/pods/p:http/proxy';
    const led = `<a href="${base}/rewriteme">test</a>`;
    const answer = await http(server, port, `${base}/`, { headers: { 'X-Forwarded-For': '1.2.3.4', 'X-Mine': 'a' } });
    expect([answer.status, answer.text]).toEqual([200, led]);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(seen[0]).toMatchObject({
      host: `127.0.0.1:${port}`,
      'x-forwarded-uri': `${base}/`,
      'x-forwarded-for': expect.stringMatching(/^1\.2\.3\.4, .*127\.0\.0\.1$/),
      'x-mine': 'a',
    });
    expect(seen[0]?.authorization).toBeUndefined();
    expect((await http(server, port, `${base}/packed`)).text).toBe(led);
    expect((await http(server, port, `${base}/plain`)).text).toBe(page);
    const moved = await http(server, port, `${base}/moved`);
    expect([moved.status, moved.headers.location]).toEqual([302, `${base}/there?a`]);
  });

  test('passes on the headers of HTTP/2, too', async () => {
    const seen = Promise.withResolvers<IncomingMessage['headers']>();
    onRequest = (req, res) => {
      seen.resolve(req.headers);
      res.end();
    };
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: server.ca.pem, ...server.admin });
    try {
      const path = '/api/v1/namespaces/default/pods/p:http/proxy/';
      session.request({ ':path': path, 'x-mine': 'a', accept: 'text/x', 'x-remote-user': 'me' }).resume();
      const headers = await seen.promise;
      expect(headers).toMatchObject({ 'x-mine': 'a', accept: 'text/x', host: `127.0.0.1:${port}` });
      expect(headers['x-remote-user']).toBeUndefined();
    } finally {
      session.destroy();
    }
  });
});
