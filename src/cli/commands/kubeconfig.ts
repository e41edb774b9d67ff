/** `kubets kubeconfig` */
import { standaloneKubeconfig } from '../../cluster/kubeconfig.ts';
import { accessOf } from '../access.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

/** @throws ClusterError */
export async function kubeconfig(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  process.stdout.write(standaloneKubeconfig(await accessOf(config, paths)));
}
