import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock, VirtualClock } from '../../lib/clock.ts';
import { GRPC, RuntimeError } from '../cri/runtime.ts';
import { fakeRuntime } from '../testing/fakeRuntime.ts';
import { container } from '../testing/observedPods.ts';
import { perform } from './actions.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const clock = new SystemClock();
const runtime = fakeRuntime({});
const target = (port: number) => ({
  containerId: 'c',
  podIP: '127.0.0.1',
  container: container('main', { ports: [{ name: 'web', containerPort: port }] }),
});

describe('httpGet', () => {
  it('is good from 200 to 299, and sends headers', async () => {
    const seen: string[] = [];
    const port = await listen(
      createServer((req, res) => {
        seen.push(`${req.url} ${req.headers.host} ${req.headers['x-mine']} ${req.headers['user-agent']}`);
        res.writeHead(Number(req.url?.slice(1))).end('x'.repeat(100_000));
      }),
    );
    const get = (path: string) =>
      perform(
        {
          httpGet: {
            port: 'web',
            path,
            httpHeaders: [
              { name: 'X-Mine', value: 'v' },
              { name: 'Host', value: 'h' },
            ],
          },
        },
        target(port),
        2000,
        { runtime, clock },
      );
    expect(await get('/200')).toEqual({ ok: true, message: '' });
    expect(await get('/404')).toEqual({ ok: false, message: 'HTTP probe failed with statuscode: 404' });
    expect(seen[0]).toBe('/200 h v kube-probe/1.36');
  });

  it('follows within the host, and takes it for good, with a warning, where it leads elsewhere', async () => {
    const seen: string[] = [];
    const ways: Record<string, string> = {
      '/here': '/good',
      '/far': '/here',
      '/bad': '/missing',
      '/away': 'http://0.0.0.0:1/',
      '/round': '/round',
      '/odd': 'ftp://127.0.0.1/',
    };
    const port = await listen(
      createServer((req, res) => {
        seen.push(`${req.url} ${req.headers.host}`);
        const Location = ways[req.url ?? ''];
        if (Location !== undefined) res.writeHead(302, { Location }).end(`to ${Location}`);
        else res.writeHead(req.url === '/good' ? 200 : req.url === '/same' ? 304 : 404).end();
      }),
    );
    const get = (path: string) =>
      perform({ httpGet: { port, path, httpHeaders: [{ name: 'Host', value: 'h' }] } }, target(port), 5000, {
        runtime,
        clock,
      });
    const leadsTo = (where: string) => `Probe terminated redirects, Response body: to ${where}`;
    expect(await get('/far')).toEqual({ ok: true, message: '' });
    expect(seen.splice(0)).toEqual(['/far h', '/here h', '/good h']);
    expect(await get('/bad')).toMatchObject({ ok: false, message: 'HTTP probe failed with statuscode: 404' });
    expect(await get('/away')).toEqual({ ok: true, message: '', warning: leadsTo('http://0.0.0.0:1/') });
    expect(await get('/odd')).toMatchObject({ ok: true, warning: leadsTo('ftp://127.0.0.1/') });
    expect(await get('/same')).toMatchObject({ ok: true, warning: 'Probe terminated redirects, Response body: ' });
    expect(await get('/round')).toMatchObject({ ok: false, message: expect.stringContaining('after 10 redirects') });
    ways['/to'] = `http://127.0.0.1:${port}/good`;
    seen.splice(0);
    expect(await get('/to')).toEqual({ ok: true, message: '' });
    expect(seen).toEqual(['/to h', `/good 127.0.0.1:${port}`]);
  });

  it('of a hook is done when it was answered', async () => {
    const agents: (string | undefined)[] = [];
    const port = await listen(
      createServer((req, res) => {
        agents.push(req.headers['user-agent']);
        res.writeHead(500).end();
      }),
    );
    const tools = { runtime, clock, hook: true } as const;
    expect(await perform({ httpGet: { port } }, target(port), 2000, tools)).toEqual({ ok: true, message: '' });
    expect(agents).toEqual(['kube-lifecycle/1.36']);
    // Over TLS where nobody speaks it, only hooks ask once more.
    const httpGet = { port, scheme: 'HTTPS' };
    expect(await perform({ httpGet }, target(port), 2000, tools)).toEqual({
      ok: true,
      message: '',
      warning: `request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
    });
    expect(await perform({ httpGet }, target(port), 2000, { runtime, clock })).toMatchObject({ ok: false });
  });

  it('says what went wrong', async () => {
    const port = await listen(createServer(() => {}));
    const get = (p: number | string) =>
      perform({ httpGet: { port: p, path: '/x' } }, target(port), 50, { runtime, clock });
    expect((await get(port)).message).toBe(
      `Get "http://127.0.0.1:${port}/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    );
    const free = await listen(createTcpServer());
    open.pop()?.close();
    expect((await get(free)).message).toBe(
      `Get "http://127.0.0.1:${free}/x": dial tcp 127.0.0.1:${free}: connect: connection refused`,
    );
    expect((await get('none')).message).toBe('the container has no port named none');
  });
});

it('tcpSocket', async () => {
  const port = await listen(createTcpServer((socket) => socket.destroy()));
  const tcp = (p: number) => perform({ tcpSocket: { port: p } }, target(port), 1000, { runtime, clock });
  expect(await tcp(port)).toEqual({ ok: true, message: '' });
  open.pop()?.close();
  expect(await tcp(port)).toEqual({
    ok: false,
    message: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  });
});

it('exec', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const exec = (answer: () => { exit_code?: number; stdout?: string; stderr?: string }) =>
    perform({ exec: { command: ['cat', '/x'] } }, target(1), 1000, {
      runtime: fakeRuntime({ execSync: answer }),
      clock,
    });
  expect(await exec(() => ({ stdout: base64('fine') }))).toEqual({ ok: true, message: 'fine' });
  expect(await exec(() => ({ exit_code: 1, stdout: base64('a'), stderr: base64('b') }))).toEqual({
    ok: false,
    message: 'ab',
  });
  const late = await exec(() => {
    throw new RuntimeError(GRPC.deadlineExceeded, 'timeout 1s exceeded');
  });
  expect(late).toEqual({ ok: false, message: 'command timed out: "cat /x" timed out after 1s' });
});

it('sleep, which ends early where it may', async () => {
  const virtual = new VirtualClock();
  const abort = new AbortController();
  const sleep = (signal?: AbortSignal) =>
    perform({ sleep: { seconds: 5 } }, target(1), 60_000, { runtime, clock: virtual, ...(signal ? { signal } : {}) });
  const whole = sleep();
  const early = sleep(abort.signal);
  await virtual.advance(4_000);
  abort.abort(new Error('enough'));
  expect(await early).toEqual({ ok: false, message: 'enough' });
  await virtual.advance(1_000);
  expect(await whole).toEqual({ ok: true, message: '' });
});
