import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualClock } from '../lib/clock.ts';
import { timeoutOf } from './deadline.ts';
import { type OverHttp, overHttp, whileTimePasses } from './testing/overHttp.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
const clock = new VirtualClock(Date.now());
beforeAll(async () => {
  server = await startTestServer({ clock });
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

const MAPS = '/api/v1/namespaces/default/configmaps';

test.each([
  ['', 60_000],
  ['timeout=', 60_000],
  ['timeout=5s', 5_000],
  ['timeout=1m30s', 60_000],
  ['timeout=0', 60_000],
  ['timeout=-1s', 60_000],
])('?%s gives %i ms', (query, ms) => {
  expect(timeoutOf(new URLSearchParams(query))).toBe(ms);
});

test('a request that waits for longer than it may is answered 504', async () => {
  const before = clock.now();
  const { status, json } = await whileTimePasses(clock, api.get(`${MAPS}?resourceVersion=999999999&timeout=1s`));
  expect(status).toBe(504);
  expect(json).toMatchObject({
    reason: 'Timeout',
    message: 'Timeout: request did not complete within the allotted timeout',
  });
  expect(clock.now() - before).toBeLessThan(3_000);
});

test('a body that does not come is not waited for, and is not stored when it comes', async () => {
  const body = '{"metadata":{"name":"late"}}';
  const socket = connect({ host: '127.0.0.1', port: api.port, ca: server.ca.pem, ...server.admin });
  const head = `POST ${MAPS}?timeout=2s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  let text = '';
  const answered = new Promise<string>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      resolve(text);
    });
  });
  socket.write(head + body.slice(0, 5));
  try {
    expect(await whileTimePasses(clock, answered)).toMatch(/^HTTP\/1\.1 504 /);
    expect(text.toLowerCase()).toContain('connection: close');
    socket.write(body.slice(5));
    expect((await api.get(`${MAPS}/late`)).status).toBe(404);
  } finally {
    socket.destroy();
  }
});

test('what is no duration is refused; a watch has its own', async () => {
  for (const path of [MAPS, '/version', `${MAPS}/a`]) {
    const { status, json } = await api.get(`${path}?timeout=soon`);
    expect(status).toBe(400);
    expect(json.message).toBe('invalid timeout specified in the request URL - time: invalid duration "soon"');
  }
  const watch = await api.watch(`${MAPS}?watch=1&timeout=soon&timeoutSeconds=5`);
  expect(watch.status).toBe(200);
});
