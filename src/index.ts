/** What programs import from the package: a whole cluster within them. */
export type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectList,
  ObjectRef,
  WatchOptions,
  WriteOptions,
} from './client/client.ts';
export { createCluster, type ProgramCluster, type ProgramClusterOptions } from './cluster/createCluster.ts';
export { ClusterError } from './cluster/errors.ts';
export type { Behavior, BehaviorProgram } from './kubelet/simulated/behavior.ts';
export type { Kind, KubeObject, Stored } from './machinery/kind.ts';
export { ApiError, isApiError } from './machinery/status.ts';
