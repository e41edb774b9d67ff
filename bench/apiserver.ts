/**
 * What the API server does in a second: one process, TLS, keep-alive, pods of 1.8 KB, every write durable.
 * The server runs in a process of its own; the load comes from wrk and from this process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ServerUnderTest, Usage } from './apiserverProcess.ts';
import { measureWatch } from './watchDelivery.ts';
import { wrk } from './wrk.ts';

const SECONDS = 5;
const ROUNDS = 3;
const PODS = 5_000;
const WATCHERS = 50;

export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly goal: string;
}

/** @param report is told each figure as it is there */
export async function benchApiServer(report: (figure: Figure) => void): Promise<void> {
  const child = fork(fileURLToPath(new URL('./apiserverProcess.ts', import.meta.url)), { execArgv: process.execArgv });
  try {
    const server = await message<ServerUnderTest>(child);
    const idle = await usage(child);
    await fill(server);
    const url = `https://127.0.0.1:${server.port}/api/v1/namespaces/default/pods`;
    const headers = { Authorization: `Bearer ${server.token}` };

    const get = await median(() => wrk({ url: `${url}/pod-0-1`, connections: 32, seconds: SECONDS, headers }));
    report({ what: 'GET pod, 32 connections', value: `${Math.round(get.perSecond)}/s`, goal: '20000/s' });

    const list = await median(() => wrk({ url, connections: 1, seconds: SECONDS, headers }));
    report({ what: `LIST of ${PODS} pods`, value: `${list.medianMs.toFixed(1)} ms`, goal: '15 ms' });

    const patch = await median(() => wrk({ url, connections: 32, seconds: SECONDS, headers, script: PATCH_SCRIPT }));
    report({ what: 'PATCH pod, 32 connections', value: `${Math.round(patch.perSecond)}/s`, goal: '4000/s' });

    const watch = await measureWatch(server, WATCHERS);
    const ms = (value: number) => `${value.toFixed(2)} ms`;
    report({ what: `watch: event after the answer, p50`, value: ms(watch.afterAnswer.medianMs), goal: '0.5 ms' });
    report({ what: `watch: event after the answer, p99`, value: ms(watch.afterAnswer.p99Ms), goal: '' });
    report({ what: `watch: event after sending, p50`, value: ms(watch.afterSending.medianMs), goal: '' });
    report({ what: `one PATCH at a time, ${WATCHERS} watchers, p50`, value: ms(watch.write.medianMs), goal: '' });

    let round = 0;
    const create = await median(() => {
      round++;
      return wrk({ url, connections: 32, seconds: SECONDS, headers, script: createScript(`new${round}`) });
    });
    report({ what: 'create pod, durable, 32 connections', value: `${Math.round(create.perSecond)}/s`, goal: '5000/s' });
    for (const [what, { failed }] of Object.entries({ get, list, patch, create })) {
      if (failed > 0) throw new Error(`${failed} requests of ${what} failed`);
    }
    report({ what: 'memory, empty', value: `${Math.round(idle.rssBytes / 2 ** 20)} MB`, goal: '' });
  } finally {
    child.disconnect();
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

/** The median of some rounds by requests per second. */
async function median<T extends { perSecond: number }>(round: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  for (let i = 0; i < ROUNDS; i++) results.push(await round());
  results.sort((a, b) => a.perSecond - b.perSecond);
  return results[ROUNDS >> 1] as T;
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as T));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

function usage(child: ChildProcess): Promise<Usage> {
  child.send('usage');
  return message<Usage>(child);
}

/** A pod that is 1.8 KB when it is stored, as Lua text with the name in `name`. */
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'NAME',
    labels: { app: 'bench', tier: 'backend', 'pod-template-hash': '5d59d67564' },
    annotations: { 'example.com/owner': 'the team that runs this', 'example.com/note': 'x'.repeat(200) },
  },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'registry.example.com/team/service:v1.2.3',
        ports: [{ containerPort: 8080, name: 'http' }],
        env: [{ name: 'LEVEL', value: 'info' }],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      },
    ],
  },
};

/** wrk leaves its own headers out of what a script formats. */
const WITH_TOKEN = `
function with_token(headers)
  headers["Authorization"] = wrk.headers["Authorization"]
  return headers
end`;

function createScript(prefix: string): string {
  const [before, after] = JSON.stringify(POD).split('NAME') as [string, string];
  return `
local n = 0
local headers = { ["Content-Type"] = "application/json" }
function request()
  n = n + 1
  return wrk.format("POST", nil, with_token(headers), '${before}${prefix}-' .. n .. '${after}')
end
${WITH_TOKEN}`;
}

const PATCH_SCRIPT = `
local n = 0
local headers = { ["Content-Type"] = "application/strategic-merge-patch+json" }
function request()
  n = n + 1
  return wrk.format("PATCH", wrk.path .. "/pod-0-" .. (n % ${PODS} + 1), with_token(headers),
    '{"metadata":{"labels":{"seen":"' .. n .. '"}}}')
end
${WITH_TOKEN}`;

/** Creates the pods that are read. */
async function fill(server: ServerUnderTest): Promise<void> {
  const { Agent, request } = await import('node:https');
  const agent = new Agent({ keepAlive: true, maxSockets: 32, rejectUnauthorized: false });
  const create = (name: string) =>
    new Promise<void>((resolve, reject) => {
      const body = JSON.stringify(POD).replace('NAME', name);
      const sent = request(
        {
          agent,
          host: '127.0.0.1',
          port: server.port,
          method: 'POST',
          path: '/api/v1/namespaces/default/pods',
          headers: {
            authorization: `Bearer ${server.token}`,
            'content-type': 'application/json',
            'content-length': body.length,
          },
        },
        (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += chunk;
          });
          answer.on('end', () => (answer.statusCode === 201 ? resolve() : reject(new Error(text))));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  await Promise.all(Array.from({ length: PODS }, (_, i) => create(`pod-0-${i + 1}`)));
  agent.destroy();
}
