/** What the commands are given. */
import type { ApiServerFlags } from '../cluster/apiServerFlags.ts';
import type { NodeRuntime } from '../cluster/config.ts';

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
  /** false with --no-install */
  readonly install: boolean;
}
