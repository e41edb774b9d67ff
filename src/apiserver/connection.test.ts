import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { configMaps } from '../apis/core/configMap.ts';
import { type HttpRequest, http, startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;
let port: number;
const logged: string[] = [];
beforeAll(async () => {
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (message: string) => void logged.push(message),
    child: () => log,
  };
  server = await startTestServer({ log });
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
  await server.client.create(configMaps, { metadata: { name: 'a', namespace: 'default' }, data: { k: 'v' } });
});
afterAll(async () => {
  await server.stop();
  expect(logged).toEqual([]);
});

const PATH = '/api/v1/namespaces/default/configmaps';
const get = (path: string, headers: Record<string, string> = {}) => http(server, port, path, { headers });
const send = (method: string, path: string, body: string | Buffer, type = 'application/json', more: HttpRequest = {}) =>
  http(server, port, path, { method, body, ...more, headers: { 'content-type': type, ...more.headers } });

describe('what is refused is refused with a Status', () => {
  const map = (name: string, rest = '') =>
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"}${rest}}`;

  test.each([
    ['malformed JSON', () => send('POST', PATH, '{"apiVersion":'), 400, 'BadRequest'],
    ['an empty body', () => send('POST', PATH, ''), 400, 'BadRequest'],
    ['a list where an object is due', () => send('POST', PATH, '[]'), 400, 'BadRequest'],
    ['hostile depth', () => send('POST', PATH, '['.repeat(100_000)), 400, 'BadRequest'],
    ['malformed YAML', () => send('POST', PATH, 'a: [', 'application/yaml'), 400, 'BadRequest'],
    ['an unknown format', () => send('POST', PATH, 'x', 'text/csv'), 415, 'UnsupportedMediaType'],
    [
      'another kind',
      () => send('POST', PATH, '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}'),
      400,
      'BadRequest',
    ],
    [
      'another version',
      () => send('POST', PATH, '{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"x"}}'),
      400,
      'BadRequest',
    ],
    ['a wrong type', () => send('POST', PATH, map('x', ',"data":{"a":1}')), 400, 'BadRequest'],
    ['a wrong name', () => send('POST', PATH, map('X Y')), 422, 'Invalid'],
    [
      'an unknown field, strictly',
      () => send('POST', `${PATH}?fieldValidation=Strict`, map('x', ',"dat":{}')),
      400,
      'BadRequest',
    ],
    ['unknown validation', () => send('POST', `${PATH}?fieldValidation=Odd`, map('x', ',"dat":{}')), 422, 'Invalid'],
    [
      'more than 3 MiB',
      () => send('POST', PATH, Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)),
      413,
      'RequestEntityTooLarge',
    ],
    [
      'too much to store',
      () => send('POST', PATH, map('big', `,"data":{"a":"${'x'.repeat(1_100_000)}"}`)),
      422,
      'Invalid',
    ],
    ['an unknown resource', () => get('/api/v1/namespaces/default/gadgets'), 404, 'NotFound'],
    ['an unknown group', () => get('/apis/nope/v1/gadgets'), 404, 'NotFound'],
    ['an unknown path', () => get('/nope'), 404, 'NotFound'],
    ['an unknown subresource', () => get(`${PATH}/a/nope`), 404, 'NotFound'],
    ['an object that is not there', () => get(`${PATH}/nope`), 404, 'NotFound'],
    ['broken escapes', () => get(`${PATH}/%zz`), 400, 'BadRequest'],
    ['an escaped slash', () => get(`${PATH}/a%2Fb`), 404, 'NotFound'],
    ['a way up', () => get(`${PATH}/..%2f..%2fsecrets`), 404, 'NotFound'],
    ['dots', () => get(`${PATH}/%2e%2e`), 404, 'NotFound'],
    ['a NUL', () => get(`${PATH}/a%00b`), 404, 'NotFound'],
    ['doubled slashes', () => get('/api/v1//namespaces/default/configmaps'), 404, 'NotFound'],
    ['a cluster resource in a namespace', () => get('/api/v1/namespaces/default/nodes'), 404, 'NotFound'],
    ['a method that is none', () => http(server, port, `${PATH}/a`, { method: 'PROPFIND' }), 405, 'MethodNotAllowed'],
    ['a form that is not to be had', () => get(`${PATH}/a`, { accept: 'text/html' }), 406, 'NotAcceptable'],
    [
      'a table of a review',
      () =>
        http(server, port, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
          method: 'POST',
          body: '{"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}}',
          headers: { 'content-type': 'application/json', accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
        }),
      406,
      'NotAcceptable',
    ],
    [
      'a bad token',
      () => http(server, port, PATH, { as: null, headers: { authorization: 'Bearer nobody' } }),
      401,
      'Unauthorized',
    ],
    ['nobody', () => http(server, port, PATH, { as: null }), 403, 'Forbidden'],
    ['a watch of nothing', () => get(`${PATH}?watch=1&resourceVersion=x`), 400, 'BadRequest'],
  ])('%s', async (_, ask, code, reason) => {
    const { status, json, headers } = await ask();
    expect(json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason });
    expect(status).toBe(code);
    expect(headers['content-type']).toBe('application/json');
  });
});

describe('what clients send', () => {
  test('unknown and duplicate fields are warned of', async () => {
    const body =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"w"},"dat":{},"data":{"a":"1"},"data":{"a":"2"}}';
    const { status, headers, json } = await send('POST', PATH, body);
    expect(status).toBe(201);
    expect(headers.warning).toBe('299 - "unknown field \\"dat\\"", 299 - "duplicate field \\"data\\""');
    expect(json.data).toEqual({ a: '2' });
    const ignored = await send('POST', `${PATH}?fieldValidation=Ignore&dryRun=All`, body.replace('"w"', '"w2"'));
    expect(ignored.headers.warning).toBeUndefined();
  });

  test('YAML', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  a: "1"\n';
    const { status, json } = await send('POST', PATH, yaml, 'application/yaml');
    expect(status).toBe(201);
    expect(json.data).toEqual({ a: '1' });
  });

  test('YAML whose aliases multiply is refused', async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`);
    const { status } = await send('POST', PATH, `l0: &l0 x\n${levels.join('\n')}\n`, 'application/yaml');
    expect(status).toBe(400);
  });

  test('keys that would reach the prototype are data', async () => {
    const body =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto","labels":{"constructor":"x"}},"data":{"__proto__":"y"}}';
    const { status, text } = await send('POST', PATH, body);
    expect(status).toBe(201);
    expect(text).toContain('"__proto__":"y"');
    expect(({} as Record<string, unknown>).y).toBeUndefined();
  });
});

describe('what clients get', () => {
  test('JSON, where what comes first in the wishes is not to be had or is', async () => {
    const { json } = await get(`${PATH}/a`, { accept: 'application/msgpack, application/json' });
    expect(json).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { k: 'v' } });
    expect((await get(`${PATH}/a`, { accept: '*/*' })).json.kind).toBe('ConfigMap');
  });

  test('a list as Table or metadata', async () => {
    const table = await get(PATH, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' });
    expect(table.json).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
    });
    expect(table.json.rows[0]).toMatchObject({
      cells: ['a', 1, expect.any(String)],
      object: { kind: 'PartialObjectMetadata' },
    });
    const metadata = await get(PATH, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' });
    expect(metadata.json.kind).toBe('PartialObjectMetadataList');
    expect(metadata.json.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    expect(metadata.json.items[0].data).toBeUndefined();
  });

  test('readable text with ?pretty, and only the head with HEAD', async () => {
    expect((await get(`${PATH}/a?pretty=true`)).text).toContain('\n  "kind": "ConfigMap"');
    const head = await http(server, port, `${PATH}/a`, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
  });

  test('health, whole and check by check', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      expect(await get(path)).toMatchObject({ status: 200, text: 'ok' });
      expect((await get(`${path}?verbose`)).text).toContain('[+]etcd ok\n');
      expect(await get(`${path}/etcd`)).toMatchObject({ status: 200, text: 'ok' });
    }
    expect((await get('/healthz/nope')).status).toBe(404);
    expect((await get('/version')).json).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.0+kubets' });
  });

  test('large answers compressed, where that pleases, and whole where it does not', async () => {
    for (let i = 0; i < 4; i++) {
      const data = { text: String(i).repeat(90_000) };
      await server.client.create(configMaps, { metadata: { name: `large-${i}`, namespace: 'kube-public' }, data });
    }
    const path = '/api/v1/namespaces/kube-public/configmaps';
    const plain = await get(path);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(Number(plain.headers['content-length'])).toBe(Buffer.byteLength(plain.text));
    expect(plain.json.items).toHaveLength(4);
    const compressed = await new Promise<Buffer>((resolve, reject) => {
      const headers = { 'accept-encoding': 'gzip' };
      const options = { host: '127.0.0.1', port, path, headers, ca: server.ca.pem, agent: false, ...server.admin };
      request(options, (answer) => {
        expect(answer.headers['content-encoding']).toBe('gzip');
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve(Buffer.concat(chunks)));
      })
        .on('error', reject)
        .end();
    });
    expect(compressed.length).toBeLessThan(20_000);
    expect(gunzipSync(compressed).toString('utf8')).toBe(plain.text);
  });
});

/** Opens a watch by hand, and reads nothing of it unless told. */
function rawWatch(path: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: server.ca.pem, ...server.admin }, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

describe('watch', () => {
  test('streams a line for each event', async () => {
    const socket = await rawWatch(`${PATH}?watch=true&fieldSelector=metadata.name%3Dseen`);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await once(socket, 'data');
    await server.client.create(configMaps, { metadata: { name: 'seen', namespace: 'default' } });
    await expect
      .poll(() => text)
      .toContain('{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{');
    socket.destroy();
  });

  test('over WebSocket is a message for each event, until its time is over', async () => {
    const tls = { ca: server.ca.pem, ...server.admin };
    const query = 'watch=true&timeoutSeconds=2&fieldSelector=metadata.name%3Dmessages';
    const ws = new WebSocket(`wss://127.0.0.1:${port}${PATH}?${query}`, ['mine'], tls);
    const got: string[] = [];
    ws.on('message', (message: Buffer, binary: boolean) => {
      const { type, object } = JSON.parse(message.toString()) as { type: string; object: { data?: object } };
      got.push(`${binary} ${type} ${JSON.stringify(object.data)}`);
    });
    await once(ws, 'open');
    expect(ws.protocol).toBe('mine');
    const made = { metadata: { name: 'messages', namespace: 'default' } };
    await server.client.create(configMaps, { ...made, data: { a: 'b' } });
    await server.client.delete(configMaps, made.metadata);
    const [code] = await once(ws, 'close');
    expect([code, ...got]).toEqual([1000, 'false ADDED {"a":"b"}', 'false DELETED {"a":"b"}']);
  });

  test('as Table carries the columns once', async () => {
    await server.client.create(configMaps, { metadata: { name: 'wt', namespace: 'default' } });
    const lines: { type: string; object: { columnDefinitions: unknown[] | null; rows: unknown[] } }[] = [];
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const options = { host: '127.0.0.1', port, headers, ca: server.ca.pem, agent: false, ...server.admin };
    const sent = request({ ...options, path: `${PATH}?watch=true&fieldSelector=metadata.name%3Dwt` }, (answer) => {
      answer.on('error', () => {});
      answer.on('data', (chunk: Buffer) => lines.push(JSON.parse(chunk.toString('utf8'))));
    });
    sent.on('error', () => {});
    sent.end();
    await expect.poll(() => lines.length).toBe(1);
    await server.client.delete(configMaps, { namespace: 'default', name: 'wt' });
    await expect.poll(() => lines.length).toBe(2);
    sent.destroy();
    expect(lines.map((l) => [l.type, l.object.columnDefinitions?.length ?? 0, l.object.rows.length])).toEqual([
      ['ADDED', 3, 1],
      ['DELETED', 0, 1],
    ]);
  });

  test('a client that does not read is left behind, without memory of its own, and catches up', async () => {
    const socket = await rawWatch(`${PATH}?watch=true&fieldSelector=metadata.name%3Dbusy`);
    await once(socket, 'readable');
    socket.pause();
    const data = { text: 'x'.repeat(100_000) };
    await server.client.create(configMaps, { metadata: { name: 'busy', namespace: 'default' }, data });
    for (let i = 1; i <= 100; i++) {
      await server.client.patch(configMaps, { namespace: 'default', name: 'busy' }, 'merge', {
        data: { i: String(i) },
      });
    }
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.resume();
    await expect.poll(() => text.includes('"i":"100"'), { timeout: 20_000 }).toBe(true);
    const seen = [...text.matchAll(/"type":"(ADDED|MODIFIED)"/g)];
    expect(seen).toHaveLength(101);
    socket.destroy();
  });

  test('a client that never reads is dropped once the log has moved past it', async () => {
    const socket = await rawWatch(`${PATH}?watch=true&fieldSelector=metadata.name%3Dflood`);
    socket.on('error', () => {});
    await once(socket, 'readable');
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    const data = { text: 'y'.repeat(900_000) };
    await server.client.create(configMaps, { metadata: { name: 'flood', namespace: 'default' }, data });
    for (let i = 1; i <= 60; i++) {
      await server.client.patch(configMaps, { namespace: 'default', name: 'flood' }, 'merge', {
        data: { i: String(i) },
      });
    }
    // What is left in the kernel's buffers is read; then comes the end.
    socket.resume();
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(true);
    await server.client.delete(configMaps, { namespace: 'default', name: 'flood' });
  });
});

describe('HTTP/2', () => {
  test('serves reads, writes, lists in pieces and watches on one connection', async () => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: server.ca.pem, ...server.admin });
    const ask = async (headers: Record<string, string>, body?: string) => {
      const stream = session.request(headers);
      stream.end(body);
      let text = '';
      stream.setEncoding('utf8');
      const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
      for await (const chunk of stream) text += chunk;
      return { status: head[':status'], json: JSON.parse(text) };
    };
    try {
      expect(await ask({ ':path': `${PATH}/a` })).toMatchObject({ status: 200, json: { data: { k: 'v' } } });
      const watch = session.request({ ':path': `${PATH}?watch=true&fieldSelector=metadata.name%3Dh2` });
      let events = '';
      watch.on('data', (chunk) => {
        events += chunk;
      });
      await once(watch, 'response');
      const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"h2"}}';
      const created = await ask({ ':method': 'POST', ':path': PATH, 'content-type': 'application/json' }, body);
      expect(created.status).toBe(201);
      await expect.poll(() => events).toContain('"type":"ADDED"');
      const refused = await ask({ ':method': 'POST', ':path': PATH, 'content-type': 'application/json' }, '{');
      expect(refused).toMatchObject({ status: 400, json: { kind: 'Status' } });
      const list = await ask({ ':path': '/api/v1/namespaces/kube-public/configmaps' });
      // The pieces were made in one buffer: none may have been made over before it was gone.
      expect(list.json).toEqual((await get('/api/v1/namespaces/kube-public/configmaps')).json);
      expect(list.json.items.map((i: { data: { text: string } }) => new Set(i.data.text).size)).toEqual([1, 1, 1, 1]);
      watch.close();
    } finally {
      session.destroy();
    }
  });
});

test('clients that break off in the middle of a body or an answer do no harm', async () => {
  for (let i = 0; i < 10; i++) {
    const socket = await rawWatch('/api/v1/namespaces/kube-public/configmaps');
    socket.on('error', () => {});
    if (i % 2 === 0)
      socket.write(
        `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a`,
      );
    await once(socket, 'readable');
    socket.destroy();
  }
  expect((await get('/healthz')).status).toBe(200);
});

test('long headers and paths are read, longer ones are refused', async () => {
  const long = 'x'.repeat(60_000);
  expect((await get(`/healthz?a=${long}`)).status).toBe(200);
  expect((await get('/healthz', { a: long })).status).toBe(200);
  expect((await get('/healthz', { a: long, b: 'x'.repeat(6_000) })).status).toBe(431);
  expect((await get('/healthz')).status).toBe(200);
});

test('however many headers there are, the last one counts', async () => {
  const filler = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`x${i}`, 'a']));
  expect((await get(PATH, filler)).status).toBe(200);
  // Who may do nothing may not do more behind many headers.
  expect((await get(PATH, { ...filler, 'impersonate-user': 'nobody' })).status).toBe(403);
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: server.ca.pem, ...server.admin });
  try {
    const groups = Array.from({ length: 300 }, (_, i) => `group-${i}`);
    const stream = session.request({ ':path': PATH, 'impersonate-user': 'nobody', 'impersonate-group': groups });
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(head[':status']).toBe(403);
  } finally {
    session.destroy();
  }
});

test('a protocol that a request cannot have is as if it was not asked for', async () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'h2c' };
  expect((await get(`${PATH}/a`, upgrade)).json).toMatchObject({ data: { k: 'v' } });
  const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"asked"}}';
  expect((await send('POST', PATH, body, undefined, { headers: upgrade })).status).toBe(201);
  const websocket = { ...upgrade, upgrade: 'websocket' };
  expect((await http(server, port, `${PATH}/asked`, { method: 'DELETE', headers: websocket })).status).toBe(200);
  expect((await get(`${PATH}?watch=true`, upgrade)).status).toBe(400);
});

test('what is no HTTP is cut off', async () => {
  const socket = connect({ host: '127.0.0.1', port, ca: server.ca.pem, ...server.admin });
  socket.on('error', () => {});
  socket.write('\x00\x01\x02 not http\r\n\r\n');
  await once(socket, 'close');
  expect((await get('/healthz')).status).toBe(200);
});
