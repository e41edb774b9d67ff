/** `kubets down` */
import { stopContainerd } from '../../cluster/containerd.ts';
import { askDaemon, daemonStatus } from '../../cluster/control.ts';
import { SystemClock } from '../../lib/clock.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** @throws ClusterError */
export async function down(flags: ClusterFlags): Promise<void> {
  const { config } = existingCluster(flags);
  const wasRunning = await stop(flags);
  const stopped = config.runtime === 'simulated' ? 'stopped' : 'stopped; its containers run on';
  process.stdout.write(`Cluster ${flags.name} is ${wasRunning ? stopped : 'not running'}.\n`);
}

/** Returns whether it was running. @throws ClusterError */
export async function stop(flags: ClusterFlags): Promise<boolean> {
  const { config, paths } = existingCluster(flags);
  const clock = new SystemClock();
  const running = await daemonStatus(paths.controlSocket);
  if (running !== undefined) {
    await askDaemon(paths.controlSocket, { command: 'stop' }, () => {});
    await ended(running.pid, clock);
  }
  if (config.runtime !== 'simulated') await stopContainerd(paths, clock);
  return running !== undefined;
}

const PATIENCE_MS = 10_000;

/** Waits for the process to end, and ends it where it does not. */
async function ended(pid: number, clock: SystemClock): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    try {
      process.kill(pid, clock.monotonic() > deadline ? 'SIGKILL' : 0);
    } catch {
      return;
    }
    await clock.sleep(20);
  }
}
