/** One API service behind this server: where it is, whom it must be, and how it is asked. */
import { request } from 'node:https';
import { type APIService, availability } from '../../apis/apiregistration/apiService.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { apiVersionOf, type GroupVersion, type Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServicePlace, servicePlace } from '../servicePlace.ts';
import { SYSTEM_ROOTS, type TargetTls, tlsOptions } from '../subresources/forward.ts';
import { MASTERS_GROUP, type User } from '../user.ts';
import { identityHeaders } from './identityHeaders.ts';

/** As whom this server itself asks. */
const AGGREGATOR: User = { name: 'system:kube-aggregator', groups: [MASTERS_GROUP] };
const MAX_BODY_BYTES = 64 << 20;

/** The certificate with which other API servers know this one. */
export interface FrontProxyClient {
  readonly cert: string;
  readonly key: string;
}

export interface RemoteApiParts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  /** absent: they are not told who asks in a way that they could believe */
  readonly frontProxy: FrontProxyClient | undefined;
}

export interface RemoteRequest {
  readonly method?: string;
  /** path and query, escaped */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** absent: this server itself */
  readonly user?: User;
  /** Whoever answers is believed: for questions whose answers open no doors. */
  readonly anyCertificate?: boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RemoteAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

export class RemoteApi {
  readonly name: string;
  readonly groupVersion: GroupVersion;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** as it was when this was made, and as it is now but for its status */
  readonly object: Stored<APIService>;
  /** whether requests are passed on to it */
  available: boolean;
  readonly #parts: RemoteApiParts;

  constructor(object: Stored<APIService>, parts: RemoteApiParts) {
    const { group = '', version = '', service } = object.spec ?? {};
    this.name = object.metadata.name;
    this.groupVersion = { group, version };
    this.service = { namespace: service?.namespace ?? '', name: service?.name ?? '', port: service?.port ?? 443 };
    this.object = object;
    this.available = availability(object)?.status === 'True';
    this.#parts = parts;
  }

  get apiVersion(): string {
    return apiVersionOf(this.groupVersion);
  }

  /** @throws Error where the service has no place now */
  place(): Promise<ServicePlace> {
    return servicePlace(this.#parts, this.service);
  }

  /** Who this server is, and who the other must be. */
  tls(anyCertificate = false): TargetTls {
    const { caBundle = '', insecureSkipTLSVerify = false } = this.object.spec ?? {};
    const ca = caBundle === '' ? SYSTEM_ROOTS : Buffer.from(caBundle, 'base64').toString('utf8');
    const { cert, key } = this.#parts.frontProxy ?? {};
    return {
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      servername: `${this.service.name}.${this.service.namespace}.svc`,
      ...(anyCertificate || insecureSkipTLSVerify ? {} : { ca }),
    };
  }

  /** A whole answer, whatever its status. @throws Error where none came */
  async ask(asked: RemoteRequest): Promise<RemoteAnswer> {
    const { host, port } = await this.place();
    const { method = 'GET', path, headers, user = AGGREGATOR, signal, timeoutMs = 30_000 } = asked;
    // As bytes: headers that go out with a text would be written as UTF-8, once more.
    const body = asked.body === undefined ? undefined : Buffer.from(asked.body);
    return new Promise((resolve, reject) => {
      const sent = request({
        host,
        port,
        path,
        method,
        agent: false,
        headers: {
          ...headers,
          ...identityHeaders(user),
          ...(body === undefined ? {} : { 'content-length': body.length }),
        },
        ...tlsOptions(this.tls(asked.anyCertificate)),
      });
      const abort = () => sent.destroy(new Error('context canceled'));
      const timer = this.#parts.clock.after(timeoutMs, () => sent.destroy(new Error('context deadline exceeded')));
      signal?.addEventListener('abort', abort, { once: true });
      const end = () => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: Error) => {
        end();
        reject(error);
      };
      sent.on('error', fail);
      sent.on('response', (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY_BYTES) sent.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        answer.on('error', fail);
        answer.on('end', () => {
          end();
          const { 'content-type': contentType = '', etag } = answer.headers;
          resolve({ status: answer.statusCode ?? 0, contentType, etag, body: Buffer.concat(chunks) });
        });
      });
      sent.end(body);
      if (signal?.aborted === true) abort();
    });
  }
}
