/**
 * What the ways of proxying have in common: from the plans of services to scripts, and of these to the kernel.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
 */
import type { ServicePort } from './plan.ts';

export interface RuleOptions {
  /** the name of the table, and what names of chains begin with: one for each cluster on the machine */
  readonly table: string;
  /** of all pods of the cluster */
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** the same for IPv6, in a cluster that has it */
  readonly v6?: { readonly podCIDR: string; readonly serviceCIDR: string };
  /** which pods of this node hang on; absent: what leaves the cluster is somebody else's to translate */
  readonly bridge?: string;
  /** the device of the way to other nodes' pods, where there is one */
  readonly tunnel?: string;
}

/** What one node's proxy has in the kernel. */
export interface Rules {
  /**
   * Takes note of what services should be, and returns the script of the difference; '' where there is none.
   * @param changes undefined: the service is gone
   */
  change(changes: ReadonlyMap<string, readonly ServicePort[] | undefined>): string;
  /** Runs such a script as a whole. @throws Error with what the kernel's tool says */
  apply(script: string): Promise<void>;
  /** Puts all rules in place of whatever there is. @throws Error as above */
  replaceAll(): Promise<void>;
  /** Takes everything out of the kernel. */
  remove(): Promise<void>;
}
