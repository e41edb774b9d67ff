import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, SystemClock, VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import type { Decision } from './decision.ts';
import type { Address } from './endpoints.ts';
import { startPlainServer } from './server.ts';

const HOST = '127.0.0.1';
/** of a machine that has much else to do */
const PATIENCE = { timeout: 30_000 };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function ingress(decision: Decision, clock: Clock = new SystemClock()): Promise<number> {
  const server = await startPlainServer({
    address: HOST,
    clock,
    random: new SeededRandom(1),
    log: silentLogger,
    route: () => decision,
  });
  cleanups.push(() => server.close());
  return server.port;
}

/** Keeps what it was sent. */
async function backend(
  answer = true,
): Promise<Address & { readonly bodies: Promise<string>[]; readonly server: Server }> {
  const bodies: Promise<string>[] = [];
  const server = createServer((req, res) => {
    const whole = (async () => {
      let text = '';
      for await (const chunk of req) text += chunk;
      return text;
    })();
    bodies.push(whole);
    if (answer) void whole.then(() => res.end('from the backend'));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: HOST, port: (server.address() as AddressInfo).port, bodies, server };
}

/** A port of which the kernel takes no more connections: nobody accepts those that are waiting there. */
async function full(): Promise<Address> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '${HOST}', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(code, { eval: true });
  cleanups.push(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const waiting: Socket[] = [];
  cleanups.push(() => waiting.forEach((socket) => void socket.destroy()));
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, HOST);
    waiting.push(socket);
    await once(socket, 'connect');
  }
  return { host: HOST, port };
}

const refused: Address = { host: HOST, port: 1 };

async function ask(port: number, method = 'GET', body?: string): Promise<{ status: number; body: string }> {
  const req = request({ host: HOST, port, method, agent: false });
  req.end(body);
  const [res] = await once(req, 'response');
  let text = '';
  for await (const chunk of res) text += chunk;
  return { status: res.statusCode, body: text };
}

/** What comes back to who wants to speak another protocol. */
async function upgrade(port: number): Promise<string> {
  const socket = connect(port, HOST);
  cleanups.push(() => socket.destroy());
  socket.write('GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.includes('\r\n\r\n')) break;
  }
  return text.slice(0, text.indexOf('\r\n'));
}

/** Lets time go on until it is there. */
async function passing<T>(clock: VirtualClock, what: Promise<T>): Promise<T> {
  let settled = false;
  const end = () => {
    settled = true;
  };
  what.then(end, end);
  for (let turn = 0; turn < 10_000 && !settled; turn++) await clock.advance(100);
  return what;
}

const to = (...addresses: Address[]): Decision => ({ to: 'backends', addresses });

describe('backends that cannot be reached', () => {
  it('a connection that does not come about is given up', async () => {
    const clock = new VirtualClock();
    const port = await ingress(to(await full()), clock);
    expect(await passing(clock, ask(port))).toMatchObject({ status: 504 });
  });

  it('the next one is tried', async () => {
    const clock = new VirtualClock();
    const port = await ingress(to(refused, await full(), await backend()), clock);
    expect(await passing(clock, ask(port))).toEqual({ status: 200, body: 'from the backend' });
  });

  it('nor for other protocols', async () => {
    const clock = new VirtualClock();
    const late = await ingress(to(await full()), clock);
    expect(await passing(clock, upgrade(late))).toBe('HTTP/1.1 504 Gateway Timeout');
    expect(await upgrade(await ingress(to(refused)))).toBe('HTTP/1.1 502 Bad Gateway');
    const { port, host, server } = await backend();
    server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    expect(await upgrade(await ingress(to(refused, { host, port })))).toBe('HTTP/1.1 101 Switching Protocols');
  });

  it.each<[Decision, string]>([
    [{ to: 'refuse', status: 404 }, 'HTTP/1.1 404 Not Found'],
    [{ to: 'redirect', status: 302, location: 'https://a.test/' }, 'HTTP/1.1 302 Found'],
    [to(), 'HTTP/1.1 503 Service Unavailable'],
  ])('who wants another protocol is answered as all others: %j', async (decision, answer) => {
    expect(await upgrade(await ingress(decision))).toBe(answer);
  });

  it('an answer that takes too long is waited for no more, from nobody', async () => {
    const clock = new VirtualClock();
    const [one, two] = [await backend(false), await backend(false)];
    const port = await ingress({ to: 'backends', addresses: [one, two], timeoutMs: 1_000 }, clock);
    const answer = ask(port);
    await expect.poll(() => one.bodies.length + two.bodies.length, PATIENCE).toBe(1);
    expect(await passing(clock, answer)).toMatchObject({ status: 504 });
    expect(one.bodies.length + two.bodies.length).toBe(1);
  });

  it('a client that leaves is the end of it', async () => {
    const [one, two] = [await backend(false), await backend(false)];
    const port = await ingress(to(one, two));
    const req = request({ host: HOST, port, agent: false });
    req.on('error', () => {});
    req.end();
    await expect.poll(() => one.bodies.length + two.bodies.length, PATIENCE).toBe(1);
    const asked = one.bodies.length === 1 ? one : two;
    req.destroy();
    await expect.poll(() => connections(asked.server), PATIENCE).toBe(0);
    expect(one.bodies.length + two.bodies.length).toBe(1);
  });
});

const connections = (server: Server) =>
  new Promise<number>((resolve, reject) => server.getConnections((err, count) => (err ? reject(err) : resolve(count))));

describe('mirrors', () => {
  const BODY = 'x'.repeat(200_000);

  it('get what the backend gets', async () => {
    const [one, copy] = [await backend(), await backend()];
    const port = await ingress({ to: 'backends', addresses: [one], mirrors: [copy] });
    expect(await ask(port, 'POST', BODY)).toEqual({ status: 200, body: 'from the backend' });
    expect(await one.bodies[0]).toBe(BODY);
    await expect.poll(() => copy.bodies.length, PATIENCE).toBe(1);
    expect(await copy.bodies[0]).toBe(BODY);
  });

  it.each([
    ['that cannot be reached', async () => refused],
    ['that takes no connection', full],
  ])('one %s holds nothing up', async (_what, where) => {
    const one = await backend();
    const port = await ingress({ to: 'backends', addresses: [one], mirrors: [await where()] });
    const large = BODY.repeat(20);
    expect(await ask(port, 'POST', large)).toEqual({ status: 200, body: 'from the backend' });
    expect((await one.bodies[0])?.length).toBe(large.length);
  });
});
