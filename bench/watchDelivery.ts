/** How long after a write its watchers have the event. */
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import type { ServerUnderTest } from './apiserverProcess.ts';

const WRITES = 300;
const PAUSE_MS = 10;
const PATH = '/api/v1/namespaces/default/pods';
const MARK = '"mark":"';

/** Over all writes and all watchers. */
export interface Delivery {
  /** from the answer to the write until the watcher has the event; 0 where the event is there first */
  readonly afterAnswer: { readonly medianMs: number; readonly p99Ms: number };
  /** from sending the write, which includes making it durable */
  readonly afterSending: { readonly medianMs: number; readonly p99Ms: number };
  /** how long the write itself took */
  readonly write: { readonly medianMs: number; readonly p99Ms: number };
}

/** Writes one after another while `watchers` watch, each on a connection of its own. */
export async function measureWatch(server: ServerUnderTest, watchers: number): Promise<Delivery> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const call = (method: string, path: string, body?: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${server.token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/merge-patch+json', 'content-length': body.length }),
      };
      const sent = request({ agent, host: '127.0.0.1', port: server.port, method, path, headers }, (answer) => {
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
  const arrivals = new Map<string, number[]>();
  const sockets = await Promise.all(
    Array.from({ length: watchers }, () =>
      watch(server, from, (mark) => {
        arrivals.get(mark)?.push(performance.now());
      }),
    ),
  );
  const afterAnswer: number[] = [];
  const afterSending: number[] = [];
  const writes: number[] = [];
  for (let i = 1; i <= WRITES; i++) {
    const mark = `${from}-${i}`;
    arrivals.set(mark, []);
    const sent = performance.now();
    await call('PATCH', `${PATH}/pod-0-${i}`, JSON.stringify({ metadata: { annotations: { mark } } }));
    const answered = performance.now();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const times = arrivals.get(mark) ?? [];
    if (times.length !== watchers) throw new Error(`${times.length} of ${watchers} watchers had the event`);
    writes.push(answered - sent);
    for (const time of times) {
      afterAnswer.push(Math.max(0, time - answered));
      afterSending.push(time - sent);
    }
  }
  for (const socket of sockets) socket.destroy();
  agent.destroy();
  return { afterAnswer: summary(afterAnswer), afterSending: summary(afterSending), write: summary(writes) };
}

function summary(times: number[]): { medianMs: number; p99Ms: number } {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] as number;
  return { medianMs: at(0.5), p99Ms: at(0.99) };
}

/** A watch that is read with as little work as can be, so that it is the server that is measured. */
function watch(server: ServerUnderTest, from: string, onMark: (mark: string) => void): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
      socket.write(
        `GET ${PATH}?watch=true&resourceVersion=${from} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\n\r\n`,
      );
    });
    socket.on('error', reject);
    socket.once('data', () => {
      // The head of the answer; from now on events.
      resolve(socket);
      socket.on('data', (chunk: Buffer) => {
        const at = chunk.indexOf(MARK);
        if (at < 0) return;
        const start = at + MARK.length;
        onMark(chunk.toString('latin1', start, chunk.indexOf('"', start)));
      });
    });
  });
}
