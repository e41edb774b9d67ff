/**
 * What leaves the cluster over IPv6 goes out under the node's address. For IPv4 the proxy does that, which knows the
 * services, too.
 */
import { nft } from '../lib/nft.ts';

export interface Masquerade {
  /** of the packet filter */
  readonly table: string;
  readonly bridge: string;
  /** of all pods of the cluster */
  readonly clusterCIDR: string;
}

/** Puts the rules in place of whatever there is. @throws Error with what nft says */
export function masqueradeV6({ table, bridge, clusterCIDR }: Masquerade): Promise<void> {
  return nft(`${removal(table)}
table ip6 ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip6 saddr ${clusterCIDR} ip6 daddr != ${clusterCIDR} ip6 daddr != fe80::/10 ip6 daddr != ff00::/8 oifname != "${bridge}" masquerade
  }
}
`);
}

/** Takes the rules out of the kernel. */
export function removeMasqueradeV6(table: string): Promise<void> {
  return nft(removal(table));
}

const removal = (table: string) => `add table ip6 ${table}\ndelete table ip6 ${table}\n`;
