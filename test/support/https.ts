/** Requests to a test cluster's API server, byte for byte as a test wants them. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { TestCluster } from './cluster.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, as far as it is JSON. */
  readonly json: Record<string, unknown>;
}

export interface Ask {
  readonly method?: string;
  /** sent as it is, escapes and all */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** false: without the administrator's certificate */
  readonly asAdmin?: boolean;
}

const TIMEOUT_MS = 20_000;

export class ApiClient {
  readonly port: number;
  readonly #ca: string;
  readonly #cert: string;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(cluster: TestCluster) {
    const file = (name: string) => readFileSync(join(cluster.paths.pki, name), 'utf8');
    this.port = cluster.config.port;
    this.#ca = file('ca.crt');
    this.#cert = file('admin.crt');
    this.#key = file('admin.key');
  }

  /** @throws the socket's error, or an Error after 20 s */
  ask({ method = 'GET', path, headers = {}, body, asAdmin = true }: Ask): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const req = request(
        {
          host: '127.0.0.1',
          port: this.port,
          ca: this.#ca,
          ...(asAdmin ? { cert: this.#cert, key: this.#key, agent: this.#agent } : { agent: false }),
          method,
          path,
          headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        },
        (res) => {
          const chunks: Buffer[] = [];
          res.on('data', (chunk: Buffer) => chunks.push(chunk));
          res.once('error', reject);
          res.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json: parsed(text) });
          });
        },
      );
      req.once('error', reject);
      req.end(body);
    });
  }

  /** A TLS connection of the administrator, to be written to by hand. */
  connect(): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const { port } = this;
      const socket = connect({ host: '127.0.0.1', port, ca: this.#ca, cert: this.#cert, key: this.#key }, () => {
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
