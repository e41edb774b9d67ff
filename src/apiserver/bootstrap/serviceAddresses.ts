/**
 * Every address of a service has its IPAddress object, named by the address: made when the service is stored, put
 * right when somebody changes it, and removed with the service. A write of a service does not wait for it.
 * Source: https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
 */
import { type Service, services } from '../../apis/core/service.ts';
import { canonicalAddress } from '../../apis/networking/cidr.ts';
import { type IPAddress, ipAddresses } from '../../apis/networking/ipAddress.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';

const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const FAMILY = 'ipaddress.kubernetes.io/ip-family';
const ALLOCATOR = 'ipallocator';
/** Objects that are written side by side. */
const AT_ONCE = 32;
const RETRY_MS = 1_000;

export interface ServiceAddressesOptions {
  readonly registry: Registry;
  /** as an administrator */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export class ServiceAddresses {
  readonly #options: ServiceAddressesOptions;
  readonly #services: WatchCache<Service>;
  readonly #objects: WatchCache<IPAddress>;
  /** who has an address */
  readonly #holders = new Map<string, Stored<Service>>();
  /** addresses to look at */
  readonly #pending = new Set<string>();
  #unlisten: (() => void)[] = [];
  #working: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ServiceAddressesOptions) {
    this.#options = options;
    this.#services = options.registry.cache(services);
    this.#objects = options.registry.cache(ipAddresses);
  }

  /** Resolves when every address has its object. */
  async start(): Promise<void> {
    await Promise.all([this.#services.start(), this.#objects.start()]);
    if (this.#stopped) return;
    this.#holders.clear();
    for (const service of this.#services.objects()) this.#hold(service);
    for (const object of this.#objects.objects()) this.#pending.add(object.metadata.name);
    this.#listen();
    await this.idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const unlisten of this.#unlisten) unlisten();
  }

  /** Resolves when what is known now is done. */
  async idle(): Promise<void> {
    this.#work();
    await this.#working;
  }

  #listen(): void {
    for (const unlisten of this.#unlisten) unlisten();
    const onEnd = () => this.#later();
    this.#unlisten = [
      this.#services.listen({
        onEvent: ({ type, entry, previous }) => {
          if (previous !== undefined) this.#letGo(previous.object as Stored<Service>);
          if (type !== 'DELETED') this.#hold(entry.object as Stored<Service>);
          this.#work();
        },
        onEnd,
      }),
      this.#objects.listen({
        onEvent: ({ entry }) => {
          this.#pending.add(entry.object.metadata.name);
          this.#work();
        },
        onEnd,
      }),
    ];
  }

  #hold(service: Stored<Service>): void {
    for (const address of addressesOf(service)) {
      this.#holders.set(address, service);
      this.#pending.add(address);
    }
  }

  #letGo(service: Stored<Service>): void {
    for (const address of addressesOf(service)) {
      if (this.#holders.get(address)?.metadata.uid === service.metadata.uid) this.#holders.delete(address);
      this.#pending.add(address);
    }
  }

  /** Begins to work off what is pending, unless that is under way. */
  #work(): void {
    if (this.#working !== undefined || this.#stopped || this.#pending.size === 0) return;
    this.#working = this.#drain().finally(() => {
      this.#working = undefined;
      // What came while the last of it was written; after a failure the timer sees to that.
      if (this.#timer === undefined) this.#work();
    });
  }

  async #drain(): Promise<void> {
    while (this.#pending.size > 0 && !this.#stopped) {
      const batch = [...this.#pending].slice(0, AT_ONCE);
      for (const address of batch) this.#pending.delete(address);
      const failed = await Promise.all(batch.map((address) => this.#settle(address)));
      if (failed.includes(true)) return this.#later();
    }
  }

  /** A start anew, after a while: a write failed, or a cache lost its place. */
  #later(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(RETRY_MS, () => {
      this.#timer = undefined;
      this.start().catch((err: unknown) => {
        if (this.#stopped) return;
        this.#options.log.warn('cannot follow the addresses of services', { err });
        this.#later();
      });
    });
  }

  /** Makes the object of an address what it should be. True where that failed. */
  async #settle(address: string): Promise<boolean> {
    const { client, log } = this.#options;
    const holder = this.#holders.get(address);
    const object = this.#objects.object(undefined, address);
    try {
      if (object !== undefined && isOurs(object) && (holder === undefined || !belongsTo(object, holder))) {
        await client.delete(ipAddresses, { name: address }, { preconditions: { uid: object.metadata.uid } });
        if (holder !== undefined) this.#pending.add(address);
      } else if (object === undefined && holder !== undefined) {
        await client.create(ipAddresses, objectOf(address, holder));
      }
      return false;
    } catch (err) {
      // Somebody was faster; that is an event of its own.
      if (isApiError(err, 'AlreadyExists') || isApiError(err, 'NotFound') || isApiError(err, 'Conflict')) return false;
      if (!this.#stopped) log.warn('cannot write the object of an address', { err, address });
      this.#pending.add(address);
      return true;
    }
  }
}

function addressesOf(service: Service): string[] {
  return (service.spec?.clusterIPs ?? []).map(canonicalAddress).filter((address) => address !== undefined);
}

const isOurs = (object: IPAddress) => object.metadata?.labels?.[MANAGED_BY] === ALLOCATOR;

function belongsTo(object: IPAddress, { metadata }: Stored<Service>): boolean {
  const { group, resource, namespace, name } = object.spec.parentRef;
  return !group && resource === 'services' && namespace === metadata.namespace && name === metadata.name;
}

function objectOf(address: string, { metadata }: Stored<Service>): IPAddress {
  return {
    metadata: {
      name: address,
      labels: { [FAMILY]: address.includes(':') ? 'IPv6' : 'IPv4', [MANAGED_BY]: ALLOCATOR },
    },
    spec: {
      parentRef: { group: '', resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name },
    },
  };
}
