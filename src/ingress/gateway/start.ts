/**
 * The gateway controller: waits until the Gateway API's definitions are there, and then serves the gateways of its
 * classes: opens their ports, and sends requests where their routes say.
 */

import { customResourceDefinitions } from '../../apis/apiextensions/customResourceDefinition.ts';
import { namespaces } from '../../apis/core/namespace.ts';
import { secrets } from '../../apis/core/secret.ts';
import { services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Client } from '../../client/client.ts';
import { Informers } from '../../client/informers.ts';
import { refKey } from '../../client/store.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { addressesOf } from '../endpoints.ts';
import { GatheredWork } from '../gatheredWork.ts';
import type { Certificate } from '../server.ts';
import type { Backends } from './decide.ts';
import {
  type Gateway,
  gatewayClasses,
  gateways,
  type HTTPRoute,
  httpRoutes,
  NEEDED,
  referenceGrants,
} from './kinds.ts';
import { attachRoute, type PlannedGateway, planGateway } from './plan.ts';
import { GatewayPorts } from './ports.ts';
import { conditionsOf, GATEWAY_CONTROLLER, gatewayStatus, routeParents } from './status.ts';

export interface GatewayOptions {
  readonly client: Client;
  /** where it listens */
  readonly address: string;
  /**
   * Makes the service of a gateway, or puts its ports right.
   * @param ports those of the gateway, each with the one on which this program listens
   */
  publish(gateway: Stored<Gateway>, service: string, ports: ReadonlyMap<number, number>): Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const BY_SERVICE = 'service';
/** The class that there is from the start. */
const CLASS = 'kubets';

/** Serves gateways as long as their definitions are there. Returns at once. */
export function startGatewayController(options: GatewayOptions): void {
  const log = options.log.child({ component: 'gateway' });
  const definitions = new Informers({ ...options, log }).of(customResourceDefinitions);
  let running: AbortController | undefined;
  const look = () => {
    const isThere = (name: string) =>
      definitions
        .get(undefined, name)
        ?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true;
    const all = NEEDED.every(isThere);
    if (all && running === undefined) {
      running = new AbortController();
      const signal = AbortSignal.any([options.signal, running.signal]);
      new Controller({ ...options, signal }, log).start();
    } else if (!all && running !== undefined) {
      running.abort(new Error('the definitions of the Gateway API are gone'));
      running = undefined;
    }
  };
  definitions.handle({ onAdd: look, onUpdate: look, onDelete: look });
}

class Controller {
  readonly #o: GatewayOptions;
  readonly #log: Logger;
  readonly #informers: Informers;
  /** by uid of the gateway */
  readonly #ports = new Map<string, GatewayPorts>();
  readonly #certificates = new Map<string, { readonly version: string; readonly certificate: Certificate }>();
  readonly #work: GatheredWork;

  /** @param options whose signal ends everything that is begun here */
  constructor(options: GatewayOptions, log: Logger) {
    this.#o = options;
    this.#informers = new Informers({ ...options, log });
    this.#log = log;
    this.#work = new GatheredWork({
      ...options,
      log: this.#log,
      what: 'gateways could not be served',
      work: () => this.#sync(),
    });
  }

  start(): void {
    const soon = () => this.#work.soon();
    const handler = { onAdd: soon, onUpdate: soon, onDelete: soon };
    this.#informers.of(endpointSlices).addIndex(BY_SERVICE, ({ metadata: { labels, namespace } }) => {
      const name = labels?.[SERVICE_NAME];
      return name === undefined ? [] : [refKey(namespace, name)];
    });
    for (const kind of [gatewayClasses, gateways, httpRoutes, referenceGrants, services, namespaces]) {
      this.#informers.of<KubeObject>(kind as Kind).handle(handler);
    }
    this.#informers.of(secrets, { fieldSelector: 'type=kubernetes.io/tls' }).handle(handler);
    this.#o.signal.addEventListener('abort', () => void this.#closeAll(), { once: true });
    this.#o.client
      .create(gatewayClasses, { metadata: { name: CLASS }, spec: { controllerName: GATEWAY_CONTROLLER } })
      .catch((err: unknown) => {
        if (!isApiError(err, 'AlreadyExists')) this.#log.warn('the gateway class could not be made', { err });
      });
  }

  #closeAll(): void {
    for (const ports of this.#ports.values()) void ports.close();
  }

  async #sync(): Promise<void> {
    const informers = this.#informers;
    const kinds = [gatewayClasses, gateways, httpRoutes, referenceGrants, services, namespaces, endpointSlices];
    await Promise.all(kinds.map((kind) => informers.of(kind as Kind).synced));
    await informers.of(secrets, { fieldSelector: 'type=kubernetes.io/tls' }).synced;
    const classes = informers
      .of(gatewayClasses)
      .list()
      .filter(({ spec }) => spec.controllerName === GATEWAY_CONTROLLER);
    const names = new Set(classes.map(({ metadata }) => metadata.name));
    const mine = informers
      .of(gateways)
      .list()
      .filter(({ spec }) => names.has(spec.gatewayClassName));
    const backends = this.#backends();
    const planned = mine.map((gateway) => ({ stored: gateway, plan: planGateway(gateway, backends) }));
    const plans = planned.map(({ plan }) => plan);
    const routes = informers
      .of(httpRoutes)
      .list()
      .map((route) => ({ route, parents: attachRoute(route, plans, backends) }));
    await this.#open(planned, backends);
    const now = this.#o.clock.now();
    await Promise.all([
      ...classes.map((one) => {
        const { conditions: before } = one.status ?? {};
        const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };
        const conditions = conditionsOf([accepted], before, one.metadata.generation, now);
        const others = (before ?? []).filter(({ type }) => type !== 'Accepted');
        return this.#tell(gatewayClasses, one, { conditions: [...others, ...conditions] });
      }),
      ...planned.map(({ stored, plan }) =>
        this.#tell(gateways, stored, gatewayStatus(plan, this.#addressesOf(stored), now)),
      ),
      ...routes.flatMap(({ route, parents }) => {
        const told = routeParents(route, parents, now);
        return told.length === 0 && route.status?.parents === undefined
          ? []
          : [this.#tell<HTTPRoute>(httpRoutes, route, { parents: told })];
      }),
    ]);
  }

  /** Opens the ports of gateways, and closes those that nobody wants any more. */
  async #open(
    planned: readonly { readonly stored: Stored<Gateway>; readonly plan: PlannedGateway }[],
    backends: Backends,
  ): Promise<void> {
    const wanted = new Set(planned.map(({ stored }) => stored.metadata.uid));
    for (const [uid, ports] of this.#ports) {
      if (wanted.has(uid)) continue;
      this.#ports.delete(uid);
      await ports.close();
    }
    for (const { stored, plan } of planned) {
      const { uid } = stored.metadata;
      const ports = this.#ports.get(uid) ?? new GatewayPorts({ ...this.#o, log: this.#log, backends });
      this.#ports.set(uid, ports);
      await ports.serve(plan.listeners.filter(({ serves }) => serves));
      if (this.#o.signal.aborted) await ports.close();
      else if (ports.isNew) await this.#o.publish(stored, serviceName(stored), ports.published());
    }
  }

  #addressesOf(gateway: Stored<Gateway>): string[] {
    const service = this.#informers.of(services).get(gateway.metadata.namespace, serviceName(gateway));
    return (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  }

  #backends(): Backends {
    const informers = this.#informers;
    const known = informers.of(services);
    const slices = informers.of(endpointSlices);
    return {
      // Later requests see what is there then.
      get grants() {
        return informers.of(referenceGrants).list();
      },
      labelsOf: (name) => informers.of(namespaces).get(undefined, name)?.metadata.labels ?? {},
      service: (namespace, name) => known.get(namespace, name),
      certificate: (namespace, name) => this.#certificate(namespace, name),
      addresses(namespace, name, port) {
        const service = known.get(namespace, name);
        return service === undefined
          ? []
          : addressesOf(service, slices.byIndex(BY_SERVICE, refKey(namespace, name)), port);
      },
    };
  }

  /** The same value as long as the secret stays the same. */
  #certificate(namespace: string, name: string): Certificate | undefined {
    const secret = this.#informers.of(secrets, { fieldSelector: 'type=kubernetes.io/tls' }).get(namespace, name);
    const { 'tls.crt': cert, 'tls.key': key } = secret?.data ?? {};
    if (secret === undefined || cert === undefined || key === undefined) return undefined;
    const { uid, resourceVersion: version } = secret.metadata;
    const before = this.#certificates.get(uid);
    if (before?.version === version) return before.certificate;
    const certificate = { cert: textOf(cert), key: textOf(key) };
    this.#certificates.set(uid, { version, certificate });
    return certificate;
  }

  async #tell<T extends KubeObject & { status?: object }>(
    kind: Kind<T>,
    object: Stored<T>,
    status: object,
  ): Promise<void> {
    const before = object.status as Record<string, unknown> | undefined;
    if (Object.entries(status).every(([name, value]) => jsonEqual(before?.[name], value))) return;
    const { namespace, name } = object.metadata;
    const ref = namespace === undefined ? { name } : { namespace, name };
    try {
      await this.#o.client.patch(kind, ref, 'merge', { status }, { subresource: 'status' });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
}

/** Gateways of a class and services have names of their own. */
const serviceName = ({ metadata, spec }: Stored<Gateway>) => `${metadata.name}-${spec.gatewayClassName}`;

const textOf = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
