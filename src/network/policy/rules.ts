/**
 * The rules of network policies as an nftables script. Leaving a pod and reaching one are two matters: each has a hook
 * of its own, so that what one lets through is still looked at by the other.
 *
 * Source: nft(8)
 */
import type { Allowed, Direction, Family, Peers, PolicyPlan, Ports } from './plan.ts';

/** How the packet filter calls a family, and the type of its addresses. */
const WORDS: Readonly<Record<Family, { readonly ip: string; readonly type: string }>> = {
  4: { ip: 'ip', type: 'ipv4_addr' },
  6: { ip: 'ip6', type: 'ipv6_addr' },
};

/** Puts the whole table in place of what was there. */
export function policyScript(table: string, plan: PolicyPlan, family: Family): string {
  const { ip: word, type } = WORDS[family];
  const chains = plan.chains.map(({ name, allowed }) =>
    chain(
      name,
      allowed.flatMap((one) => linesOf(one, directionOf(name), word)),
    ),
  );
  const guards: string[] = [];
  const verdicts = { ingress: [] as string[], egress: [] as string[] };
  for (const direction of ['ingress', 'egress'] as const) {
    /** pods with the same policies share a chain */
    const known = new Map<string, string>();
    for (const [ip, names] of plan.guarded[direction]) {
      const key = names.join(' ');
      const name = known.get(key) ?? `${direction}-guard-${known.size}`;
      if (!known.has(key)) guards.push(chain(name, [...names.map((policy) => `jump ${policy}`), 'drop']));
      known.set(key, name);
      verdicts[direction].push(`${ip} : goto ${name}`);
    }
  }
  return [
    removalScript(table, family),
    `table ${word} ${table} {`,
    ...chains,
    ...guards,
    map('leaving', type, verdicts.egress),
    map('reached', type, verdicts.ingress),
    // What the node itself sends to its pods is let through: it asks for their health.
    hook('egress-forward', 'forward', -20, [...neighbours(family), `${word} saddr vmap @leaving`]),
    hook('egress-input', 'input', -20, [...neighbours(family), `${word} saddr vmap @leaving`]),
    hook('ingress-forward', 'forward', -19, [
      ...neighbours(family),
      // Addresses that only the link knows are no way around a policy.
      ...(family === 6 ? ['ip6 daddr fe80::/10 drop'] : []),
      `${word} daddr vmap @reached`,
    ]),
    '}',
    '',
  ].join('\n');
}

/** The script that takes a table away. */
export function removalScript(table: string, family: Family): string {
  const { ip } = WORDS[family];
  return `add table ${ip} ${table}\ndelete table ${ip} ${table}\n`;
}

/** Without it nobody finds anybody on a link. */
const neighbours = (family: Family) =>
  family === 6
    ? ['icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept']
    : [];

const directionOf = (name: string): Direction => (name.startsWith('ingress') ? 'ingress' : 'egress');

function linesOf({ peers, ports }: Allowed, direction: Direction, word: string): string[] {
  const who = peers?.flatMap((p) => peerText(p, direction === 'ingress' ? 'saddr' : 'daddr', word)) ?? [''];
  const where = ports?.flatMap((p) => portText(p, word)) ?? [''];
  return who.flatMap((w) => where.map((p) => [w, p, 'accept'].filter((text) => text !== '').join(' ')));
}

function peerText(peers: Peers, field: 'saddr' | 'daddr', word: string): string[] {
  if (peers.kind === 'addresses') {
    return peers.ips.length === 0 ? [] : [`${word} ${field} { ${[...new Set(peers.ips)].join(', ')} }`];
  }
  const except = peers.except.length === 0 ? '' : ` ${word} ${field} != { ${peers.except.join(', ')} }`;
  return [`${word} ${field} ${peers.cidr}${except}`];
}

function portText(ports: Ports, word: string): string[] {
  if (ports.kind === 'sockets') {
    const sockets = [...new Set(ports.sockets.map(({ ip, protocol, port }) => `${ip} . ${protocol} . ${port}`))];
    return sockets.length === 0 ? [] : [`${word} daddr . meta l4proto . th dport { ${sockets.join(', ')} }`];
  }
  const { protocol, first, last } = ports;
  if (first === undefined) return [`meta l4proto ${protocol}`];
  return [`meta l4proto ${protocol} th dport ${last === undefined || last === first ? first : `${first}-${last}`}`];
}

function chain(name: string, rules: readonly string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`;
}

function map(name: string, type: string, elements: readonly string[]): string {
  const filled = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`;
  return `  map ${name} { type ${type} : verdict;${filled} }`;
}

function hook(name: string, where: string, priority: number, rules: readonly string[]): string {
  return chain(name, [
    `type filter hook ${where} priority ${priority}; policy accept;`,
    'ct state established,related accept',
    ...rules,
  ]);
}
