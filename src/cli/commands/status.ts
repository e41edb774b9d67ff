/** `kubets status` */
import { daemonStatus } from '../../cluster/control.ts';
import { SystemClock } from '../../lib/clock.ts';
import { humanDuration } from '../../machinery/time.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** Exit code 0 where the cluster is ready, 1 otherwise. @throws ClusterError */
export async function status(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  const running = await daemonStatus(paths.controlSocket);
  const rows: [string, string][] = [
    ['cluster', config.name],
    ['state', running?.state ?? 'stopped'],
    ['data', paths.dataDir],
    ['API server', config.joined?.server ?? `https://127.0.0.1:${config.port}`],
    ...(config.joined === undefined ? [] : [['node', config.nodeName ?? ''] as [string, string]]),
  ];
  if (running !== undefined) {
    rows.push(['process', String(running.pid)]);
    rows.push(['up for', humanDuration(new SystemClock().now() - running.startedAt)]);
    rows.push(['memory', `${Math.round(running.rssBytes / 2 ** 20)} MiB`]);
  }
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(12)}${value}\n`);
  if (running?.state !== 'ready') process.exitCode = 1;
}
