/**
 * The rules as an nftables script. A packet to a service is found in one map, gets the number of an
 * endpoint in its mark, and is sent to what a second map has under that number: the cost does not
 * grow with the number of services.
 *
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables and nft(8)
 */
import type { ServicePortRule } from './plan.ts';

export interface Ruleset {
  /** the name of the table: one for each cluster on the machine */
  readonly table: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  readonly bridge: string;
}

/** Puts the whole table in place of what was there, in one step. */
export function renderRules(set: Ruleset, rules: readonly ServicePortRule[]): string {
  const { table, podCIDR, serviceCIDR, bridge } = set;
  const sizes = [...new Set(rules.map((r) => r.backends.length).filter((n) => n > 0))].sort((a, b) => a - b);
  const pick: string[] = [];
  const nodePick: string[] = [];
  const targets: string[] = [];
  const nodeTargets: string[] = [];
  const refused: string[] = [];
  const hairpins = new Set<string>();
  for (const { protocol, clusterIPs, port, nodePort, backends } of rules) {
    if (backends.length === 0) {
      for (const ip of clusterIPs) refused.push(`${ip} . ${protocol} . ${port}`);
      continue;
    }
    for (const ip of clusterIPs) pick.push(`${ip} . ${protocol} . ${port} : goto pick-${backends.length}`);
    if (nodePort !== undefined) nodePick.push(`${protocol} . ${nodePort} : goto node-pick-${backends.length}`);
    for (const [i, backend] of backends.entries()) {
      for (const ip of clusterIPs)
        targets.push(`${ip} . ${protocol} . ${port} . ${i} : ${backend.ip} . ${backend.port}`);
      if (nodePort !== undefined)
        nodeTargets.push(`${protocol} . ${nodePort} . ${i} : ${backend.ip} . ${backend.port}`);
      hairpins.add(`${backend.ip} . ${backend.ip}`);
    }
  }
  return [
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    block('map targets', 'type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service', targets),
    block('map node-targets', 'type inet_proto . inet_service . mark : ipv4_addr . inet_service', nodeTargets),
    block('set refused', 'type ipv4_addr . inet_proto . inet_service', refused),
    block('set hairpins', 'type ipv4_addr . ipv4_addr', [...hairpins]),
    chain('go', [
      'meta l4proto tcp dnat ip to ip daddr . meta l4proto . tcp dport . meta mark map @targets',
      'meta l4proto udp dnat ip to ip daddr . meta l4proto . udp dport . meta mark map @targets',
    ]),
    chain('node-go', [
      'meta l4proto tcp dnat ip to meta l4proto . tcp dport . meta mark map @node-targets',
      'meta l4proto udp dnat ip to meta l4proto . udp dport . meta mark map @node-targets',
    ]),
    ...sizes.flatMap((n) => [
      chain(`pick-${n}`, [`meta mark set numgen random mod ${n} goto go`]),
      chain(`node-pick-${n}`, [`meta mark set numgen random mod ${n} goto node-go`]),
    ]),
    block('map services', 'type ipv4_addr . inet_proto . inet_service : verdict', pick),
    block('map node-ports', 'type inet_proto . inet_service : verdict', nodePick),
    chain('dispatch', [
      'ip daddr . meta l4proto . th dport vmap @services',
      'fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @node-ports',
    ]),
    chain('prerouting', ['type nat hook prerouting priority dstnat; policy accept;', 'jump dispatch']),
    chain('output', ['type nat hook output priority -100; policy accept;', 'jump dispatch']),
    chain('postrouting', [
      'type nat hook postrouting priority srcnat; policy accept;',
      // A pod that reaches itself through its service must not see its own address as the sender.
      'ct status dnat ip saddr . ip daddr @hairpins masquerade',
      // Through a node port the answer has to come back the same way.
      `ct status dnat ip saddr != ${podCIDR} ip daddr ${podCIDR} fib saddr type != local masquerade`,
      // What leaves the cluster goes out under the node's address.
      `ip saddr ${podCIDR} ip daddr != { ${podCIDR}, ${serviceCIDR} } oifname != "${bridge}" masquerade`,
    ]),
    chain('refuse', ['ip daddr . meta l4proto . th dport @refused reject']),
    chain('filter-forward', ['type filter hook forward priority -5; policy accept;', 'jump refuse']),
    chain('filter-output', ['type filter hook output priority -5; policy accept;', 'jump refuse']),
    '}',
    '',
  ].join('\n');
}

export function renderRemoval(table: string): string {
  return `add table ip ${table}\ndelete table ip ${table}\n`;
}

function block(head: string, type: string, elements: readonly string[]): string {
  const filled = elements.length === 0 ? '' : `\n    elements = {\n      ${elements.join(',\n      ')}\n    }`;
  return `  ${head} {\n    ${type}${filled}\n  }`;
}

function chain(name: string, rules: readonly string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`;
}
