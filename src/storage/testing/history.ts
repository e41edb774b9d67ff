/** A watch that records what it is told, and the checks of such a record. */
import { expect } from 'vitest';
import type {
  KeyRange,
  Revision,
  Storage,
  StorageEvent,
  StorageWatch,
  WatchHandlers,
  WatchRequest,
} from '../storage.ts';

type EndReason = Parameters<WatchHandlers['onEnd']>[0];

/** How long a watch may take to tell of what has happened. */
const PATIENCE_MS = 10_000;

export interface Batch {
  readonly events: readonly StorageEvent[];
  readonly revision: Revision;
}

export class Recorder {
  readonly batches: Batch[] = [];
  readonly progress: Revision[] = [];
  end: EndReason | undefined;
  readonly watch: StorageWatch;
  #waiting: (() => void)[] = [];

  constructor(storage: Storage, request: WatchRequest) {
    this.watch = storage.watch(request, {
      onEvents: (events, revision) => this.#note(() => this.batches.push({ events, revision })),
      onProgress: (revision) => this.#note(() => this.progress.push(revision)),
      onEnd: (reason) =>
        this.#note(() => {
          this.end = reason;
        }),
    });
  }

  get events(): StorageEvent[] {
    return this.batches.flatMap((b) => b.events);
  }

  /** `put a=1`, `delete a`, in the order in which they came. */
  get told(): string[] {
    return this.events.map(({ type, kv }) => (type === 'put' ? `put ${kv.key}=${kv.value}` : `delete ${kv.key}`));
  }

  /** Waits for a state of this record. */
  async until(holds: (recorder: Recorder) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!holds(this)) {
      await new Promise<void>((resolve, reject) => {
        deadline.addEventListener('abort', () => reject(new Error(`waited in vain; told: ${this.told.slice(-20)}`)));
        this.#waiting.push(resolve);
      });
    }
  }

  /** Waits until the watch has told of everything up to `revision`. */
  async reaches(revision: Revision): Promise<void> {
    const told = () => Math.max(0, ...this.progress, this.batches.at(-1)?.revision ?? 0);
    await this.until(() => told() >= revision);
  }

  #note(change: () => void): void {
    change();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const orderOf = (event: StorageEvent) => event.kv.modRevision;

/** Ordered: revisions never go back. */
export function expectOrdered(record: Recorder): void {
  const revisions = record.events.map(orderOf);
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  for (const batch of record.batches) {
    for (const event of batch.events) expect(orderOf(event)).toBeLessThanOrEqual(batch.revision);
  }
}

/** Unique: no event comes twice. */
export function expectUnique(record: Recorder): void {
  const all = record.events.map((e) => `${orderOf(e)} ${e.kv.key}`);
  expect(new Set(all).size).toBe(all.length);
}

/** Atomic: what one transaction did comes together. */
export function expectAtomic(record: Recorder): void {
  const batchOf = new Map<Revision, number>();
  for (const [i, batch] of record.batches.entries()) {
    for (const event of batch.events) {
      expect(batchOf.get(orderOf(event)) ?? i, `revision ${orderOf(event)} came in parts`).toBe(i);
      batchOf.set(orderOf(event), i);
    }
  }
}

/** Reliable: played back, the events give what the store holds in the range. */
export async function expectReliable(record: Recorder, storage: Storage, range: Required<KeyRange>): Promise<void> {
  const state = new Map<string, string>();
  for (const { type, kv } of record.events) {
    if (type === 'put') state.set(kv.key, kv.value.toString());
    else state.delete(kv.key);
  }
  const { kvs } = await storage.range(range);
  expect(Object.fromEntries([...state].sort())).toEqual(
    Object.fromEntries(kvs.map((kv) => [kv.key, kv.value.toString()] as const).sort()),
  );
}

/** Resumable: a watch begun anew behind any event tells of exactly what followed it. */
export async function expectResumable(
  record: Recorder,
  storage: Storage,
  range: Required<KeyRange>,
  at: number,
): Promise<void> {
  const from = record.events[at];
  if (from === undefined) return;
  const rest = record.events.filter((e) => orderOf(e) > orderOf(from));
  const again = new Recorder(storage, { ...range, startRevision: orderOf(from) + 1 });
  await again.until(() => again.events.length >= rest.length);
  again.watch.close();
  const plain = (events: StorageEvent[]) =>
    events.map((e) => `${orderOf(e)} ${e.type} ${e.kv.key} ${e.kv.version} ${e.kv.value}`);
  expect(plain(again.events)).toEqual(plain(rest));
}
