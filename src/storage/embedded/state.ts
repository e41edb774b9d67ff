/**
 * The store's state as transactions see it: the latest, with what is not on the disk yet. Reads of
 * others are held at the durable revision by the caller.
 */
import {
  CompactedError,
  type Compare,
  FutureRevisionError,
  type KeyRange,
  type KeyValue,
  type Operation,
  type OperationResponse,
  type RangeRequest,
  type RangeResponse,
  type Revision,
  type StorageEvent,
  type Transaction,
  type WatchRequest,
} from '../storage.ts';
import { inRange, type KeyHistory, KeyIndex, type Write, writeAt } from './keyIndex.ts';
import type { Leases } from './leases.ts';
import { encodeRecord, recordValue } from './record.ts';
import type { DiskWrite, Records } from './records.ts';

const EMPTY = Buffer.alloc(0);
/** History is read in slices of about so many records and bytes. */
const SLICE_RECORDS = 1000;
const SLICE_BYTES = 4 * 1024 * 1024;

/** Where the writes of a transaction go. */
export interface WriteSink {
  add(write: DiskWrite): void;
  addEvent(event: StorageEvent): void;
}

export class State {
  readonly #database: Records;
  readonly #leases: Leases;
  readonly #sink: WriteSink;
  readonly #index = new KeyIndex();
  /** records that are not on the disk yet */
  readonly #unflushed = new Map<Write, Buffer>();
  #head: Revision = 0;
  #compacted: Revision;

  /** Reads the whole database. @throws StorageUnavailableError where it is damaged */
  constructor(database: Records, leases: Leases, sink: WriteSink) {
    this.#database = database;
    this.#leases = leases;
    this.#sink = sink;
    this.#compacted = database.compacted();
    for (const { key, write } of database.writes()) {
      this.#index.append(key, write);
      this.#head = write.revision;
    }
    for (const history of this.#index.all()) {
      const last = writeAt(history, this.#head);
      if (last !== undefined) leases.attach(history.key, last.lease, 0);
    }
  }

  /** the last revision given out */
  get head(): Revision {
    return this.#head;
  }

  /** the oldest revision whose history is kept */
  get compacted(): Revision {
    return this.#compacted;
  }

  /** @param latest what now means @throws CompactedError, FutureRevisionError */
  range(request: RangeRequest, latest: Revision): RangeResponse {
    const at = request.revision ?? latest;
    this.#assertKept(at, latest);
    const kvs: KeyValue[] = [];
    const limit = request.countOnly === true ? 0 : (request.limit ?? Number.POSITIVE_INFINITY);
    let count = 0;
    for (const history of this.#index.range(request)) {
      const write = writeAt(history, at);
      if (write === undefined) continue;
      if (count++ < limit) kvs.push(this.#keyValue(history.key, write, request.keysOnly !== true));
    }
    return { revision: latest, kvs, count, more: request.countOnly !== true && count > kvs.length };
  }

  /** Evaluates a transaction; either all of it happens or, where this throws, nothing. */
  apply(transaction: Transaction): { succeeded: boolean; responses: OperationResponse[] } {
    const succeeded = transaction.compare.every((compare) => this.#holds(compare));
    const operations = succeeded ? transaction.success : transaction.failure;
    this.#assertValid(operations);
    const revision = this.#head + 1;
    let sub = 0;
    const responses: OperationResponse[] = [];
    for (const operation of operations) {
      if (operation.op === 'range') {
        responses.push({ op: 'range', ...this.range(operation, sub > 0 ? revision : this.#head) });
      } else if (operation.op === 'put') {
        const previous = operation.previous === true ? this.#before(operation.key, revision) : undefined;
        this.#put(operation, revision, sub++);
        responses.push({ op: 'put', previous });
      } else {
        const previous: KeyValue[] = [];
        let deleted = 0;
        for (const history of [...this.#index.range(operation)]) {
          const write = writeAt(history, revision);
          if (write === undefined) continue;
          if (operation.previous === true) previous.push(this.#keyValue(history.key, write, true));
          this.#delete(history, write, revision, sub++);
          deleted++;
        }
        responses.push({ op: 'delete', deleted, previous });
      }
    }
    if (sub > 0) this.#head = revision;
    return { succeeded, responses };
  }

  /** What was written is on the disk. */
  flushed(writes: readonly DiskWrite[]): void {
    for (const write of writes) if (write.table === 'records') this.#unflushed.delete(write.write);
  }

  /** Forgets what no reader at or after `revision` can see; returns the writes to remove from the disk. */
  compact(revision: Revision): Write[] {
    this.#compacted = revision;
    return this.#index.compact(revision);
  }

  /** Events of whole revisions from `from`, as many as make a slice, none after `latest`. */
  history(request: WatchRequest, from: Revision, latest: Revision): { events: StorageEvent[]; upTo: Revision } {
    const events: StorageEvent[] = [];
    let records = 0;
    let bytes = 0;
    let upTo = from;
    for (const { key, write, record } of this.#database.recordsBetween(from, latest)) {
      if (write.revision > upTo && (records >= SLICE_RECORDS || bytes >= SLICE_BYTES)) return { events, upTo };
      upTo = write.revision;
      records++;
      if (!inRange(request, key)) continue;
      bytes += record.length;
      const previous = request.previous === true ? this.#before(key, write.revision) : undefined;
      events.push({
        type: write.version === 0 ? 'delete' : 'put',
        kv: keyValueOf(key, write, recordValue(record)),
        previous,
      });
    }
    return { events, upTo: latest };
  }

  /** An event with the state of its key before, where that is kept. */
  withPrevious(event: StorageEvent): StorageEvent {
    return { ...event, previous: this.#before(event.kv.key, event.kv.modRevision) };
  }

  /** The state of a key before a revision, where that is kept. */
  #before(key: string, revision: Revision): KeyValue | undefined {
    const history = this.#index.get(key);
    const before = history === undefined ? undefined : writeAt(history, revision - 1);
    return before === undefined ? undefined : this.#keyValue(key, before, true);
  }

  #assertKept(revision: Revision, latest: Revision): void {
    if (revision > latest) {
      throw new FutureRevisionError(`revision ${revision} has not happened yet; the latest is ${latest}`);
    }
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
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

  /** Whatever can go wrong must go wrong here, before anything is changed. */
  #assertValid(operations: readonly Operation[]): void {
    const put = new Set<string>();
    const deletes: KeyRange[] = [];
    for (const operation of operations) {
      if (operation.op === 'range') {
        if (operation.revision !== undefined) this.#assertKept(operation.revision, this.#head);
        continue;
      }
      const { key } = operation;
      if (key === '' || !key.isWellFormed()) throw new RangeError(`${JSON.stringify(key)} is not a key`);
      if (operation.op === 'delete') {
        deletes.push(operation);
        continue;
      }
      if (put.has(key)) throw new RangeError(`the key ${key} is written twice in one transaction`);
      put.add(key);
      if (operation.lease !== undefined && operation.lease !== 0) this.#leases.assertThere(operation.lease);
    }
    for (const range of deletes) {
      for (const key of put) {
        if (inRange(range, key)) throw new RangeError(`the key ${key} is written and deleted in one transaction`);
      }
    }
  }

  #put(operation: Extract<Operation, { op: 'put' }>, revision: Revision, sub: number): void {
    const { key, value, lease = 0 } = operation;
    const history = this.#index.get(key);
    const before = history === undefined ? undefined : writeAt(history, revision);
    const write: Write = {
      revision,
      sub,
      createRevision: before?.createRevision ?? revision,
      version: (before?.version ?? 0) + 1,
      lease,
    };
    this.#leases.attach(key, lease, before?.lease ?? 0);
    this.#write(key, write, value);
  }

  #delete({ key }: KeyHistory, before: Write, revision: Revision, sub: number): void {
    this.#leases.attach(key, 0, before.lease);
    this.#write(key, { revision, sub, createRevision: 0, version: 0, lease: 0 }, EMPTY);
  }

  #write(key: string, write: Write, value: Buffer): void {
    const record = encodeRecord(key, write, value);
    this.#index.append(key, write);
    this.#unflushed.set(write, record);
    this.#sink.add({ table: 'records', write, record });
    const type = write.version === 0 ? 'delete' : 'put';
    this.#sink.addEvent({ type, kv: keyValueOf(key, write, value), previous: undefined });
  }

  #keyValue(key: string, write: Write, withValue: boolean): KeyValue {
    if (!withValue) return keyValueOf(key, write, EMPTY);
    return keyValueOf(key, write, recordValue(this.#unflushed.get(write) ?? this.#database.record(write)));
  }
}

function keyValueOf(key: string, write: Write, value: Buffer): KeyValue {
  return {
    key,
    value,
    createRevision: write.createRevision,
    modRevision: write.revision,
    version: write.version,
    lease: write.lease,
  };
}
