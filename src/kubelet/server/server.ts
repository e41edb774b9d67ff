/**
 * The kubelet's own server on port 10250: logs, exec, attach, port-forward, the pods of the node.
 * Clients show a certificate of the cluster's CA or a token, and the API server says what they may do.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { apiError, badRequest, isApiError, notFound, type Status } from '../../machinery/status.ts';
import { KubeletAuthorizer, userOf } from './authorization.ts';
import { BearerTokens } from './bearerToken.ts';
import { serveLogs } from './logs.ts';
import type { PodViews, StreamingRuntime } from './podView.ts';
import { type NodeReports, Reports } from './reports.ts';
import { Streams } from './streams.ts';

export interface KubeletServerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeName: string;
  readonly views: PodViews;
  /** What there is to tell of the node; absent: this server is that of several nodes, which it cannot tell apart. */
  readonly reports?: NodeReports;
  readonly runtime: StreamingRuntime;
  /** PEM */
  readonly serving: {
    readonly cert: string;
    readonly key: string;
    readonly clientCA: string;
    /** Tells of certificates that come in place of the first. */
    onRenewed?(use: (pair: { readonly cert: string; readonly key: string }) => void): void;
  };
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
}

export interface KubeletServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws the listen error (EADDRINUSE, …) */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const handler = new Handler(options);
  const { cert, key, clientCA } = options.serving;
  const server: Server = createServer({ cert, key, ca: clientCA, requestCert: true, rejectUnauthorized: false });
  options.serving.onRenewed?.((pair) => server.setSecureContext({ cert: pair.cert, key: pair.key, ca: clientCA }));
  server.on('request', (req, res) => void handler.request(req, res));
  // The server forgets a connection that was upgraded: a stream that goes on would keep it from closing.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (req, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    void handler.upgrade(req, socket, head);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        handler.close();
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

class Handler {
  readonly #options: KubeletServerOptions;
  readonly #authorizer: KubeletAuthorizer;
  readonly #tokens: BearerTokens;
  readonly #streams: Streams;
  readonly #reports: Reports | undefined;

  constructor(options: KubeletServerOptions) {
    this.#options = options;
    this.#authorizer = new KubeletAuthorizer(options.client, options.clock, options.nodeName);
    this.#tokens = new BearerTokens(options.client, options.clock);
    this.#streams = new Streams(options.runtime, options.log);
    this.#reports = options.reports === undefined ? undefined : new Reports(options.reports);
  }

  async request(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const { path, query } = locationOf(req);
      await this.#authorize(req, path);
      await this.#route(req, res, path, query);
    } catch (error) {
      const status = this.#statusOf(error);
      if (res.headersSent) res.destroy();
      else res.writeHead(status.code, { 'Content-Type': 'application/json' }).end(JSON.stringify(status));
    }
  }

  async #route(req: IncomingMessage, res: ServerResponse, path: string, query: URLSearchParams): Promise<void> {
    const [what, ...rest] = path.slice(1).split('/').map(decodeURIComponent);
    switch (what) {
      case 'healthz':
        serveHealth(rest[0] ?? '', query.has('verbose'), path, res);
        return;
      case 'pods':
        sendPods(this.#options.views.list(), res);
        return;
      case 'runningpods':
        sendPods(this.#options.views.running(), res);
        return;
      case 'stats':
      case 'metrics':
      case 'configz':
      case 'logs':
        if (this.#reports === undefined)
          throw apiError('MethodNotAllowed', 'this server is that of several simulated nodes: ask metrics.k8s.io');
        await this.#reports.serve(path, query, res);
        return;
      case 'containerLogs':
        await serveLogs(this.#options.views, this.#pod(rest), rest[2] ?? '', query, this.#options.clock, req, res);
        return;
      case 'exec':
      case 'attach':
      case 'portForward':
        throw badRequest('you must request a connection upgrade: WebSocket or SPDY/3.1');
      default:
        throw apiError('NotFound', `the kubelet has nothing at ${path}`);
    }
  }

  async upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { path, query } = locationOf(req);
      await this.#authorize(req, path);
      const [what, ...rest] = path.slice(1).split('/').map(decodeURIComponent);
      const pod = this.#pod(rest);
      const request = { req, socket, head, pod, query };
      // {namespace}/{pod}/{container}, or with the pod's uid before the container.
      const container = rest[3] ?? rest[2] ?? '';
      switch (what) {
        case 'exec':
          return await this.#streams.exec({ ...request, container });
        case 'attach':
          return await this.#streams.attach({ ...request, container });
        case 'portForward':
          return await this.#streams.portForward(request);
        default:
          throw apiError('NotFound', `the kubelet has no stream at ${path}`);
      }
    } catch (error) {
      const status = this.#statusOf(error);
      const body = JSON.stringify(status);
      const head = `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\nContent-Type: application/json\r\n`;
      socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
    }
  }

  #pod([namespace = '', name = '']: readonly string[]) {
    const pod = this.#options.views.find(namespace, name);
    if (pod === undefined) throw notFound({ group: '', plural: 'pods' }, name);
    return pod;
  }

  async #authorize(req: IncomingMessage, path: string): Promise<void> {
    const user = userOf(req.socket as TLSSocket) ?? (await this.#tokens.userOf(req.headers.authorization));
    if (user === undefined) throw apiError('Unauthorized', 'Unauthorized');
    if (!(await this.#authorizer.allows(user, req.method ?? 'GET', path))) {
      throw apiError(
        'Forbidden',
        `user ${JSON.stringify(user.name)} may not ${req.method} ${path} on node ${this.#options.nodeName}`,
      );
    }
  }

  #statusOf(error: unknown): Status {
    if (isApiError(error)) return error.status;
    this.#options.log.error('a request to the kubelet failed', { err: error });
    return apiError('InternalError', error instanceof Error ? error.message : String(error)).status;
  }

  close(): void {
    this.#streams.close();
  }
}

function sendPods(items: readonly unknown[], res: ServerResponse): void {
  const body = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

const HEALTH_CHECKS = ['ping', 'log', 'syncloop'];

/** @throws ApiError NotFound for a check that there is not */
function serveHealth(check: string, verbose: boolean, path: string, res: ServerResponse): void {
  if (check !== '' && !HEALTH_CHECKS.includes(check)) throw apiError('NotFound', `the kubelet has nothing at ${path}`);
  const all = HEALTH_CHECKS.map((name) => `[+]${name} ok\n`).join('');
  const body = verbose && check === '' ? `${all}healthz check passed\n` : 'ok';
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end(body);
}

/** @throws ApiError BadRequest for a path that is not one */
function locationOf(req: IncomingMessage): { path: string; query: URLSearchParams } {
  try {
    const url = new URL(req.url ?? '/', 'https://kubelet');
    decodeURIComponent(url.pathname);
    return { path: url.pathname, query: url.searchParams };
  } catch {
    throw badRequest('the path is malformed');
  }
}
