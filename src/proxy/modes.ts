/**
 * The ways of proxying, and which of them are possible here.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes
 */

import type { Family } from './backends.ts';
import { RulesByFamily } from './byFamily.ts';
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

/** @param options what is of IPv6 in them may be missing: then nothing is written for it */
export async function rulesFor(mode: ProxyMode, options: RuleOptions): Promise<Rules> {
  const { v6, ...v4 } = options;
  const make = await makerOf(mode);
  return new RulesByFamily([
    [4, make(v4, 4)],
    // What leaves the cluster over IPv6 is the pod network's to translate.
    ...(v6 === undefined ? [] : [[6, make({ table: options.table, ...v6 }, 6)] as const]),
  ]);
}

type Maker = (options: RuleOptions, family: Family) => Rules;

async function makerOf(mode: ProxyMode): Promise<Maker> {
  switch (mode) {
    case 'nftables': {
      const { NftablesRules } = await import('./nftables/rules.ts');
      return (options, family) => new NftablesRules(options, family);
    }
    case 'iptables': {
      const { IptablesRules } = await import('./iptables/rules.ts');
      return (options, family) => new IptablesRules(options, family);
    }
    case 'ipvs': {
      const { IpvsRules } = await import('./ipvs/rules.ts');
      return (options, family) => new IpvsRules(options, family);
    }
  }
}
