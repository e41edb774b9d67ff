/**
 * What the ways of proxying have in common: from the plans of services to scripts, and of these to the kernel.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
 */
import { existsSync } from 'node:fs';
import type { ServicePort } from './plan.ts';

export const PROXY_MODES = ['nftables', 'iptables', 'ipvs'] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

/** The fastest, and what Kubernetes recommends. */
export const DEFAULT_PROXY_MODE: ProxyMode = 'nftables';

export interface RuleOptions {
  /** the name of the table, and what names of chains begin with: one for each cluster on the machine */
  readonly table: string;
  /** of all pods of the cluster */
  readonly podCIDR: string;
  readonly serviceCIDR: string;
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

/** Why this machine has not what the mode needs; undefined: it has. */
export function whyNot(mode: ProxyMode): string | undefined {
  return mode === 'ipvs' && !hasIpvs()
    ? 'this kernel has no IPVS; load its module ip_vs, or choose nftables or iptables'
    : undefined;
}

export async function rulesFor(mode: ProxyMode, options: RuleOptions): Promise<Rules> {
  switch (mode) {
    case 'nftables': {
      const { NftablesRules } = await import('./nftables/rules.ts');
      return new NftablesRules(options);
    }
    case 'iptables': {
      const { IptablesRules } = await import('./iptables/rules.ts');
      return new IptablesRules(options);
    }
    case 'ipvs': {
      const { IpvsRules } = await import('./ipvs/rules.ts');
      return new IpvsRules(options);
    }
  }
}

const hasIpvs = () => existsSync('/proc/net/ip_vs');
