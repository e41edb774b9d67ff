/** `kubets daemon`: what `up` starts in the background. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterPaths, nodeNameOf } from '../../cluster/config.ts';
import { runDaemon } from '../../cluster/daemon.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

const failureFile = (paths: ClusterPaths) => join(paths.dataDir, 'start-failed');

/** Why the last start failed before anybody could be told; taken away by being read. */
export function startFailure(paths: ClusterPaths): string | undefined {
  const path = failureFile(paths);
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  rmSync(path, { force: true });
  return text;
}

export async function daemon(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  rmSync(failureFile(paths), { force: true });
  const code = await runDaemon({
    config,
    paths,
    nodeName: nodeNameOf(config),
    onProgress: (progress) => {
      if (progress.type !== 'failed') return;
      writeFileSync(failureFile(paths), progress.message);
      process.stderr.write(`kubets: ${progress.message}\n`);
    },
  });
  process.exit(code);
}
