/**
 * What every store must do, as tests that run against any of them. The guarantees of watches are stated
 * as checks of a recorded history (testing/history.ts).
 *
 * Source: https://etcd.io/docs/v3.5/learning/api_guarantees/
 */
import { afterEach, beforeEach, describe } from 'vitest';
import type { Storage } from './storage.ts';
import { compactionContract } from './testing/compaction.ts';
import { concurrencyContract } from './testing/concurrency.ts';
import { leaseContract } from './testing/leases.ts';
import { modelContract } from './testing/model.ts';
import { rangeContract } from './testing/ranges.ts';
import { transactionContract } from './testing/transactions.ts';
import { watchContract } from './testing/watches.ts';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** Lets this much time pass for leases. */
  pass(ms: number): Promise<void>;
  /** Closes the store and removes what it left. */
  dispose(): Promise<void>;
}

/** A store that is fresh for each test. */
export type StorageOfTest = () => StorageUnderTest;

/** Registers the tests for one implementation. @param open makes a fresh, empty store */
export function describeStorageContract(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let current: StorageUnderTest | undefined;
    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current?.dispose();
      current = undefined;
    });
    const storage: StorageOfTest = () => {
      if (current === undefined) throw new Error('no test is running');
      return current;
    };
    rangeContract(storage);
    transactionContract(storage);
    watchContract(storage);
    compactionContract(storage);
    leaseContract(storage);
    concurrencyContract(storage);
    modelContract(open);
  });
}
