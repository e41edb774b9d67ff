/** A whole API server on a store in a temporary folder, for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/createClient.ts';
import { type Clock, SystemClock } from '../../lib/clock.ts';
import { type Logger, silentLogger } from '../../lib/log.ts';
import { SystemRandom } from '../../lib/random.ts';
import { openEmbedded } from '../../storage/embedded/open.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ApiServerOptions } from '../options.ts';
import { type ApiServer, createApiServer } from '../server.ts';
import { MASTERS_GROUP, type User } from '../user.ts';
import { type KeyPair, newKey, TestCA } from './certificates.ts';

export const ADMIN: User = { name: 'admin', groups: [MASTERS_GROUP] };

export interface TestServer {
  readonly api: ApiServer;
  readonly storage: Storage;
  /** of a user of system:masters, in process */
  readonly client: Client;
  readonly ca: TestCA;
  readonly admin: KeyPair;
  stop(): Promise<void>;
}

export interface TestServerOptions
  extends Pick<
    ApiServerOptions,
    'audit' | 'authorization' | 'anonymous' | 'components' | 'frontProxy' | 'nodeUsage' | 'serviceCIDRv6'
  > {
  readonly clock?: Clock;
  readonly log?: Logger;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = new SystemClock(), log = silentLogger, ...rest } = options;
  const dir = await mkdtemp(join(tmpdir(), 'kubets-apiserver-'));
  const storage = await openEmbedded({ dir, clock, log });
  const ca = await TestCA.create(clock);
  const serving = await ca.issue('kube-apiserver');
  const api = await createApiServer({
    ...rest,
    storage,
    clock,
    random: new SystemRandom(),
    log,
    tls: { ...serving, clientCA: ca.pem },
    kubeletClient: { ...serving, ca: ca.pem },
    serviceAccountKey: await newKey(),
    serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
    serviceCIDR: '10.96.0.0/16',
    advertiseAddress: '10.0.0.1',
  });
  return {
    api,
    storage,
    client: createClient(api.transport(ADMIN)),
    ca,
    admin: await ca.issue(ADMIN.name, ADMIN.groups),
    async stop() {
      await api.close();
      await storage.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** the body parsed; undefined where it is no JSON */
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of every shape
  readonly json: any;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One request over TLS, with the client certificate of `as`, or none. */
export function http(
  server: TestServer,
  port: number,
  path: string,
  options: HttpRequest & { as?: KeyPair | null } = {},
): Promise<HttpAnswer> {
  const as = options.as === undefined ? server.admin : options.as;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.method ?? 'GET',
        headers: {
          ...options.headers,
          ...(options.body === undefined ? {} : { 'content-length': Buffer.byteLength(options.body) }),
        },
        ca: server.ca.pem,
        agent: false,
        ...(as === null ? {} : as),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes, text, json: parsed(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
