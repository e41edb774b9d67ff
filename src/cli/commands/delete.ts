/** `kubets delete` */
import { contextName, kubeconfigPath, removeFromKubeconfig } from '../../cluster/kubeconfig.ts';
import { assertCanRunContainers } from '../../cluster/prerequisites.ts';
import { removeCluster } from '../../cluster/remove.ts';
import { SystemClock } from '../../lib/clock.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';
import { stop } from './down.ts';

/** @throws ClusterError */
export async function deleteCluster(flags: ClusterFlags): Promise<void> {
  const { config, paths } = existingCluster(flags);
  if (config.runtime !== 'simulated') assertCanRunContainers();
  await stop(flags);
  await removeCluster(config, paths, new SystemClock());
  if (config.joined !== undefined) {
    process.stdout.write(
      `This machine is no node any more; where the cluster is: kubectl delete node ${config.nodeName}\n`,
    );
    return;
  }
  await removeFromKubeconfig(kubeconfigPath(), contextName(config.name));
  process.stdout.write(`Cluster ${config.name} is deleted.\n`);
}
