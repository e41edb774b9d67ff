/**
 * What an API server cannot do without is put back where somebody took it away, without a new start.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#maintenance-of-the-mandatory-and-suggested-configuration-objects
 */
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';

const EVERY_MS = 60_000;

/** Does all of it again and again. Returns what ends that. */
export function startUpkeep(
  clock: Clock,
  log: Logger,
  tasks: Readonly<Record<string, () => Promise<void>>>,
): () => void {
  let stopped = false;
  let timer: Timer | undefined;
  const later = () => {
    timer = clock.after(EVERY_MS, () => {
      const all = Object.entries(tasks).map(([what, task]) =>
        task().catch((err: unknown) => {
          if (!stopped) log.warn('what must be there cannot be put back', { what, err });
        }),
      );
      void Promise.all(all).then(() => {
        if (!stopped) later();
      });
    });
  };
  later();
  return () => {
    stopped = true;
    timer?.cancel();
  };
}
