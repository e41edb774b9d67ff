/**
 * The ranges that services get their addresses from: the default one is an object too, and others add to it. A range
 * is ready when addresses are chosen from it; one that is deleted stays until no address is held that only it has.
 * Source: https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
 */
import { type ServiceCIDR, serviceCIDRs } from '../../apis/networking/serviceCIDR.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { ServiceAllocation } from '../admission/serviceAllocation.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';

const DEFAULT_NAME = 'kubernetes';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const READY = 'Ready';
const IN_USE =
  'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
const RETRY_MS = 1_000;
/** How often a range that is deleted is looked at, while addresses of it are held. */
const HELD_MS = 1_000;

export interface ServiceCIDRsOptions {
  readonly registry: Registry;
  /** as an administrator */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly allocation: ServiceAllocation;
  /** what the cluster was made with, one of each of its families */
  readonly serviceRanges: readonly string[];
}

export class ServiceCIDRs {
  readonly #options: ServiceCIDRsOptions;
  readonly #cache: WatchCache<ServiceCIDR>;
  #unlisten: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: ServiceCIDRsOptions) {
    this.#options = options;
    this.#cache = options.registry.cache(serviceCIDRs);
  }

  /** Resolves when the default range is there and ready. @throws ApiError */
  async start(): Promise<void> {
    await this.#cache.start();
    if (this.#stopped) return;
    this.#unlisten?.();
    this.#unlisten = this.#cache.listen({
      onEvent: () => {
        // At once: an address must not be chosen from a range that is being deleted.
        this.#offer();
        this.#work();
      },
      onEnd: () => this.#later(RETRY_MS),
    });
    await this.#reconcile();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#unlisten?.();
  }

  /** Tells the allocation from which ranges to choose. */
  #offer(): void {
    const ready = this.#cache.objects().filter((range) => isReady(range) && !isDeleted(range));
    this.#options.allocation.setRanges(ready.flatMap((range) => range.spec?.cidrs ?? []));
  }

  #work(): void {
    if (this.#working !== undefined) {
      this.#again = true;
      return;
    }
    this.#working = this.#reconcile()
      .catch((err: unknown) => {
        if (this.#stopped) return;
        this.#options.log.warn('cannot put the ranges of services right', { err });
        this.#later(RETRY_MS);
      })
      .finally(() => {
        this.#working = undefined;
        const again = this.#again && !this.#stopped;
        this.#again = false;
        if (again) this.#work();
      });
  }

  #later(ms: number): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.start().catch((err: unknown) => {
        if (this.#stopped) return;
        this.#options.log.warn('cannot put the ranges of services right', { err });
        this.#later(RETRY_MS);
      });
    });
  }

  async #reconcile(): Promise<void> {
    const { client, serviceRanges } = this.#options;
    try {
      if (this.#cache.object(undefined, DEFAULT_NAME) === undefined) {
        await client.create(serviceCIDRs, {
          metadata: { name: DEFAULT_NAME, finalizers: [FINALIZER] },
          spec: { cidrs: [...serviceRanges] },
        });
      }
      for (const range of this.#cache.objects()) {
        if (isDeleted(range)) await this.#release(range);
        else await this.#prepare(range);
      }
    } catch (err) {
      // Somebody else was faster; the change is seen, and looked at again.
      if (!isApiError(err, 'Conflict') && !isApiError(err, 'AlreadyExists') && !isApiError(err, 'NotFound')) throw err;
    }
    this.#offer();
  }

  async #prepare(range: Stored<ServiceCIDR>): Promise<void> {
    const { client } = this.#options;
    let current = range;
    const finalizers = range.metadata.finalizers ?? [];
    if (!finalizers.includes(FINALIZER)) {
      const metadata = { ...range.metadata, finalizers: [...finalizers, FINALIZER] };
      current = await client.update(serviceCIDRs, { ...range, metadata });
    }
    if (isReady(current)) return;
    const which = range.metadata.name === DEFAULT_NAME ? 'default Service CIDR' : 'Service CIDR';
    await this.#setReady(current, 'True', '', `Kubernetes ${which} is ready`);
  }

  async #release(range: Stored<ServiceCIDR>): Promise<void> {
    const { client, allocation } = this.#options;
    if (!range.metadata.finalizers?.includes(FINALIZER)) return;
    const others = this.#cache.objects().filter((other) => other !== range && !isDeleted(other));
    const rest = others.flatMap((other) => other.spec?.cidrs ?? []);
    if ((range.spec?.cidrs ?? []).some((cidr) => allocation.isInUse(cidr, rest))) {
      if (isReady(range)) await this.#setReady(range, 'False', 'Terminating', IN_USE);
      this.#later(HELD_MS);
      return;
    }
    const finalizers = range.metadata.finalizers.filter((finalizer) => finalizer !== FINALIZER);
    await client.update(serviceCIDRs, { ...range, metadata: { ...range.metadata, finalizers } });
  }

  async #setReady(range: Stored<ServiceCIDR>, status: string, reason: string, message: string): Promise<void> {
    const { client, clock } = this.#options;
    const others = (range.status?.conditions ?? []).filter((condition) => condition.type !== READY);
    const condition = { type: READY, status, reason, message, lastTransitionTime: formatTime(clock.now()) };
    const next: ServiceCIDR = { ...range, status: { conditions: [...others, condition] } };
    await client.update(serviceCIDRs, next, { subresource: 'status' });
  }
}

const isDeleted = (range: ServiceCIDR) => range.metadata?.deletionTimestamp !== undefined;

const isReady = (range: ServiceCIDR) =>
  (range.status?.conditions ?? []).some((condition) => condition.type === READY && condition.status === 'True');
