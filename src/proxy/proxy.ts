/**
 * The proxy of a node: keeps the kernel's rules as the services and endpoints of the API want them.
 * It observes services, slices and its node; plans service by service (`plan.ts`, `objects.ts`); and writes the
 * difference (`table.ts`) in one transaction.
 */
import { type Node, nodes } from '../apis/core/node.ts';
import { services } from '../apis/core/service.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import { refKey } from '../client/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Stored } from '../machinery/kind.ts';
import { forgetConnections } from './conntrack.ts';
import { ProxyHealth, serveProxyHealth } from './health.ts';
import { HealthCheckPorts } from './healthCheck.ts';
import { PROXY_MODES, type ProxyMode, rulesFor } from './modes.ts';
import { planService, type ServicePlan, type ServicePort } from './plan.ts';
import type { RuleOptions, Rules } from './rules.ts';

export interface ProxyOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly mode: ProxyMode;
  readonly rules: RuleOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends the proxy; the rules stay, so that connections go on */
  readonly signal: AbortSignal;
}

/** Changes that come together are written together. */
const GATHER_MS = 10;
const RETRY_MS = 1_000;
const SERVICE_NAME = 'kubernetes.io/service-name';
const BY_SERVICE = 'service';
const ZONE = 'topology.kubernetes.io/zone';
/** Where kube-proxy answers, too. */
const HEALTH_PORT = 10_256;
const STATUS_PORT = 10_249;

/** Resolves when the first rules are in the kernel. */
export async function startProxy(options: ProxyOptions): Promise<void> {
  const { client, clock, random, signal, nodeName } = options;
  const log = options.log.child({ component: 'proxy' });
  const informers = new Informers({ client, clock, random, log, signal });
  const serviceInformer = informers.of(services);
  const sliceInformer = informers.of(endpointSlices);
  const nodeInformer = informers.of(nodes, { fieldSelector: `metadata.name=${nodeName}` });
  sliceInformer.addIndex(BY_SERVICE, ({ metadata: { labels, namespace } }) => {
    const name = labels?.[SERVICE_NAME];
    return name === undefined ? [] : [refKey(namespace, name)];
  });
  const zone = () => nodeInformer.get(undefined, nodeName)?.metadata.labels?.[ZONE];
  const plan = (key: string): ServicePlan | undefined => {
    const service = serviceInformer.byKey(key);
    return service && planService(service, sliceInformer.byIndex(BY_SERVICE, key), { nodeName, zone: zone() });
  };
  const health = new ProxyHealth(clock);
  const writer = new Writer(options, log, plan, await rulesFor(options.mode, options.rules), health);
  const changed = ({ metadata }: Stored<object>) => writer.changed(refKey(metadata.namespace, metadata.name));
  const ofSlice = ({ metadata: { labels, namespace } }: Stored<object>) => {
    const name = labels?.[SERVICE_NAME];
    if (name !== undefined) writer.changed(refKey(namespace, name));
  };
  await Promise.all([
    serviceInformer.synced,
    sliceInformer.synced,
    nodeInformer.synced,
    // It may have been another mode before.
    removeRules(options.rules.table, options.mode),
  ]);
  serviceInformer.handle({ onAdd: changed, onUpdate: changed, onDelete: changed });
  sliceInformer.handle({
    onAdd: ofSlice,
    onUpdate(slice, old) {
      ofSlice(old);
      ofSlice(slice);
    },
    onDelete: ofSlice,
  });
  let lastZone = zone();
  const lookAtNode = (node: Stored<Node>) => {
    health.sawNode(node);
    if (zone() === lastZone) return;
    lastZone = zone();
    for (const service of serviceInformer.list()) changed(service);
  };
  nodeInformer.handle({ onAdd: lookAtNode, onUpdate: lookAtNode });
  await writer.write();
  const ports = { healthPort: HEALTH_PORT, statusPort: STATUS_PORT };
  await serveProxyHealth({ health, mode: options.mode, ...ports, log, signal });
}

class Writer {
  readonly #o: ProxyOptions;
  readonly #log: Logger;
  readonly #plan: (key: string) => ServicePlan | undefined;
  readonly #rules: Rules;
  readonly #plans = new Map<string, ServicePlan>();
  readonly #healthChecks: HealthCheckPorts;
  readonly #health: ProxyHealth;
  readonly #changed = new Set<string>();
  /** The kernel's table is not what this one thinks it is. */
  #stale = true;
  #due = false;
  #work: Promise<void> = Promise.resolve();

  constructor(
    options: ProxyOptions,
    log: Logger,
    plan: (key: string) => ServicePlan | undefined,
    rules: Rules,
    health: ProxyHealth,
  ) {
    this.#o = options;
    this.#log = log;
    this.#plan = plan;
    this.#rules = rules;
    this.#health = health;
    this.#healthChecks = new HealthCheckPorts(log, options.signal, () => health.isLive);
  }

  changed(key: string): void {
    this.#changed.add(key);
    this.#health.changed();
    this.#soon(GATHER_MS);
  }

  #soon(ms: number): void {
    if (this.#due) return;
    this.#due = true;
    this.#o.clock.after(ms, () => {
      this.#due = false;
      void this.write();
    });
  }

  /** Resolves when everything that has changed until now is in the kernel, or is to be tried again. */
  write(): Promise<void> {
    this.#work = this.#work.then(() => this.#write());
    return this.#work;
  }

  async #write(): Promise<void> {
    if (this.#o.signal.aborted) return;
    const changes = new Map<string, readonly ServicePort[] | undefined>();
    const before: ServicePlan[] = [];
    const after: ServicePlan[] = [];
    for (const key of this.#changed) {
      const plan = this.#plan(key);
      const old = this.#plans.get(key);
      if (old !== undefined) before.push(old);
      if (plan === undefined) this.#plans.delete(key);
      else {
        this.#plans.set(key, plan);
        after.push(plan);
      }
      changes.set(key, plan?.ports);
      this.#healthChecks.set(key, plan?.healthCheck);
    }
    this.#changed.clear();
    const difference = this.#rules.change(changes);
    if (difference === '' && !this.#stale) {
      this.#health.written();
      return;
    }
    try {
      await (this.#stale ? this.#rules.replaceAll() : this.#rules.apply(difference));
      this.#stale = false;
      // Changes that came meanwhile wait from now on.
      this.#health.written();
      if (this.#changed.size > 0) this.#health.changed();
    } catch (error) {
      this.#log.error('the rules could not be written; the whole table is tried again', { err: error });
      this.#stale = true;
      this.#soon(RETRY_MS);
    }
    await forgetConnections(before, after).catch((error: unknown) =>
      this.#log.warn('connections to endpoints that are gone could not be forgotten', { err: error }),
    );
  }
}

/** Takes a cluster's rules out of the kernel, whatever mode made them. */
export async function removeRules(table: string, except?: ProxyMode): Promise<void> {
  const ranges = { podCIDR: '', serviceCIDR: '' };
  const options = { table, ...ranges, v6: ranges };
  await Promise.allSettled(
    PROXY_MODES.filter((mode) => mode !== except).map(async (mode) => (await rulesFor(mode, options)).remove()),
  );
}
