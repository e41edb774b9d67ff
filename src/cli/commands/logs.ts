/** `kubets logs` */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ClusterError } from '../../cluster/errors.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** @throws ClusterError */
export async function logs(flags: ClusterFlags & { follow?: boolean }): Promise<void> {
  const { paths } = existingCluster(flags);
  if (!existsSync(paths.log)) throw new ClusterError(`there is no log yet in ${paths.log}`);
  const [program, args] = flags.follow === true ? ['tail', ['-n', '+1', '-F', paths.log]] : ['cat', [paths.log]];
  const child = spawn(program as string, args as string[], { stdio: ['ignore', 'inherit', 'ignore'] });
  process.exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 0)));
}
