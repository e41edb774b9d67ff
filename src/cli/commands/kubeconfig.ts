/** `kubets kubeconfig` */
import { ClusterError } from '../../cluster/errors.ts';
import { standaloneKubeconfig } from '../../cluster/kubeconfig.ts';
import { accessOf } from '../access.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** @throws ClusterError */
export async function kubeconfig(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  if (config.joined !== undefined) {
    throw new ClusterError(`this machine is a node; kubeconfigs are where the cluster is, at ${config.joined.server}`);
  }
  process.stdout.write(standaloneKubeconfig(await accessOf(config, paths)));
}
