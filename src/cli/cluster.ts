/** The cluster that a command is about. */
import { type ClusterConfig, type ClusterPaths, dataDirOf, pathsOf, readConfig } from '../cluster/config.ts';
import { ClusterError } from '../cluster/errors.ts';
import { type ClusterFlags, DEFAULT_NAME } from './flags.ts';

/** What a command needs besides so that this cluster is meant. */
export function meaning(name: string, { dataDir }: ClusterPaths): string {
  const named = name === DEFAULT_NAME ? '' : ` --name ${name}`;
  return pathsOf(dataDirOf(name, undefined)).dataDir === dataDir ? named : `${named} --data-dir ${dataDir}`;
}

/** @throws ClusterError where there is no such cluster */
export function existingCluster(flags: ClusterFlags): { config: ClusterConfig; paths: ClusterPaths } {
  const paths = pathsOf(dataDirOf(flags.name, flags.dataDir));
  const config = readConfig(paths);
  if (config === undefined) throw new ClusterError(`there is no cluster in ${paths.dataDir}; start one with kubets up`);
  return { config, paths };
}
