/** What the commands are given. */
import type { ApiServerFlags } from '../cluster/apiServerFlags.ts';
import type { NodeRuntime } from '../cluster/config.ts';
import type { NetworkMode } from '../network/routes/plan.ts';
import type { ProxyMode } from '../proxy/modes.ts';

/** of the cluster that is meant where none is named */
export const DEFAULT_NAME = 'kubets';

export interface ClusterFlags {
  readonly name: string;
  readonly dataDir?: string;
}

export interface UpFlags extends ClusterFlags, ApiServerFlags {
  readonly port?: number;
  readonly bindAddress?: string;
  readonly foreground?: boolean;
  readonly runtime?: NodeRuntime;
  readonly nodes?: number;
  readonly loadBalancerRange?: string;
  readonly clusterCidr?: string;
  readonly network?: NetworkMode;
  readonly proxyMode?: ProxyMode;
  readonly advertiseAddress?: string;
  readonly certificateName?: readonly string[];
  readonly nodeName?: string;
  /** false with --no-install */
  readonly install: boolean;
}
