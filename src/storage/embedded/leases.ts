/** Leases: keys that go when nobody keeps them alive. */
import type { Clock, Timer } from '../../lib/clock.ts';
import { type LeaseId, LeaseNotFoundError } from '../storage.ts';

interface Lease {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
  expiresAt: number;
  timer: Timer;
}

export class Leases {
  readonly #clock: Clock;
  readonly #onExpire: (id: LeaseId) => void;
  readonly #leases = new Map<LeaseId, Lease>();

  /** @param onExpire is to revoke the lease */
  constructor(clock: Clock, onExpire: (id: LeaseId) => void) {
    this.#clock = clock;
    this.#onExpire = onExpire;
  }

  /** Adds a lease with its whole time ahead of it. */
  add(id: LeaseId, ttlSeconds: number): void {
    const lease = { id, ttlSeconds, keys: new Set<string>(), expiresAt: 0, timer: { cancel() {} } };
    this.#leases.set(id, lease);
    this.#arm(lease);
  }

  /** @throws LeaseNotFoundError */
  keepAlive(id: LeaseId): number {
    const lease = this.get(id);
    this.#arm(lease);
    return lease.ttlSeconds;
  }

  /** @throws LeaseNotFoundError */
  get(id: LeaseId): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new LeaseNotFoundError(`lease ${id} is not there`);
    return lease;
  }

  remove(id: LeaseId): void {
    this.#leases.get(id)?.timer.cancel();
    this.#leases.delete(id);
  }

  /** A key was written under `lease` (0: under none) and was under `before`. */
  attach(key: string, lease: LeaseId, before: LeaseId): void {
    if (before !== 0 && before !== lease) this.#leases.get(before)?.keys.delete(key);
    if (lease !== 0) this.#leases.get(lease)?.keys.add(key);
  }

  stop(): void {
    for (const lease of this.#leases.values()) lease.timer.cancel();
    this.#leases.clear();
  }

  #arm(lease: Lease): void {
    lease.timer.cancel();
    lease.expiresAt = this.#clock.now() + lease.ttlSeconds * 1000;
    lease.timer = this.#clock.after(lease.ttlSeconds * 1000, () => this.#onExpire(lease.id));
  }
}
