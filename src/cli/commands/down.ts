/** `kubets down` */
import { stopContainerd } from '../../cluster/containerd.ts';
import { askDaemon, daemonStatus } from '../../cluster/control.ts';
import { SystemClock } from '../../lib/clock.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** @throws ClusterError */
export async function down(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  const simulated = config.runtime === 'simulated';
  const clock = new SystemClock();
  const running = await daemonStatus(paths.controlSocket);
  if (running !== undefined) {
    await askDaemon(paths.controlSocket, { command: 'stop' }, () => {});
    await ended(running.pid, clock);
  }
  if (!simulated) await stopContainerd(paths, clock);
  const state = running === undefined ? 'not running' : simulated ? 'stopped' : 'stopped; its containers run on';
  process.stdout.write(`Cluster ${flags.name} is ${state}.\n`);
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
