/**
 * The service `kubernetes` in the namespace default, through which pods reach the API server, and its
 * endpoints: made at the start, and put right whenever somebody changes them.
 */
import { type Endpoints, endpoints } from '../../apis/core/endpoints.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatIp, parseIpRange } from '../admission/ipRange.ts';
import type { Registry } from '../registry/registry.ts';

const NAMESPACE = 'default';
const NAME = 'kubernetes';
const SERVICE_PORT = 443;
/** How long after a change it is looked at; and how long after a failure it is tried again. */
const SETTLE_MS = 1_000;
const RETRY_MS = 10_000;

export interface KubernetesServiceOptions {
  readonly registry: Registry;
  /** as an administrator */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly serviceCIDR: string;
  /** of this API server, as pods see it; not a loopback address */
  readonly address: string;
  readonly port: number;
}

export class KubernetesService {
  readonly #options: KubernetesServiceOptions;
  readonly #unlisten: (() => void)[] = [];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: KubernetesServiceOptions) {
    this.#options = options;
  }

  /** Resolves when the service and its endpoints are right. @throws ApiError */
  async start(): Promise<void> {
    const { registry } = this.#options;
    await registry.cache(services).start();
    await this.#ensure();
    for (const kind of [services, endpoints, endpointSlices] as unknown as Kind[]) this.#watch(registry, kind);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const unlisten of this.#unlisten) unlisten();
  }

  #watch(registry: Registry, kind: Kind): void {
    const cache = registry.cache(kind);
    const key = cache.keyOf(NAMESPACE, NAME);
    const unlisten = cache.listen({
      onEvent: ({ entry }) => {
        if (entry.key === key) this.#later(SETTLE_MS);
      },
      onEnd: () => {
        if (!this.#stopped) this.#options.clock.after(SETTLE_MS, () => this.#stopped || this.#watch(registry, kind));
      },
    });
    this.#unlisten.push(unlisten);
  }

  #later(ms: number): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#ensure().catch((err: unknown) => {
        if (this.#stopped) return;
        this.#options.log.warn('cannot put the service kubernetes right', { err });
        this.#later(RETRY_MS);
      });
    });
  }

  async #ensure(): Promise<void> {
    const { address, port, serviceCIDR } = this.#options;
    const found = this.#options.registry.cache(services).object(NAMESPACE, NAME);
    // An address cannot be changed: a service from before the range changed keeps its own.
    const clusterIP = found?.spec?.clusterIP || formatIp(parseIpRange(serviceCIDR).first);
    await this.#apply(services, wantedService(clusterIP, port), serviceIsRight);
    await this.#apply(endpoints, wantedEndpoints(address, port), sameFields('subsets'));
    await this.#apply(endpointSlices, wantedSlice(address, port), sameFields('endpoints', 'ports', 'addressType'));
  }

  async #apply<T extends KubeObject>(
    kind: Kind<T>,
    wanted: T,
    isRight: (found: Stored<T>, wanted: T) => boolean,
  ): Promise<void> {
    const { registry, client } = this.#options;
    const cache = registry.cache(kind);
    await cache.freshen();
    const found = cache.object(NAMESPACE, NAME);
    try {
      if (found === undefined) await client.create(kind, wanted);
      else if (!isRight(found, wanted)) {
        await client.update(kind, { ...wanted, metadata: { ...found.metadata, ...wanted.metadata } });
      }
    } catch (e) {
      // Somebody else was faster; the change is seen, and looked at again.
      if (!isApiError(e, 'AlreadyExists') && !isApiError(e, 'Conflict')) throw e;
    }
  }
}

const metadata = (labels: Record<string, string>) => ({ namespace: NAMESPACE, name: NAME, labels });

function wantedService(clusterIP: string, targetPort: number): Service {
  return {
    metadata: metadata({ component: 'apiserver', provider: 'kubernetes' }),
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: SERVICE_PORT, targetPort }],
    },
  };
}

function serviceIsRight(found: Stored<Service>, wanted: Service): boolean {
  const { type, ports, selector } = found.spec ?? {};
  return type === wanted.spec?.type && selector === undefined && same(ports, wanted.spec?.ports);
}

function wantedEndpoints(ip: string, port: number): Endpoints {
  return {
    // The slice below is written here: nobody needs to make one of these endpoints.
    metadata: metadata({ 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
    subsets: [{ addresses: [{ ip }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

function wantedSlice(ip: string, port: number): EndpointSlice {
  return {
    metadata: metadata({ 'kubernetes.io/service-name': NAME }),
    addressType: 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}

function sameFields<T extends KubeObject>(...fields: (keyof T)[]): (found: Stored<T>, wanted: T) => boolean {
  return (found, wanted) =>
    fields.every((f) => same((found as T)[f], wanted[f])) &&
    Object.entries(wanted.metadata?.labels ?? {}).every(([k, v]) => found.metadata.labels?.[k] === v);
}

/** Equal whatever the order of their fields. */
function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, v: unknown) =>
      typeof v === 'object' && v !== null && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1)))
        : v,
    ) ?? ''
  );
}
