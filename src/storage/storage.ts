/**
 * etcd's data model as an interface: one global revision, multi-version keys, transactions
 * that compare and then write, watches from a revision without gaps, leases, compaction.
 * Everything above stores through this, so an embedded store and a real etcd are exchangeable.
 *
 * Source: https://etcd.io/docs/v3.5/learning/data_model/ and .../api_guarantees/
 */

/** A point in the store's history. 0 is before the first write. */
export type Revision = number & { readonly __revision?: never };
export type LeaseId = number & { readonly __lease?: never };

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** number of writes since the key was created; 1 at creation */
  readonly version: number;
  /** 0 when no lease is attached */
  readonly lease: LeaseId;
}

/** Keys are UTF-8 strings ordered by their bytes. `end` is exclusive; absent `end` means the single key. */
export interface KeyRange {
  readonly key: string;
  readonly end?: string;
}

export interface RangeRequest extends KeyRange {
  /** absent means now */
  readonly revision?: Revision;
  /** absent means all */
  readonly limit?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface RangeResponse {
  /** the store's revision when the range was read */
  readonly revision: Revision;
  /** ascending by key */
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** keys in the range, whatever the limit */
  readonly count: number;
}

export type Compare =
  | { readonly key: string; readonly target: 'modRevision'; readonly equals: Revision }
  | { readonly key: string; readonly target: 'createRevision'; readonly equals: Revision }
  | { readonly key: string; readonly target: 'version'; readonly equals: number };

interface Write {
  readonly key: string;
  /** whether to answer what was there before: it has to be read */
  readonly previous?: boolean;
}

export type Operation =
  | (Write & { readonly op: 'put'; readonly value: Buffer; readonly lease?: LeaseId })
  | (Write & { readonly op: 'delete'; readonly end?: string })
  | ({ readonly op: 'range' } & RangeRequest);

export interface Transaction {
  /** all must hold (an absent key has modRevision, createRevision and version 0) */
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export type OperationResponse =
  /** previous: where it was asked for */
  | { readonly op: 'put'; readonly previous: KeyValue | undefined }
  | { readonly op: 'delete'; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | ({ readonly op: 'range' } & RangeResponse);

export interface TransactionResponse {
  readonly succeeded: boolean;
  /** the revision of this transaction's writes, or the current one where it wrote nothing */
  readonly revision: Revision;
  readonly responses: readonly OperationResponse[];
}

export interface StorageEvent {
  readonly type: 'put' | 'delete';
  /** for a delete: only key and modRevision (the revision of the deletion) mean anything, and value is empty */
  readonly kv: KeyValue;
  /** the key's state before, where it had one and the watch asked for it */
  readonly previous: KeyValue | undefined;
}

export interface WatchRequest extends KeyRange {
  /** the first revision to report; absent means from now on */
  readonly startRevision?: Revision;
  readonly previous?: boolean;
}

export interface WatchHandlers {
  /** Events of one or more whole revisions, ascending; never a part of a transaction. Must not throw, must not block. */
  onEvents(events: readonly StorageEvent[], revision: Revision): void;
  /** Every event up to `revision` has been delivered, although none may have matched. */
  onProgress?(revision: Revision): void;
  /** The watch ended. `compacted` says that startRevision is gone. Not called after `close`. */
  onEnd(reason: { readonly compacted: Revision } | { readonly error: Error } | { readonly closed: true }): void;
}

export interface StorageWatch {
  close(): void;
}

/**
 * A write's promise resolves only when it is durable: it then survives kill -9 and power loss.
 * Watchers see a write only when it is durable, in the order of revisions, and before or at the
 * same time as its promise resolves.
 */
export interface Storage {
  /** Whether it can do all that it is for. @throws StorageUnavailableError */
  check(): Promise<void>;
  /** The revision of the last durable write. */
  revision(): Promise<Revision>;
  /**
   * The same without asking, for a store that tells its watchers of a write before this moves: what
   * a watcher has built from the events is then never behind. Undefined for a store that is far away.
   */
  readonly liveRevision: Revision | undefined;
  /** @throws CompactedError, FutureRevisionError */
  range(request: RangeRequest): Promise<RangeResponse>;
  /** Atomic: all writes of a transaction share one revision. A key may be written once in a transaction. */
  txn(transaction: Transaction): Promise<TransactionResponse>;
  watch(request: WatchRequest, handlers: WatchHandlers): StorageWatch;
  /** Asks every open watch to report its progress (`onProgress`) up to at least the current revision. */
  requestProgress(): void;
  /** @param ttlSeconds at least 1 */
  leaseGrant(ttlSeconds: number): Promise<LeaseId>;
  /** Returns the remaining seconds. @throws LeaseNotFoundError */
  leaseKeepAlive(id: LeaseId): Promise<number>;
  /** Deletes the lease and every key attached to it. @throws LeaseNotFoundError */
  leaseRevoke(id: LeaseId): Promise<void>;
  /** Forgets history below `revision`. @throws CompactedError, FutureRevisionError */
  compact(revision: Revision): Promise<void>;
  /** Waits for writes under way, then ends all watches with `closed`. */
  close(): Promise<void>;
}

/** The asked revision was compacted away. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compactRevision: Revision;
  constructor(compactRevision: Revision) {
    super(`required revision has been compacted; the oldest kept is ${compactRevision}`);
    this.compactRevision = compactRevision;
  }
}

/** The asked revision has not happened yet. */
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
}

export class LeaseNotFoundError extends Error {
  override readonly name = 'LeaseNotFoundError';
}

/** The data directory cannot be opened or written: in use by another process, corrupt, or full. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
  readonly reason: 'in-use' | 'corrupt' | 'io';
  constructor(reason: 'in-use' | 'corrupt' | 'io', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The end of the range of all keys that start with `prefix`, which must end in an ASCII character. */
export function prefixEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
