/**
 * Whether a node's proxy does its work, told over HTTP to load balancers and to who looks after nodes.
 * Sources: https://kubernetes.io/docs/reference/networking/ports-and-protocols/ (10256),
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-policies (nodes that are to be deleted)
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Node } from '../apis/core/node.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

/** A change that waits for longer to be written is a fault. */
const LATE_MS = 60_000;
/** The cluster autoscaler puts it on a node that it is about to delete. */
const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';

export class ProxyHealth {
  readonly #clock: Clock;
  #written: number;
  /** since when the oldest change waits that is not in the kernel */
  #waiting: number | undefined;
  #staying = true;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#written = clock.now();
  }

  /** There is a change to write. */
  changed(): void {
    this.#waiting ??= this.#clock.now();
  }

  /** All changes are in the kernel. */
  written(): void {
    this.#waiting = undefined;
    this.#written = this.#clock.now();
  }

  sawNode({ metadata, spec }: Node): void {
    this.#staying =
      metadata?.deletionTimestamp === undefined && spec?.taints?.some(({ key }) => key === TO_BE_DELETED) !== true;
  }

  /** Whether the rules are those that the API wants. */
  get isLive(): boolean {
    return this.#waiting === undefined || this.#clock.now() - this.#waiting < LATE_MS;
  }

  /** Whether load balancers may send new connections to this node. */
  get isStaying(): boolean {
    return this.#staying;
  }

  /** What is answered, with or without regard to the node. */
  answer(ofNode: boolean): { readonly status: number; readonly body: string } {
    const isGood = this.isLive && (!ofNode || this.#staying);
    const time = (ms: number) => new Date(ms).toISOString();
    const now = this.#clock.now();
    const body = {
      lastUpdated: time(isGood ? now : this.#written),
      currentTime: time(now),
      ...(ofNode ? { nodeEligible: this.#staying } : {}),
    };
    return { status: isGood ? 200 : 503, body: JSON.stringify(body) };
  }
}

export interface ProxyHealthServerOptions {
  readonly health: ProxyHealth;
  /** how services are done, as `/proxyMode` says it */
  readonly mode: string;
  /** at which everybody may ask for the health; 0: any that is free */
  readonly healthPort: number;
  /** at which this machine may ask for the mode; 0: any that is free */
  readonly statusPort: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Resolves when both ports are open, or are found to be taken: another cluster's proxy on this machine answers there
 * then. @returns the ports that are open
 */
export async function serveProxyHealth(
  options: ProxyHealthServerOptions,
): Promise<{ health?: number; status?: number }> {
  const { health, mode, healthPort, statusPort } = options;
  const [healthOpen, statusOpen] = await Promise.all([
    open(options, healthPort, undefined, ({ url = '' }, response) => {
      const path = url.split('?', 1)[0];
      if (path !== '/healthz' && path !== '/livez') {
        response.writeHead(404).end();
        return;
      }
      const { status, body } = health.answer(path === '/healthz');
      response.writeHead(status, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }).end(body);
    }),
    open(options, statusPort, '127.0.0.1', ({ url = '' }, response) => {
      const text = new Map([
        ['/healthz', 'ok'],
        ['/proxyMode', mode],
      ]).get(url.split('?', 1)[0] ?? '');
      const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
      response.writeHead(text === undefined ? 404 : 200, headers).end(text);
    }),
  ]);
  return {
    ...(healthOpen === undefined ? {} : { health: healthOpen }),
    ...(statusOpen === undefined ? {} : { status: statusOpen }),
  };
}

function open(
  { log, signal }: ProxyHealthServerOptions,
  port: number,
  address: string | undefined,
  answer: RequestListener,
): Promise<number | undefined> {
  const server: Server = createServer(answer);
  return new Promise((resolve) => {
    server.on('error', (err) => {
      log.info('a port of the proxy is taken', { err, port });
      resolve(undefined);
    });
    server.listen(port, address, () => {
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
      resolve((server.address() as AddressInfo).port);
    });
  });
}
