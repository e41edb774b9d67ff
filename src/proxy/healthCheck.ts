/**
 * Tells load balancers whether this node has endpoints of a service that keeps its traffic local: 200 where it has
 * some, 503 where it has none.
 * Source: https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
 */
import { createServer, type Server } from 'node:http';
import type { Logger } from '../lib/log.ts';
import type { HealthCheck } from './plan.ts';

interface Listening {
  check: HealthCheck;
  readonly server: Server;
}

export class HealthCheckPorts {
  readonly #log: Logger;
  readonly #byService = new Map<string, Listening>();

  readonly #isLive: () => boolean;

  /** @param isLive whether what endpoints are told of is in the kernel */
  constructor(log: Logger, signal: AbortSignal, isLive: () => boolean) {
    this.#log = log;
    this.#isLive = isLive;
    signal.addEventListener('abort', () => this.#closeAll(), { once: true });
  }

  /** @param check undefined: the service has none any more */
  set(service: string, check: HealthCheck | undefined): void {
    const known = this.#byService.get(service);
    if (known !== undefined && check !== undefined && known.check.port === check.port) {
      known.check = check;
      return;
    }
    if (known !== undefined) this.#close(service, known);
    if (check !== undefined) this.#open(service, check);
  }

  #open(service: string, check: HealthCheck): void {
    const server = createServer((_request, response) => {
      const { namespace, name, localEndpoints } = listening.check;
      const isLive = this.#isLive();
      const body = JSON.stringify({
        service: { namespace, name },
        localEndpoints,
        serviceProxyHealthy: isLive,
      });
      response.writeHead(isLive && localEndpoints > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(isLive ? localEndpoints : 0),
      });
      response.end(body);
    });
    const listening: Listening = { check, server };
    server.on('error', (err) =>
      this.#log.warn('the health check port of a service cannot be opened', { err, service }),
    );
    server.listen(check.port);
    this.#byService.set(service, listening);
  }

  #close(service: string, { server }: Listening): void {
    this.#byService.delete(service);
    server.close();
    server.closeAllConnections();
  }

  #closeAll(): void {
    for (const [service, listening] of [...this.#byService]) this.#close(service, listening);
  }
}
