/**
 * The ways of proxying, and which of them are possible here.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
 */
import { hasIpvs } from './ipvs/kernel.ts';
import type { RuleOptions, Rules } from './rules.ts';

export const PROXY_MODES = ['nftables', 'iptables', 'ipvs'] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

/** The fastest, and what Kubernetes recommends. */
export const DEFAULT_PROXY_MODE: ProxyMode = 'nftables';

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
