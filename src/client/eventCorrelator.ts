/**
 * What becomes of an event: it is new, it is one more of the same, it joins others that are alike, or
 * there are too many and it is dropped. Memory is bounded: what was seen longest ago is forgotten.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
import type { ObjectReference } from '../apis/core/references.ts';

export interface Happening {
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** An event that was written: it is counted up instead of being written again. */
export interface Written {
  readonly name: string;
  readonly namespace: string;
  count: number;
}

export interface Correlated {
  /** Same key, same event. */
  readonly key: string;
  readonly message: string;
}

const REMEMBERED = 4096;
/** From so many different messages on within the interval, events that are alike become one. */
const ALIKE_BEFORE_JOINING = 10;
const ALIKE_INTERVAL_MS = 10 * 60_000;
/** For one object and component: so many at once, and one more each five minutes. */
const BURST = 25;
const REFILL_MS = 5 * 60_000;

interface Alike {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class EventCorrelator {
  readonly #written = new RecentMap<Written>();
  readonly #alike = new RecentMap<Alike>();
  readonly #buckets = new RecentMap<Bucket>();

  /** Undefined where the event must be dropped. @param nowMs since the epoch */
  correlate(happening: Happening, nowMs: number): Correlated | undefined {
    const { regarding, type, reason, message } = happening;
    const object = [
      regarding.kind,
      regarding.namespace,
      regarding.name,
      regarding.uid,
      regarding.apiVersion,
      regarding.fieldPath,
    ].join('\n');
    const group = [object, type, reason].join('\n');
    const joined = this.#joins(group, message, nowMs);
    const key = joined ? group : `${group}\n${message}`;
    if (!this.#takeToken(object, nowMs)) return undefined;
    return { key, message: joined ? `(combined from similar events): ${message}` : message };
  }

  written(key: string): Written | undefined {
    return this.#written.get(key);
  }

  /** @param event absent: forgets it */
  remember(key: string, event: Written | undefined): void {
    if (event === undefined) this.#written.delete(key);
    else this.#written.set(key, event);
  }

  #joins(group: string, message: string, nowMs: number): boolean {
    let alike = this.#alike.get(group);
    if (alike === undefined || nowMs - alike.lastMs > ALIKE_INTERVAL_MS) {
      alike = { messages: new Set(), lastMs: nowMs };
      this.#alike.set(group, alike);
    }
    alike.lastMs = nowMs;
    if (alike.messages.has(message)) return false;
    if (alike.messages.size >= ALIKE_BEFORE_JOINING - 1) return true;
    alike.messages.add(message);
    return false;
  }

  #takeToken(object: string, nowMs: number): boolean {
    let bucket = this.#buckets.get(object);
    if (bucket === undefined) {
      bucket = { tokens: BURST, atMs: nowMs };
      this.#buckets.set(object, bucket);
    }
    bucket.tokens = Math.min(BURST, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / REFILL_MS);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** The values that were used last. */
class RecentMap<V> {
  readonly #values = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) {
      this.#values.delete(key);
      this.#values.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= REMEMBERED) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}
