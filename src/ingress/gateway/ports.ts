/** The open ports of one gateway. */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Asked } from '../decision.ts';
import { type IngressServer, startPlainServer, startSecureServer } from '../server.ts';
import { type Backends, PortRoutes } from './decide.ts';
import type { PlannedListener } from './plan.ts';

interface PortsOptions {
  /** where it listens */
  readonly address: string;
  readonly backends: Backends;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Open {
  readonly server: IngressServer;
  readonly protocol: 'http' | 'https';
  routes: PortRoutes;
}

export class GatewayPorts {
  readonly #o: PortsOptions;
  /** by the gateway's port */
  readonly #open = new Map<number, Open>();
  #published: string | undefined;

  constructor(options: PortsOptions) {
    this.#o = options;
  }

  /** Brings the ports to what the listeners want. @param listeners of one port all of one protocol */
  async serve(listeners: readonly PlannedListener[]): Promise<void> {
    const byPort = Map.groupBy(listeners, ({ listener }) => listener.port);
    for (const [port, open] of this.#open) {
      if (byPort.get(port)?.[0]?.protocol === open.protocol) continue;
      this.#open.delete(port);
      await open.server.close();
    }
    for (const [port, own] of byPort) {
      const routes = new PortRoutes(port, own);
      const open = this.#open.get(port);
      if (open === undefined) await this.#start(port, own[0]?.protocol ?? 'http', routes);
      else open.routes = routes;
    }
  }

  /** Whether other ports are open than were told of last. */
  get isNew(): boolean {
    return this.#published !== this.#text();
  }

  /** The gateway's ports, each with the one that is open for it; from now on they are told of. */
  published(): ReadonlyMap<number, number> {
    this.#published = this.#text();
    return new Map([...this.#open].map(([port, { server }]) => [port, server.port]));
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(({ server }) => server.close()));
  }

  async #start(port: number, protocol: 'http' | 'https', routes: PortRoutes): Promise<void> {
    const { backends, random } = this.#o;
    const routesNow = () => this.#open.get(port)?.routes ?? routes;
    const options = { ...this.#o, route: (asked: Asked) => routesNow().decide(asked, backends, random) };
    const server =
      protocol === 'http'
        ? await startPlainServer(options)
        : await startSecureServer({ ...options, certificate: (name) => routesNow().certificate(name) });
    this.#open.set(port, { server, protocol, routes });
  }

  #text(): string {
    return [...this.#open].map(([port, { server }]) => `${port}:${server.port}`).join();
  }
}
