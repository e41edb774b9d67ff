/** Records in memory, gone with the process: for clusters of tests and simulations. */
import type { LeaseId, Revision } from '../storage.ts';
import type { Write } from './keyIndex.ts';
import { decodeRecord, recordKey } from './record.ts';
import type { DiskWrite, Records } from './records.ts';

interface Kept {
  readonly write: Write;
  readonly record: Buffer;
}

export class MemoryRecords implements Records {
  /** by revision, each in the order within its transaction; revisions come in ascending order */
  readonly #revisions = new Map<Revision, Kept[]>();
  readonly #leases = new Map<LeaseId, number>();
  #compacted: Revision = 0;

  compacted(): Revision {
    return this.#compacted;
  }

  leases(): { id: LeaseId; ttlSeconds: number }[] {
    return [...this.#leases].map(([id, ttlSeconds]) => ({ id, ttlSeconds }));
  }

  *writes(): Iterable<{ key: string; write: Write }> {
    for (const kept of this.#revisions.values()) for (const { write, record } of kept) yield decoded(write, record);
  }

  *recordsBetween(from: Revision, to: Revision): Iterable<{ key: string; write: Write; record: Buffer }> {
    for (let revision = from; revision <= to; revision++) {
      for (const { write, record } of this.#revisions.get(revision) ?? []) yield { ...decoded(write, record), record };
    }
  }

  record({ revision, sub }: Write): Buffer {
    const kept = this.#revisions.get(revision)?.find((k) => k.write.sub === sub);
    if (kept === undefined) throw new Error(`the record of revision ${revision} is missing`);
    return kept.record;
  }

  async commit(writes: readonly DiskWrite[]): Promise<void> {
    for (const write of writes) {
      if (write.table === 'leases') {
        if (write.ttlSeconds === undefined) this.#leases.delete(write.id);
        else this.#leases.set(write.id, write.ttlSeconds);
        continue;
      }
      const kept = this.#revisions.get(write.write.revision);
      if (kept === undefined) this.#revisions.set(write.write.revision, [write]);
      else kept.push(write);
    }
  }

  async commitCompaction(revision: Revision): Promise<void> {
    this.#compacted = revision;
  }

  async remove(writes: readonly Write[]): Promise<void> {
    for (const { revision, sub } of writes) {
      const left = (this.#revisions.get(revision) ?? []).filter((k) => k.write.sub !== sub);
      if (left.length === 0) this.#revisions.delete(revision);
      else this.#revisions.set(revision, left);
    }
  }

  async close(): Promise<void> {
    this.#revisions.clear();
  }
}

function decoded(write: Write, record: Buffer): { key: string; write: Write } {
  const found = decodeRecord(recordKey(write.revision, write.sub), record);
  if (found === undefined) throw new Error(`the record of revision ${write.revision} is damaged`);
  return found;
}
