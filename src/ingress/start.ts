/** The ingress controller: opens its ports when there is the first ingress of its class, and follows them all. */

import { secrets } from '../apis/core/secret.ts';
import { type Service, services } from '../apis/core/service.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import { type Ingress, ingresses } from '../apis/networking/ingress.ts';
import { ingressClasses } from '../apis/networking/ingressClass.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import { refKey } from '../client/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import type { Stored } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { addressesOf } from './endpoints.ts';
import { GatheredWork } from './gatheredWork.ts';
import { Routes } from './routes.ts';
import {
  type Certificate,
  type IngressServer,
  type IngressServerOptions,
  startPlainServer,
  startSecureServer,
} from './server.ts';

/** As classes name it. */
export const INGRESS_CONTROLLER = 'kubets.io/ingress';

export interface IngressOptions {
  readonly client: Client;
  /** where it listens */
  readonly address: string;
  /** The service under which it is reached; its addresses are told in the status of ingresses. */
  readonly service: { readonly namespace: string; readonly name: string };
  /** The ports are open: makes the service. */
  opened(ports: { readonly http: number; readonly https: number }): Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const BY_SERVICE = 'service';

/** Returns at once. */
export function startIngressController(options: IngressOptions): void {
  const controller = new Controller(options);
  controller.start();
}

class Controller {
  readonly #o: IngressOptions;
  readonly #log: Logger;
  readonly #informers: Informers;
  #routes = new Routes([]);
  #mine: readonly Stored<Ingress>[] = [];
  #certificates: (serverName: string) => Certificate | undefined = () => undefined;
  #servers: readonly IngressServer[] = [];
  readonly #work: GatheredWork;

  constructor(options: IngressOptions) {
    this.#o = options;
    this.#log = options.log.child({ component: 'ingress' });
    this.#informers = new Informers({ ...options, log: this.#log });
    this.#work = new GatheredWork({
      ...options,
      log: this.#log,
      what: 'ingresses could not be served',
      work: () => this.#sync(),
    });
  }

  start(): void {
    const soon = () => this.#work.soon();
    const handler = { onAdd: soon, onUpdate: soon, onDelete: soon };
    for (const kind of [ingresses, ingressClasses]) this.#informers.of<object>(kind as never).handle(handler);
    this.#o.signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  #close(): void {
    for (const server of this.#servers) void server.close();
  }

  async #sync(): Promise<void> {
    const classes = this.#informers.of(ingressClasses);
    const all = this.#informers.of(ingresses);
    await Promise.all([classes.synced, all.synced]);
    const names = new Set(
      classes
        .list()
        .filter(({ spec }) => spec?.controller === INGRESS_CONTROLLER)
        .map(({ metadata }) => metadata.name),
    );
    this.#mine = all
      .list()
      .filter(({ spec, metadata }) =>
        names.has(spec?.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION] ?? ''),
      );
    if (this.#mine.length > 0 && this.#servers.length === 0) await this.#open();
    this.#routes = new Routes(this.#mine);
    this.#certificates = this.#certificatesOf(this.#mine);
    await Promise.all(this.#mine.map((ingress) => this.#tell(ingress)));
  }

  /** From now on services, endpoints and certificates matter, too. */
  async #open(): Promise<void> {
    const { address, clock, random, signal, opened, service } = this.#o;
    const slices = this.#informers.of(endpointSlices);
    slices.addIndex(BY_SERVICE, ({ metadata: { labels, namespace } }) => {
      const name = labels?.[SERVICE_NAME];
      return name === undefined ? [] : [refKey(namespace, name)];
    });
    const known = this.#informers.of(services);
    const certificates = this.#informers.of(secrets, { fieldSelector: 'type=kubernetes.io/tls' });
    await Promise.all([slices.synced, known.synced, certificates.synced]);
    const options: IngressServerOptions = {
      address,
      clock,
      random,
      log: this.#log,
      route: ({ host, url }) => {
        const target = this.#routes.find(host, url);
        if (target === undefined) return { to: 'refuse', status: 404 };
        const found = known.get(target.namespace, target.service);
        const key = refKey(target.namespace, target.service);
        const addresses = found === undefined ? [] : addressesOf(found, slices.byIndex(BY_SERVICE, key), target.port);
        return { to: 'backends', addresses };
      },
    };
    const [plain, secure] = await Promise.all([
      startPlainServer(options),
      startSecureServer({ ...options, certificate: (name) => this.#certificates(name) }),
    ]);
    this.#servers = [plain, secure];
    if (signal.aborted) this.#close();
    await opened({ http: plain.port, https: secure.port });
    const isOwn = ({ metadata }: Stored<Service>) =>
      metadata.name === service.name && metadata.namespace === service.namespace;
    known.handle({ onAdd: (s) => isOwn(s) && this.#work.soon(), onUpdate: (s) => isOwn(s) && this.#work.soon() });
    certificates.handle({
      onAdd: () => this.#work.soon(),
      onUpdate: () => this.#work.soon(),
      onDelete: () => this.#work.soon(),
    });
  }

  /** By exact names first, then by wildcards; what names no host takes all that is left. */
  #certificatesOf(mine: readonly Stored<Ingress>[]): (serverName: string) => Certificate | undefined {
    const found = new Map<string, Certificate>();
    for (const { metadata, spec } of mine) {
      for (const { hosts = [], secretName = '' } of spec?.tls ?? []) {
        const secret = this.#informers
          .of(secrets, { fieldSelector: 'type=kubernetes.io/tls' })
          .get(metadata.namespace, secretName);
        const { 'tls.crt': cert, 'tls.key': key } = secret?.data ?? {};
        if (cert === undefined || key === undefined) continue;
        const decoded = { cert: textOf(cert), key: textOf(key) };
        for (const host of hosts.length === 0 ? [''] : hosts)
          if (!found.has(host)) found.set(host.toLowerCase(), decoded);
      }
    }
    return (serverName) => {
      const name = serverName.toLowerCase();
      return found.get(name) ?? found.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`) ?? found.get('');
    };
  }

  /** Where the ingress is reached. */
  async #tell(ingress: Stored<Ingress>): Promise<void> {
    const { service, client } = this.#o;
    const told = this.#informers.of(services).get(service.namespace, service.name)?.status?.loadBalancer?.ingress ?? [];
    const reached = told.map(({ ip, hostname }) => ({ ...(ip ? { ip } : {}), ...(hostname ? { hostname } : {}) }));
    if (jsonEqual(ingress.status?.loadBalancer?.ingress ?? [], reached)) return;
    const { namespace, name } = ingress.metadata;
    const ref = namespace === undefined ? { name } : { namespace, name };
    const patch = { status: { loadBalancer: { ingress: reached } } };
    try {
      await client.patch(ingresses, ref, 'merge', patch, { subresource: 'status' });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
}

const textOf = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
