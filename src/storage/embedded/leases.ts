/** Leases: keys that go when nobody keeps them alive. */
import type { Clock, Timer } from '../../lib/clock.ts';
import { type LeaseId, LeaseNotFoundError } from '../storage.ts';

interface Lease {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
  readonly keys: Set<string>;
  /** by the clock's monotonic time */
  expiresAt: number;
  timer: Timer | undefined;
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
    const lease: Lease = { id, ttlSeconds, keys: new Set(), expiresAt: 0, timer: undefined };
    this.#leases.set(id, lease);
    this.#renew(lease);
  }

  /** Gives the lease its whole time again; returns that in seconds. @throws LeaseNotFoundError */
  keepAlive(id: LeaseId): number {
    const lease = this.#get(id);
    this.#renew(lease);
    return lease.ttlSeconds;
  }

  /** @throws LeaseNotFoundError */
  assertThere(id: LeaseId): void {
    this.#get(id);
  }

  /** @throws LeaseNotFoundError */
  keysOf(id: LeaseId): readonly string[] {
    return [...this.#get(id).keys];
  }

  remove(id: LeaseId): void {
    this.#leases.get(id)?.timer?.cancel();
    this.#leases.delete(id);
  }

  /** A key is now under lease `now` and was under `before`; 0 is none. */
  attach(key: string, now: LeaseId, before: LeaseId): void {
    if (before !== 0 && before !== now) this.#leases.get(before)?.keys.delete(key);
    if (now !== 0) this.#leases.get(now)?.keys.add(key);
  }

  stop(): void {
    for (const lease of this.#leases.values()) lease.timer?.cancel();
    this.#leases.clear();
  }

  #get(id: LeaseId): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new LeaseNotFoundError(`lease ${id} is not there`);
    return lease;
  }

  #renew(lease: Lease): void {
    lease.expiresAt = this.#clock.monotonic() + lease.ttlSeconds * 1000;
    // The timer that runs looks at the time again: keeping alive costs no timer.
    if (lease.timer === undefined) this.#arm(lease);
  }

  #arm(lease: Lease): void {
    lease.timer = this.#clock.after(lease.expiresAt - this.#clock.monotonic(), () => {
      lease.timer = undefined;
      if (this.#clock.monotonic() < lease.expiresAt) this.#arm(lease);
      else this.#onExpire(lease.id);
    });
  }
}
