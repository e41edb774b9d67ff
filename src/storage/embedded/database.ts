/**
 * The LMDB database of a store: a table of records (every write of every key, by revision), the
 * leases, and a few facts about the store itself.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase, type Database as Table } from 'lmdb';
import { type LeaseId, type Revision, StorageUnavailableError } from '../storage.ts';
import type { Write } from './keyIndex.ts';
import { decodeRecord, recordKey } from './record.ts';
import type { DiskWrite, Records } from './records.ts';
import { verifyDatabaseFile } from './verify.ts';

const FORMAT = '1';
/** So many records are removed in one transaction, so that writers wait for none of them long. */
const REMOVED_AT_ONCE = 1000;

export class Database implements Records {
  readonly dir: string;
  readonly #env: RootDatabase;
  readonly #records: Table<Buffer, Buffer>;
  readonly #leases: Table<number, number>;
  readonly #meta: Table<number | string, string>;
  #ignored: Promise<boolean> | undefined;

  /** Opens the database, making it where the directory is new. @throws StorageUnavailableError */
  constructor(dir: string) {
    this.dir = dir;
    const format = readFormat(dir);
    if (format !== undefined && format !== FORMAT) {
      throw this.#corrupt(`it has format ${format}, which this version of kubets cannot read`);
    }
    const file = join(dir, 'data.mdb');
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    // A process that died while it made the directory may have left an empty file, but no format.
    if (size > 0) verifyDatabaseFile(file);
    else if (format !== undefined) throw this.#corrupt('data.mdb is missing or empty');
    // Without event-turn batching a group's transaction begins at once; groups are made by the caller.
    this.#env = open({
      path: dir,
      noSubdir: false,
      overlappingSync: false,
      eventTurnBatching: false,
      maxDbs: 3,
      encoding: 'binary',
    });
    try {
      this.#records = this.#env.openDB<Buffer, Buffer>({ name: 'records', encoding: 'binary', keyEncoding: 'binary' });
      this.#leases = this.#env.openDB<number, number>({ name: 'leases', encoding: 'json' });
      this.#meta = this.#env.openDB<number | string, string>({ name: 'meta', encoding: 'json' });
      if (format === undefined) {
        this.#meta.putSync('format', FORMAT);
        writeFormat(dir);
      } else if (this.#meta.get('format') !== FORMAT) throw this.#corrupt('its format record is missing');
    } catch (error) {
      void this.#env.close();
      throw error;
    }
  }

  /** The oldest revision whose history is kept; 0 where nothing was compacted. */
  compacted(): Revision {
    const revision = this.#meta.get('compacted') ?? 0;
    return typeof revision === 'number' ? revision : 0;
  }

  leases(): { id: LeaseId; ttlSeconds: number }[] {
    return [...this.#leases.getRange()].map(({ key: id, value: ttlSeconds }) => ({ id, ttlSeconds }));
  }

  /** Every record, ascending by revision. @throws StorageUnavailableError at the first that is damaged */
  *writes(): Iterable<{ key: string; write: Write }> {
    for (const { key, value } of this.#records.getRange()) yield this.#decode(key, value);
  }

  /** The records from `from` to `to`, both included, ascending. */
  *recordsBetween(from: Revision, to: Revision): Iterable<{ key: string; write: Write; record: Buffer }> {
    for (const { key, value } of this.#records.getRange({ start: recordKey(from, 0), end: recordKey(to + 1, 0) })) {
      yield { ...this.#decode(key, value), record: value };
    }
  }

  /** @throws StorageUnavailableError where it is not there or damaged */
  record(write: Write): Buffer {
    const at = recordKey(write.revision, write.sub);
    const record = this.#records.get(at);
    if (record === undefined) throw this.#corrupt(`the record of revision ${write.revision} is missing`);
    return record;
  }

  #decode(at: Buffer, record: Buffer): { key: string; write: Write } {
    const decoded = decodeRecord(at, record);
    if (decoded === undefined) throw this.#corrupt(`the record ${at.toString('hex')} is damaged`);
    return decoded;
  }

  /** Resolves when all of the writes are durable. A hot path: once for each group commit. */
  async commit(writes: readonly DiskWrite[]): Promise<void> {
    if (writes.length === 0) return;
    await this.#transact(() => {
      for (const write of writes) {
        if (write.table === 'records') {
          this.#ignore(this.#records.put(recordKey(write.write.revision, write.write.sub), write.record));
        } else if (write.ttlSeconds === undefined) this.#ignore(this.#leases.remove(write.id));
        else this.#ignore(this.#leases.put(write.id, write.ttlSeconds));
      }
    });
  }

  async commitCompaction(revision: Revision): Promise<void> {
    await this.#transact(() => this.#ignore(this.#meta.put('compacted', revision)));
  }

  /** Removes records piece by piece. */
  async remove(writes: readonly Write[]): Promise<void> {
    for (let i = 0; i < writes.length; i += REMOVED_AT_ONCE) {
      const piece = writes.slice(i, i + REMOVED_AT_ONCE);
      await this.#transact(() => {
        for (const write of piece) this.#ignore(this.#records.remove(recordKey(write.revision, write.sub)));
      });
    }
  }

  async #transact(operations: () => void): Promise<void> {
    try {
      await this.#env.batch(operations);
    } catch (error) {
      // The library says what went wrong in a second promise.
      const { commitError } = error as { commitError?: Promise<never> };
      const cause = await Promise.resolve(commitError).then(
        () => error as Error,
        (reason: Error) => reason,
      );
      throw new StorageUnavailableError(
        'io',
        `the database in ${this.dir} cannot be written (is the disk full?): ${cause.message}`,
        {
          cause,
        },
      );
    }
  }

  /** The batch's own promise tells of the failure of each operation in it. */
  #ignore(promise: Promise<boolean>): void {
    // The operations of a batch share one promise.
    if (promise === this.#ignored) return;
    this.#ignored = promise;
    promise.catch(() => {});
  }

  #corrupt(why: string): StorageUnavailableError {
    return new StorageUnavailableError('corrupt', `the database in ${this.dir} is corrupt: ${why}`);
  }

  async close(): Promise<void> {
    await this.#env.close();
  }
}

/** The file `format` is written when the database is whole for the first time. */
function readFormat(dir: string): string | undefined {
  try {
    return readFileSync(join(dir, 'format'), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeFormat(dir: string): void {
  const path = join(dir, 'format');
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, `${FORMAT}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const parent = openSync(dir, 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}
