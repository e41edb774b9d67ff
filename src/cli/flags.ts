/** What the commands are given. */
export interface ClusterFlags {
  readonly name: string;
  readonly dataDir?: string;
}

export interface UpFlags extends ClusterFlags {
  readonly port?: number;
  readonly bindAddress?: string;
  readonly foreground?: boolean;
  /** false with --no-install */
  readonly install: boolean;
}
