/**
 * Keeps containers' logs from filling the disk: a log that has grown large is moved aside, and the
 * runtime opens a new one. Of those moved aside the newest few stay.
 *
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { formatTime } from '../../machinery/time.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { logPath } from '../pods/labels.ts';
import type { RuntimeObserver } from '../pods/observed.ts';
import { podLogDirectoryOf } from '../pods/sandboxConfig.ts';

export interface LogRotationOptions {
  readonly runtime: ContainerRuntime;
  readonly observer: RuntimeObserver;
  readonly podLogsDir: string;
  /** of one file; 10 MiB where absent */
  readonly maxBytes?: number;
  /** of one run of a container, the one that is written to among them; 5 where absent */
  readonly maxFiles?: number;
  /** 10 s where absent */
  readonly lookEveryMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 10_000;
const MAX_BYTES = 10 << 20;
const MAX_FILES = 5;

/** Runs until the signal ends it. */
export function startLogRotation(options: LogRotationOptions): void {
  const { clock, signal } = options;
  clock.after(options.lookEveryMs ?? LOOK_EVERY_MS, () => {
    if (signal.aborted) return;
    void rotateLogs(options).finally(() => startLogRotation(options));
  });
}

/** Looks at the log of every container that runs, once. Never throws. */
export async function rotateLogs(options: LogRotationOptions): Promise<void> {
  const { observer, podLogsDir, log, maxBytes = MAX_BYTES } = options;
  for (const pod of observer.all()) {
    for (const run of pod.containers) {
      if (run.state !== 'running') continue;
      const path = join(podLogDirectoryOf(podLogsDir, pod), logPath(run.name, run.restarts));
      try {
        const { size } = await stat(path);
        if (size > maxBytes) await rotate(path, run.id, options);
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn('the log of a container could not be rotated', { err, path });
      }
    }
  }
}

async function rotate(path: string, id: string, options: LogRotationOptions): Promise<void> {
  const { runtime, clock, maxFiles = MAX_FILES } = options;
  const aside = `${path}.${stamp(clock.now())}`;
  await rename(path, aside);
  try {
    await runtime.call('reopenContainerLog', { container_id: id });
  } catch (error) {
    // Nothing is written to the place where readers look: everything back.
    await rename(aside, path);
    throw error;
  }
  const dir = dirname(path);
  const older = (await readdir(dir)).filter((file) => file.startsWith(`${basename(path)}.`)).sort();
  for (const file of older.slice(0, Math.max(0, older.length - (maxFiles - 1))))
    await rm(join(dir, file), { force: true });
}

/** `20260102-150405`: names sort by time. */
function stamp(ms: number): string {
  return formatTime(ms).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}
