/** Where the embedded store keeps what is written: on disk (`database.ts`) or in memory (`memory.ts`). */
import type { LeaseId, Revision } from '../storage.ts';
import type { Write } from './keyIndex.ts';

/** Something to be written, together with all others of its group. */
export type DiskWrite =
  | { readonly table: 'records'; readonly write: Write; readonly record: Buffer }
  | { readonly table: 'leases'; readonly id: LeaseId; readonly ttlSeconds: number | undefined };

/** A table of records (every write of every key, by revision), the leases, and how far history is compacted. */
export interface Records {
  /** The oldest revision whose history is kept; 0 where nothing was compacted. */
  compacted(): Revision;
  leases(): readonly { readonly id: LeaseId; readonly ttlSeconds: number }[];
  /** Every record, ascending by revision. @throws StorageUnavailableError at the first that is damaged */
  writes(): Iterable<{ key: string; write: Write }>;
  /** The records from `from` to `to`, both included, ascending. */
  recordsBetween(from: Revision, to: Revision): Iterable<{ key: string; write: Write; record: Buffer }>;
  /** @throws StorageUnavailableError where it is not there or damaged */
  record(write: Write): Buffer;
  /** Resolves when all of the writes are kept. A hot path: once for each group commit. */
  commit(writes: readonly DiskWrite[]): Promise<void>;
  commitCompaction(revision: Revision): Promise<void>;
  /** Removes records piece by piece. */
  remove(writes: readonly Write[]): Promise<void>;
  close(): Promise<void>;
}
