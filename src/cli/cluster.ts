/** The cluster that a command is about. */
import { type ClusterConfig, type ClusterPaths, dataDirOf, pathsOf, readConfig } from '../cluster/config.ts';
import { ClusterError } from '../cluster/errors.ts';
import type { ClusterFlags } from './flags.ts';

/** @throws ClusterError where there is no such cluster */
export function existingCluster(flags: ClusterFlags): { config: ClusterConfig; paths: ClusterPaths } {
  const paths = pathsOf(dataDirOf(flags.name, flags.dataDir));
  const config = readConfig(paths);
  if (config === undefined) throw new ClusterError(`there is no cluster in ${paths.dataDir}; start one with kubets up`);
  return { config, paths };
}
