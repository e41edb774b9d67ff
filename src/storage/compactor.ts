/**
 * Forgets history as it grows old, as an API server does for its etcd: every interval, all that is
 * older than one interval.
 *
 * Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--etcd-compaction-interval)
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { CompactedError, type Revision, type Storage } from './storage.ts';

export interface CompactorOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** 5 minutes when absent */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5 * 60_000;

/** Runs until the signal aborts. */
export function startCompactor(options: CompactorOptions): void {
  void run(options);
}

async function run({ storage, clock, log, signal, intervalMs = INTERVAL_MS }: CompactorOptions): Promise<void> {
  let before: Revision = 0;
  while (!signal.aborted) {
    try {
      // Looked at first: what is older than one interval when it comes round again.
      const now = await storage.revision();
      if (before > 0) await compact(storage, before);
      before = now;
    } catch (error) {
      if (!signal.aborted) log.warn('cannot compact the store', { err: error });
    }
    // The timer does not hold the process.
    const waited = await new Promise<boolean>((resolve) => {
      const stop = () => {
        timer.cancel();
        resolve(false);
      };
      const timer = clock.after(intervalMs, () => {
        signal.removeEventListener('abort', stop);
        resolve(true);
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    if (!waited) return;
  }
}

async function compact(storage: Storage, revision: Revision): Promise<void> {
  try {
    await storage.compact(revision);
  } catch (error) {
    // Nothing was written since the last time, or another process was first.
    if (!(error instanceof CompactedError)) throw error;
  }
}
