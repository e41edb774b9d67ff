/** How long after a write its watchers have the event. */
import { Agent, request } from 'node:https';
import type { ServerUnderTest } from './apiserverProcess.ts';

const WRITES = 300;
const PAUSE_MS = 10;
const PATH = '/api/v1/namespaces/default/pods';

export interface Delivery {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/**
 * Writes one after another while `watchers` watch, and measures from the answer to the write until each
 * watcher has the event. An event that is there before the answer counts as 0.
 */
export async function measureWatch(server: ServerUnderTest, watchers: number): Promise<Delivery> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const headers = { authorization: `Bearer ${server.token}` };
  const base = { agent, host: '127.0.0.1', port: server.port };
  const arrivals = new Map<string, number[]>();
  const open = () =>
    new Promise<() => void>((resolve, reject) => {
      const path = `${PATH}?watch=true&resourceVersion=${from}`;
      const sent = request({ ...base, path, headers }, (answer) => {
        answer.on('data', (chunk: Buffer) => {
          const now = performance.now();
          for (const [, mark] of chunk.toString('latin1').matchAll(/"mark":"(\d+)"/g)) {
            arrivals.get(mark as string)?.push(now);
          }
        });
        resolve(() => sent.destroy());
      });
      sent.on('error', reject);
      sent.end();
    });
  const call = (method: string, path: string, body?: string) =>
    new Promise<string>((resolve, reject) => {
      const type = { 'content-type': 'application/merge-patch+json', 'content-length': body?.length ?? 0 };
      const sent = request({ ...base, method, path, headers: { ...headers, ...type } }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(text));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const from = JSON.parse(await call('GET', `${PATH}?limit=1`)).metadata.resourceVersion as string;
  const closers = await Promise.all(Array.from({ length: watchers }, open));
  const delays: number[] = [];
  for (let i = 1; i <= WRITES; i++) {
    const mark = String(i);
    arrivals.set(mark, []);
    await call('PATCH', `${PATH}/pod-0-${i}`, JSON.stringify({ metadata: { annotations: { mark } } }));
    const answered = performance.now();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const times = arrivals.get(mark) ?? [];
    if (times.length !== watchers) throw new Error(`${times.length} of ${watchers} watchers had the event`);
    for (const time of times) delays.push(Math.max(0, time - answered));
  }
  for (const close of closers) close();
  agent.destroy();
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor(delays.length * share)] as number;
  return { medianMs: at(0.5), p99Ms: at(0.99) };
}
