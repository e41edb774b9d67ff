/**
 * The embedded store: etcd's data model on LMDB.
 *
 * A transaction is evaluated at once, against the latest state including writes that are not yet
 * on disk, and its writes join the group that goes to disk next. Only when that group is durable
 * do its promises resolve, its watchers hear of it and readers see it. A group goes out as soon as
 * the one before has: one writer waits one flush, many share one.
 */
import { type Database, open as openLmdb, type RootDatabase } from 'lmdb';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import {
  CompactedError,
  type Compare,
  FutureRevisionError,
  type KeyValue,
  type LeaseId,
  type Operation,
  type OperationResponse,
  type RangeRequest,
  type RangeResponse,
  type Revision,
  type Storage,
  type StorageEvent,
  StorageUnavailableError,
  type StorageWatch,
  type Transaction,
  type TransactionResponse,
  type WatchHandlers,
  type WatchRequest,
} from '../storage.ts';
import { type DirectoryLock, lockDirectory, verifyDatabaseFile } from './files.ts';
import { type KeyHistory, KeyIndex, type Write, writeAt } from './keyIndex.ts';
import { Leases } from './leases.ts';
import { decodeRecord, encodeRecord, recordKey, recordValue } from './record.ts';
import { inRange, Watchers } from './watchers.ts';

export interface EmbeddedOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const FORMAT = 1;
const EMPTY = Buffer.alloc(0);

/** Opens the store in a directory, making it where it is absent. @throws StorageUnavailableError */
export async function openEmbedded(options: EmbeddedOptions): Promise<Storage> {
  const lock = await lockDirectory(options.dir);
  try {
    verifyDatabaseFile(options.dir);
    return new EmbeddedStorage(options, lock);
  } catch (error) {
    await lock.release();
    if (error instanceof StorageUnavailableError) throw error;
    throw new StorageUnavailableError(
      'corrupt',
      `the database in ${options.dir} cannot be opened: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** A write whose group is not on disk yet. */
interface PendingWrite {
  readonly key: string;
  readonly write: Write;
  readonly record: Buffer;
}

interface Group {
  writes: PendingWrite[];
  events: StorageEvent[];
  revision: Revision;
  settle: { resolve: () => void; reject: (error: Error) => void }[];
}

class EmbeddedStorage implements Storage {
  readonly #log: Logger;
  readonly #lock: DirectoryLock;
  readonly #env: RootDatabase;
  readonly #records: Database<Buffer, Buffer>;
  readonly #meta: Database<number, string>;
  readonly #leaseTable: Database<number, number>;
  readonly #index = new KeyIndex();
  readonly #watchers = new Watchers();
  readonly #leases: Leases;
  /** Records that are not on disk yet, by revision and place. */
  readonly #unflushed = new Map<string, Buffer>();
  /** the last revision given out */
  #head: Revision = 0;
  /** the last revision on disk */
  #durable: Revision = 0;
  #compacted: Revision = 0;
  #nextLease: LeaseId = 1;
  #group: Group = emptyGroup();
  #flushing: Promise<void> | undefined;
  #failure: StorageUnavailableError | undefined;
  #closed = false;

  constructor(options: EmbeddedOptions, lock: DirectoryLock) {
    this.#log = options.log;
    this.#lock = lock;
    this.#env = openLmdb({ path: options.dir, noSubdir: false, overlappingSync: false, maxDbs: 4, encoding: 'binary' });
    this.#records = this.#env.openDB<Buffer, Buffer>({ name: 'records', encoding: 'binary', keyEncoding: 'binary' });
    this.#meta = this.#env.openDB<number, string>({ name: 'meta', encoding: 'json' });
    this.#leaseTable = this.#env.openDB<number, number>({ name: 'leases', encoding: 'json' });
    this.#leases = new Leases(options.clock, (id) => void this.leaseRevoke(id).catch(() => {}));
    this.#load(options.dir);
  }

  #load(dir: string): void {
    const format = this.#meta.get('format');
    if (format === undefined) this.#meta.putSync('format', FORMAT);
    else if (format !== FORMAT) {
      throw new StorageUnavailableError(
        'corrupt',
        `${dir} was written by a version of kubets that this one cannot read (format ${format})`,
      );
    }
    this.#compacted = this.#meta.get('compacted') ?? 0;
    this.#head = this.#meta.get('base') ?? 0;
    for (const { key: id, value: ttl } of this.#leaseTable.getRange()) {
      this.#leases.add(id, ttl);
      this.#nextLease = Math.max(this.#nextLease, id + 1);
    }
    for (const { key: at, value: record } of this.#records.getRange({ snapshot: false })) {
      const { key, write } = decodeRecord(at, record);
      this.#index.append(key, write);
      this.#head = Math.max(this.#head, write.revision);
    }
    for (const history of this.#index.all()) {
      const last = history.writes[history.writes.length - 1];
      if (last !== undefined && last.version > 0 && last.lease !== 0) this.#leases.attach(history.key, last.lease, 0);
    }
    this.#durable = this.#head;
  }

  async revision(): Promise<Revision> {
    return this.#durable;
  }

  get liveRevision(): Revision {
    return this.#durable;
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    this.#assertOpen();
    return this.#range(request, this.#durable);
  }

  #range(request: RangeRequest, latest: Revision): RangeResponse {
    const at = request.revision ?? latest;
    this.#assertKept(at, latest);
    const kvs: KeyValue[] = [];
    let count = 0;
    const limit = request.limit ?? Number.POSITIVE_INFINITY;
    for (const history of this.#index.range(request.key, request.end)) {
      const write = writeAt(history, at);
      if (write === undefined) continue;
      count++;
      if (request.countOnly !== true && kvs.length < limit) {
        kvs.push(this.#keyValue(history.key, write, request.keysOnly !== true));
      }
    }
    return { revision: latest, kvs, count, more: request.countOnly !== true && count > kvs.length };
  }

  #keyValue(key: string, write: Write, withValue: boolean): KeyValue {
    return {
      key,
      value: withValue ? this.#valueOf(write) : EMPTY,
      createRevision: write.createRevision,
      modRevision: write.revision,
      version: write.version,
      lease: write.lease,
    };
  }

  #valueOf(write: Write): Buffer {
    const pending = this.#unflushed.get(placeOf(write));
    const record = pending ?? this.#records.getBinary(recordKey(write.revision, write.sub));
    if (record === undefined) {
      throw new StorageUnavailableError(
        'corrupt',
        `the record of revision ${write.revision} is missing from the database`,
      );
    }
    return recordValue(record);
  }

  #assertKept(revision: Revision, latest: Revision): void {
    if (revision > latest)
      throw new FutureRevisionError(`revision ${revision} has not happened yet; the latest is ${latest}`);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageUnavailableError('io', 'the store is closed');
    if (this.#failure !== undefined) throw this.#failure;
  }

  async txn(transaction: Transaction): Promise<TransactionResponse> {
    this.#assertOpen();
    const succeeded = transaction.compare.every((c) => this.#holds(c));
    const operations = succeeded ? transaction.success : transaction.failure;
    assertKeysOnce(operations);
    const headBefore = this.#head;
    const responses = this.#apply(operations);
    const revision = this.#head;
    // Also what only read waits for the flush, since it may have read what is not durable yet.
    if (revision > headBefore || this.#durable < revision) await this.#durablePromise(revision);
    return { succeeded, revision, responses };
  }

  #holds(compare: Compare): boolean {
    const history = this.#index.get(compare.key);
    const write = history === undefined ? undefined : writeAt(history, this.#head);
    switch (compare.target) {
      case 'modRevision':
        return (write?.revision ?? 0) === compare.equals;
      case 'createRevision':
        return (write?.createRevision ?? 0) === compare.equals;
      case 'version':
        return (write?.version ?? 0) === compare.equals;
    }
  }

  #apply(operations: readonly Operation[]): OperationResponse[] {
    const revision = this.#head + 1;
    let sub = 0;
    const responses = operations.map((operation): OperationResponse => {
      switch (operation.op) {
        case 'put':
          return { op: 'put', previous: this.#put(operation, revision, sub++) };
        case 'delete': {
          const previous: KeyValue[] = [];
          for (const history of [...this.#index.range(operation.key, operation.end)]) {
            const write = writeAt(history, revision);
            if (write === undefined) continue;
            previous.push(this.#delete(history, write, revision, sub++));
          }
          return { op: 'delete', previous };
        }
        case 'range':
          return { op: 'range', ...this.#range(operation, sub > 0 ? revision : this.#head) };
      }
    });
    if (sub > 0) {
      this.#head = revision;
      this.#group.revision = revision;
    }
    return responses;
  }

  #put(operation: Extract<Operation, { op: 'put' }>, revision: Revision, sub: number): KeyValue | undefined {
    const lease = operation.lease ?? 0;
    if (lease !== 0) this.#leases.get(lease);
    const history = this.#index.get(operation.key);
    const before = history === undefined ? undefined : writeAt(history, revision);
    const previous = before === undefined ? undefined : this.#keyValue(operation.key, before, true);
    const write: Write = {
      revision,
      sub,
      createRevision: before?.createRevision ?? revision,
      version: (before?.version ?? 0) + 1,
      lease,
    };
    this.#leases.attach(operation.key, lease, before?.lease ?? 0);
    this.#write(operation.key, write, operation.value);
    this.#group.events.push({
      type: 'put',
      kv: {
        key: operation.key,
        value: operation.value,
        createRevision: write.createRevision,
        modRevision: revision,
        version: write.version,
        lease,
      },
      previous,
    });
    return previous;
  }

  #delete(history: KeyHistory, before: Write, revision: Revision, sub: number): KeyValue {
    const previous = this.#keyValue(history.key, before, true);
    this.#leases.attach(history.key, 0, before.lease);
    this.#write(history.key, { revision, sub, createRevision: 0, version: 0, lease: 0 }, EMPTY);
    this.#group.events.push({
      type: 'delete',
      kv: { key: history.key, value: EMPTY, createRevision: 0, modRevision: revision, version: 0, lease: 0 },
      previous,
    });
    return previous;
  }

  #write(key: string, write: Write, value: Buffer): void {
    const record = encodeRecord(key, write, value);
    this.#index.append(key, write);
    this.#unflushed.set(placeOf(write), record);
    this.#group.writes.push({ key, write, record });
  }

  #durablePromise(revision: Revision): Promise<void> {
    // What was read but not written here may be in the group that is going to disk right now.
    if (this.#group.revision < revision && this.#flushing !== undefined) return this.#flushing;
    return new Promise((resolve, reject) => {
      this.#group.settle.push({ resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // Writers of the same turn of the event loop join the first group.
    await null;
    while (this.#group.settle.length > 0) {
      const group = this.#group;
      this.#group = emptyGroup();
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#records.batch(() => {
          for (const { write, record } of group.writes)
            void this.#records.put(recordKey(write.revision, write.sub), record);
        });
      } catch (error) {
        this.#fail(error as Error, group);
        break;
      }
      for (const { write } of group.writes) this.#unflushed.delete(placeOf(write));
      this.#durable = Math.max(this.#durable, group.revision);
      this.#watchers.deliver(group.events, this.#durable);
      for (const { resolve } of group.settle) resolve();
    }
    this.#flushing = undefined;
  }

  /** After a write that did not reach the disk, memory and disk disagree: nothing more is accepted. */
  #fail(error: Error, group: Group): void {
    this.#failure ??=
      error instanceof StorageUnavailableError
        ? error
        : new StorageUnavailableError('io', `the store cannot be written any more: ${error.message}`, { cause: error });
    this.#log.error('the store cannot be written any more', { err: error });
    const waiting = [...group.settle, ...this.#group.settle];
    this.#group = emptyGroup();
    for (const { reject } of waiting) reject(this.#failure);
    this.#watchers.endAll({ error: this.#failure });
  }

  watch(request: WatchRequest, handlers: WatchHandlers): StorageWatch {
    const start = request.startRevision ?? this.#durable + 1;
    if (start < this.#compacted || (start <= this.#compacted && start <= this.#durable && this.#compacted > 0)) {
      queueMicrotask(() => handlers.onEnd({ compacted: this.#compacted }));
      return { close() {} };
    }
    if (this.#closed || this.#failure !== undefined) {
      queueMicrotask(() => handlers.onEnd(this.#failure === undefined ? { closed: true } : { error: this.#failure }));
      return { close() {} };
    }
    if (start <= this.#durable) {
      const events = this.#history(request, start);
      if (events.length > 0) handlers.onEvents(events, this.#durable);
    }
    if (start <= this.#durable + 1) return this.#watchers.add(request, handlers);
    // A start in the future: earlier events are held back.
    return this.#watchers.add(request, {
      ...handlers,
      onEvents: (events, revision) => {
        const late = events.filter((e) => e.kv.modRevision >= start);
        if (late.length > 0) handlers.onEvents(late, revision);
      },
    });
  }

  /** What happened in a range from `start` to the durable revision, ascending. */
  #history(request: WatchRequest, start: Revision): StorageEvent[] {
    const found: { write: Write; event: StorageEvent }[] = [];
    for (const history of this.#index.range(request.key, request.end)) {
      for (const [i, write] of history.writes.entries()) {
        if (write.revision < start || write.revision > this.#durable) continue;
        const before = history.writes[i - 1];
        const previous =
          request.previous === true && before !== undefined && before.version > 0
            ? this.#keyValue(history.key, before, true)
            : undefined;
        const deleted = write.version === 0;
        found.push({
          write,
          event: { type: deleted ? 'delete' : 'put', kv: this.#keyValue(history.key, write, !deleted), previous },
        });
      }
    }
    found.sort((a, b) => a.write.revision - b.write.revision || a.write.sub - b.write.sub);
    return found.map((f) => f.event);
  }

  requestProgress(): void {
    const revision = this.#durable;
    queueMicrotask(() => this.#watchers.progress(revision));
  }

  async leaseGrant(ttlSeconds: number): Promise<LeaseId> {
    this.#assertOpen();
    if (!(ttlSeconds >= 1)) throw new RangeError('a lease lasts at least one second');
    const id = this.#nextLease++;
    await this.#leaseTable.put(id, ttlSeconds);
    this.#leases.add(id, ttlSeconds);
    return id;
  }

  async leaseKeepAlive(id: LeaseId): Promise<number> {
    this.#assertOpen();
    return this.#leases.keepAlive(id);
  }

  async leaseRevoke(id: LeaseId): Promise<void> {
    this.#assertOpen();
    const keys = [...this.#leases.get(id).keys];
    this.#leases.remove(id);
    await this.txn({ compare: [], success: keys.map((key) => ({ op: 'delete', key })), failure: [] });
    await this.#leaseTable.remove(id);
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen();
    if (revision > this.#durable) throw new FutureRevisionError(`revision ${revision} has not happened yet`);
    if (revision <= this.#compacted) throw new CompactedError(this.#compacted);
    this.#compacted = revision;
    const gone: Write[] = [];
    for (const history of [...this.#index.all()]) {
      const keep = firstKept(history, revision);
      if (keep === 0) continue;
      gone.push(...history.writes.slice(0, keep));
      history.writes = history.writes.slice(keep);
      if (history.writes.length === 0) this.#index.remove(history.key);
    }
    await this.#records.batch(() => {
      void this.#meta.put('compacted', revision);
      // The last revisions may all be deletions: what was given out must not be given out again.
      void this.#meta.put('base', this.#durable);
      for (const write of gone) void this.#records.remove(recordKey(write.revision, write.sub));
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#leases.stop();
    while (this.#flushing !== undefined) await this.#flushing.catch(() => {});
    this.#watchers.endAll({ closed: true });
    await this.#env.close();
    await this.#lock.release();
  }
}

/** How many writes no reader at or after `revision` can see. */
function firstKept(history: KeyHistory, revision: Revision): number {
  let keep = 0;
  for (const [i, write] of history.writes.entries()) {
    if (write.revision > revision) break;
    keep = write.version === 0 ? i + 1 : i;
  }
  return keep;
}

const placeOf = (write: Write) => `${write.revision}/${write.sub}`;

const emptyGroup = (): Group => ({ writes: [], events: [], revision: 0, settle: [] });

/** @throws RangeError: a key may be written only once in a transaction */
function assertKeysOnce(operations: readonly Operation[]): void {
  if (operations.length < 2) return;
  const keys = new Set<string>();
  for (const operation of operations) {
    if (operation.op === 'range') continue;
    const clash =
      operation.op === 'delete' && operation.end !== undefined
        ? [...keys].some((k) => inRange(operation, k))
        : keys.has(operation.key);
    if (clash) throw new RangeError(`the key ${operation.key} is written twice in one transaction`);
    keys.add(operation.key);
  }
}
