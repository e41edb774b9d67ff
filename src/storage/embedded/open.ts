/**
 * The embedded store: etcd's data model on LMDB, or in memory.
 *
 * A transaction is evaluated at once, against the latest state including writes that are not yet
 * on disk, and its writes join the group that goes to disk next. Only when that group is durable
 * do its promises resolve, its watchers hear of it and readers see it.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import {
  CompactedError,
  FutureRevisionError,
  type LeaseId,
  type RangeRequest,
  type RangeResponse,
  type Revision,
  type Storage,
  StorageUnavailableError,
  type StorageWatch,
  type Transaction,
  type TransactionResponse,
  type WatchHandlers,
  type WatchRequest,
} from '../storage.ts';
import { Database } from './database.ts';
import { type DirectoryLock, lockDirectory } from './directoryLock.ts';
import { type Group, GroupCommit } from './groupCommit.ts';
import { Leases } from './leases.ts';
import { MemoryRecords } from './memory.ts';
import type { Records } from './records.ts';
import { State } from './state.ts';
import { Watchers } from './watchers.ts';

export interface EmbeddedOptions {
  /** made where it is absent; one process at a time may have it open */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens the store in a directory. After a write that fails (a full disk) it refuses all further writes,
 * while reads and watches go on at the last durable revision.
 *
 * @throws StorageUnavailableError in use by another process, corrupt, or not accessible
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Storage> {
  const lock = await lockDirectory(options.dir);
  let database: Database | undefined;
  try {
    database = new Database(options.dir);
    return new EmbeddedStorage(options, database, lock);
  } catch (error) {
    await database?.close();
    await lock.release();
    if (error instanceof StorageUnavailableError) throw error;
    const message = `the database in ${options.dir} cannot be opened: ${(error as Error).message}`;
    throw new StorageUnavailableError('io', message, { cause: error });
  }
}

/** The same store without a disk: what is written is gone with the process. */
export function openInMemory(options: Pick<EmbeddedOptions, 'clock' | 'log'>): Storage {
  return new EmbeddedStorage(options, new MemoryRecords());
}

class EmbeddedStorage implements Storage {
  readonly #log: Logger;
  readonly #lock: DirectoryLock | undefined;
  readonly #database: Records;
  readonly #leases: Leases;
  readonly #commit: GroupCommit;
  readonly #state: State;
  readonly #watchers: Watchers;
  /** the last revision on disk */
  #durable: Revision;
  /** the last revision of which the watchers were told */
  #told: Revision;
  #nextLease: LeaseId;
  #compacting: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: Pick<EmbeddedOptions, 'clock' | 'log'>, database: Records, lock?: DirectoryLock) {
    this.#log = options.log;
    this.#lock = lock;
    this.#database = database;
    this.#leases = new Leases(options.clock, (id) => void this.#expire(id));
    this.#commit = new GroupCommit({
      commit: (group) => database.commit(group.writes),
      onDurable: (group) => this.#onDurable(group),
      onFailure: (error) =>
        this.#log.error('the store takes no more writes until kubets is started again', { err: error }),
    });
    // An id that was given out before must not come again, although its lease is gone.
    this.#nextLease = options.clock.now();
    for (const { id, ttlSeconds } of database.leases()) {
      this.#leases.add(id, ttlSeconds);
      this.#nextLease = Math.max(this.#nextLease, id + 1);
    }
    try {
      this.#state = new State(database, this.#leases, this.#commit);
    } catch (error) {
      this.#leases.stop();
      throw error;
    }
    this.#durable = this.#state.head;
    this.#told = this.#durable;
    const state = this.#state;
    const durable = () => this.#durable;
    this.#watchers = new Watchers({
      get durable() {
        return durable();
      },
      get compacted() {
        return state.compacted;
      },
      slice: (request, from) => state.history(request, from, durable()),
      withPrevious: (event) => state.withPrevious(event),
    });
    // A compaction that was cut short left records that nobody can read.
    const left = state.compacted === 0 ? [] : state.compact(state.compacted);
    if (left.length > 0) this.#compacting = this.#remove(database.remove(left));
  }

  async revision(): Promise<Revision> {
    return this.#durable;
  }

  get liveRevision(): Revision {
    return this.#told;
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    this.#assertOpen();
    return this.#state.range(request, this.#durable);
  }

  async txn(transaction: Transaction): Promise<TransactionResponse> {
    this.#assertWritable();
    for (let room = this.#commit.room(); room !== undefined; room = this.#commit.room()) {
      await room;
      this.#assertWritable();
    }
    const { succeeded, responses } = this.#state.apply(transaction);
    const revision = this.#state.head;
    // What only read waits too, since it may have read what is not durable yet.
    if (revision > this.#durable) await this.#commit.flush();
    return { succeeded, revision, responses };
  }

  #onDurable(group: Group): void {
    this.#state.flushed(group.writes);
    if (group.revision <= this.#durable) return;
    this.#durable = group.revision;
    this.#watchers.deliver(group.events, group.revision);
    this.#told = group.revision;
  }

  watch(request: WatchRequest, handlers: WatchHandlers): StorageWatch {
    if (this.#closed === undefined) return this.#watchers.open(request, handlers);
    let open = true;
    queueMicrotask(() => {
      if (open) handlers.onEnd({ closed: true });
    });
    return {
      close() {
        open = false;
      },
    };
  }

  requestProgress(): void {
    queueMicrotask(() => this.#watchers.progress());
  }

  async check(): Promise<void> {
    this.#assertWritable();
  }

  async leaseGrant(ttlSeconds: number): Promise<LeaseId> {
    this.#assertWritable();
    if (!(ttlSeconds >= 1)) throw new RangeError('a lease lasts at least one second');
    const id = this.#nextLease++;
    this.#commit.add({ table: 'leases', id, ttlSeconds });
    await this.#commit.flush();
    if (this.#closed === undefined) this.#leases.add(id, ttlSeconds);
    return id;
  }

  async leaseKeepAlive(id: LeaseId): Promise<number> {
    this.#assertWritable();
    return this.#leases.keepAlive(id);
  }

  async leaseRevoke(id: LeaseId): Promise<void> {
    this.#assertWritable();
    const keys = this.#leases.keysOf(id);
    this.#leases.remove(id);
    this.#state.apply({ compare: [], success: keys.map((key) => ({ op: 'delete', key })), failure: [] });
    this.#commit.add({ table: 'leases', id, ttlSeconds: undefined });
    await this.#commit.flush();
  }

  async #expire(id: LeaseId): Promise<void> {
    try {
      await this.leaseRevoke(id);
    } catch (error) {
      this.#log.warn('a lease ended, but its keys could not be deleted', { err: error, lease: id });
    }
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertWritable();
    if (revision > this.#durable) throw new FutureRevisionError(`revision ${revision} has not happened yet`);
    if (revision <= this.#state.compacted) throw new CompactedError(this.#state.compacted);
    const gone = this.#state.compact(revision);
    await this.#database.commitCompaction(revision);
    this.#compacting = Promise.all([this.#compacting, this.#remove(this.#database.remove(gone))]).then(() => {});
    await this.#compacting;
  }

  /** What cannot be removed now is removed when the store is opened again. */
  async #remove(removal: Promise<void>): Promise<void> {
    try {
      await removal;
    } catch (error) {
      this.#log.warn('compacted records could not be removed', { err: error });
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#leases.stop();
    await this.#commit.idle();
    await this.#compacting;
    this.#watchers.endAll({ closed: true });
    await this.#database.close();
    await this.#lock?.release();
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StorageUnavailableError('io', 'the store is closed');
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#commit.failure !== undefined) throw this.#commit.failure;
  }
}
