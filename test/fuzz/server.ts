/** An API server on a store in memory, that can be put back to how it was, and a client that never waits for ever. */
import { Agent, type Agent as HttpsAgent, request } from 'node:https';
import { serviceAccounts } from '../../src/apis/core/serviceAccount.ts';
import { type ApiServer, createApiServer } from '../../src/apiserver/server.ts';
import { newKey, TestCA } from '../../src/apiserver/testing/certificates.ts';
import { createClient } from '../../src/client/createClient.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/log.ts';
import { SeededRandom } from '../../src/lib/random.ts';
import { openInMemory } from '../../src/storage/embedded/open.ts';
import type { Operation, Storage } from '../../src/storage/storage.ts';

const clock = new SystemClock();
const DEADLINE_MS = 5_000;
/** A watch that began well is left after this. */
const WATCH_MS = 15;
/** What is kept of the store's history, in resets. */
const COMPACT_EVERY = 50;
const ALL = { key: '/registry/', end: '/registry0' };

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** the answer may go on: it is left as soon as it has begun */
  readonly endless?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export class FuzzServer {
  readonly #api: ApiServer;
  readonly #storage: Storage;
  readonly #agent: HttpsAgent;
  readonly #tls: { ca: string; cert: string; key: string };
  readonly #baseline: ReadonlyMap<string, Buffer>;
  readonly #errors: string[];
  #port = 0;
  #resets = 0;

  /** @param seed of all chance within the server */
  static async start(seed: number): Promise<FuzzServer> {
    const errors: string[] = [];
    const log = recorder(errors);
    const storage = openInMemory({ clock, log });
    const ca = await TestCA.create(clock);
    const serving = await ca.issue('kube-apiserver');
    const admin = await ca.issue('admin', ['system:masters']);
    const api = await createApiServer({
      storage,
      clock,
      random: new SeededRandom(seed),
      log,
      tls: { ...serving, clientCA: ca.pem },
      kubeletClient: { ...serving, ca: ca.pem },
      serviceAccountKey: await newKey(),
      serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
      serviceCIDR: '10.96.0.0/16',
      advertiseAddress: '10.0.0.1',
    });
    const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
    // No controllers run here; without its account every pod would be waited for.
    const client = createClient(api.transport({ name: 'admin', groups: ['system:masters'] }));
    for (const namespace of ['default', 'kube-system'])
      await client.create(serviceAccounts, { metadata: { name: 'default', namespace } });
    const { kvs } = await storage.range(ALL);
    const baseline = new Map(kvs.map(({ key, value }) => [key, value]));
    return new FuzzServer({ api, storage, tls: { ca: ca.pem, ...admin }, port, baseline, errors });
  }

  private constructor(parts: {
    api: ApiServer;
    storage: Storage;
    tls: { ca: string; cert: string; key: string };
    port: number;
    baseline: ReadonlyMap<string, Buffer>;
    errors: string[];
  }) {
    this.#api = parts.api;
    this.#storage = parts.storage;
    this.#tls = parts.tls;
    this.#port = parts.port;
    this.#baseline = parts.baseline;
    this.#errors = parts.errors;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 4 });
  }

  /** What was logged as an error since it was last asked. */
  takeErrors(): string[] {
    return this.#errors.splice(0);
  }

  /** @throws Error where no answer comes in time, or the connection breaks */
  send({ method, path, headers = {}, body, endless = false }: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        timer.cancel();
        reject(error);
      };
      const req = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          method,
          path,
          ...this.#tls,
          agent: this.#agent,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-length': body.length }) },
        },
        (res) => {
          const chunks: Buffer[] = [];
          const done = () => {
            timer.cancel();
            const contentType = res.headers['content-type'] ?? '';
            resolve({ status: res.statusCode ?? 0, contentType, text: Buffer.concat(chunks).toString('utf8') });
          };
          res.on('data', (chunk: Buffer) => chunks.push(chunk));
          res.on('error', fail);
          res.on('end', done);
          if (endless && res.headers['content-length'] === undefined) {
            clock.after(WATCH_MS, () => {
              done();
              res.off('error', fail);
              res.on('error', () => {});
              req.destroy();
            });
          }
        },
      );
      const timer = clock.after(DEADLINE_MS, () => {
        fail(new Error(`no answer within ${DEADLINE_MS / 1000} s`));
        req.destroy();
      });
      req.on('error', fail);
      req.end(body);
    });
  }

  /** Everything is as it was after the start. */
  async reset(): Promise<void> {
    const { kvs, revision } = await this.#storage.range(ALL);
    const undo: Operation[] = [];
    const found = new Set<string>();
    for (const { key, value } of kvs) {
      found.add(key);
      const before = this.#baseline.get(key);
      if (before === undefined) undo.push({ op: 'delete', key });
      else if (!before.equals(value)) undo.push({ op: 'put', key, value: before });
    }
    for (const [key, value] of this.#baseline) if (!found.has(key)) undo.push({ op: 'put', key, value });
    if (undo.length > 0) await this.#storage.txn({ compare: [], success: undo, failure: [] });
    if (++this.#resets % COMPACT_EVERY === 0) await this.#storage.compact(revision);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#api.close();
    await this.#storage.close();
  }
}

function recorder(errors: string[]): Logger {
  const log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error(message, fields) {
      const { err } = fields ?? {};
      errors.push(`${message}: ${err instanceof Error ? err.stack : JSON.stringify(fields)}`);
    },
    child: () => log,
  };
  return log;
}
