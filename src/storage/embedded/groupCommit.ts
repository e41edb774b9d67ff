/**
 * Group commit: what is written while one group is on its way to the disk goes there together, as the
 * next group. One writer waits for one flush, many writers share one.
 */
import { type Revision, type StorageEvent, StorageUnavailableError } from '../storage.ts';
import type { DiskWrite } from './records.ts';

export interface Group {
  readonly writes: DiskWrite[];
  readonly events: StorageEvent[];
  /** the last revision in it */
  revision: Revision;
  bytes: number;
  readonly waiters: { resolve: () => void; reject: (error: Error) => void }[];
}

export interface GroupCommitOptions {
  /** Resolves when the group is on the disk. */
  commit(group: Group): Promise<void>;
  /** The group is on the disk; its waiters hear of it next. Must not throw. */
  onDurable(group: Group): void;
  /** The group is not on the disk. Nothing is committed any more. */
  onFailure(error: StorageUnavailableError): void;
}

/** Writers wait to begin while this much is on its way to the disk. */
const MAX_UNFLUSHED_BYTES = 64 * 1024 * 1024;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #open = emptyGroup();
  /** the group that is going to the disk */
  #closed: Group | undefined;
  #running: Promise<void> | undefined;
  #failure: StorageUnavailableError | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Why nothing can be written any more. */
  get failure(): StorageUnavailableError | undefined {
    return this.#failure;
  }

  /** Resolves at once, or when a group has reached the disk; undefined where there is room. */
  room(): Promise<void> | undefined {
    const bytes = this.#open.bytes + (this.#closed?.bytes ?? 0);
    return bytes < MAX_UNFLUSHED_BYTES ? undefined : this.#join(this.#closed ?? this.#open);
  }

  /** Adds to the group that is next. */
  add(write: DiskWrite): void {
    this.#open.writes.push(write);
    if (write.table === 'records') {
      this.#open.revision = write.write.revision;
      this.#open.bytes += write.record.length;
    }
  }

  addEvent(event: StorageEvent): void {
    this.#open.events.push(event);
  }

  /** Resolves when all that was added is durable. @throws StorageUnavailableError where it will never be */
  flush(): Promise<void> {
    return this.#join(this.#open.writes.length === 0 && this.#closed !== undefined ? this.#closed : this.#open);
  }

  /** Waits until nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #join(group: Group): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      group.waiters.push({ resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Writers of the same turn of the event loop join the first group.
    await null;
    while (this.#open.waiters.length > 0) {
      const group = this.#open;
      this.#closed = group;
      this.#open = emptyGroup();
      try {
        await this.#options.commit(group);
      } catch (error) {
        this.#fail(group, error as Error);
        break;
      }
      this.#closed = undefined;
      this.#options.onDurable(group);
      for (const { resolve } of group.waiters) resolve();
    }
    this.#running = undefined;
  }

  #fail(group: Group, error: Error): void {
    const failure =
      error instanceof StorageUnavailableError
        ? error
        : new StorageUnavailableError('io', `the store cannot be written any more: ${error.message}`, { cause: error });
    this.#failure = failure;
    const waiters = [...group.waiters, ...this.#open.waiters];
    this.#closed = undefined;
    this.#open = emptyGroup();
    this.#options.onFailure(failure);
    for (const { reject } of waiters) reject(failure);
  }
}

const emptyGroup = (): Group => ({ writes: [], events: [], revision: 0, bytes: 0, waiters: [] });
