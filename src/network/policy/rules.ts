/**
 * The rules of network policies as an nftables script. Leaving a pod and reaching one are two matters: each has a hook
 * of its own, so that what one lets through is still looked at by the other.
 *
 * Source: nft(8)
 */
import type { Allowed, Direction, Peers, PolicyPlan, Ports } from './plan.ts';

/** Puts the whole table in place of what was there. */
export function policyScript(table: string, plan: PolicyPlan): string {
  const chains = plan.chains.map(({ name, allowed }) =>
    chain(
      name,
      allowed.flatMap((one) => linesOf(one, directionOf(name))),
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
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    ...chains,
    ...guards,
    map('leaving', verdicts.egress),
    map('reached', verdicts.ingress),
    // What the node itself sends to its pods is let through: it asks for their health.
    hook('egress-forward', 'forward', -20, 'ip saddr vmap @leaving'),
    hook('egress-input', 'input', -20, 'ip saddr vmap @leaving'),
    hook('ingress-forward', 'forward', -19, 'ip daddr vmap @reached'),
    '}',
    '',
  ].join('\n');
}

const directionOf = (name: string): Direction => (name.startsWith('ingress') ? 'ingress' : 'egress');

function linesOf({ peers, ports }: Allowed, direction: Direction): string[] {
  const who = peers?.flatMap((p) => peerText(p, direction === 'ingress' ? 'saddr' : 'daddr')) ?? [''];
  const where = ports?.flatMap(portText) ?? [''];
  return who.flatMap((w) => where.map((p) => [w, p, 'accept'].filter((text) => text !== '').join(' ')));
}

function peerText(peers: Peers, field: 'saddr' | 'daddr'): string[] {
  if (peers.kind === 'addresses') {
    return peers.ips.length === 0 ? [] : [`ip ${field} { ${[...new Set(peers.ips)].join(', ')} }`];
  }
  const except = peers.except.length === 0 ? '' : ` ip ${field} != { ${peers.except.join(', ')} }`;
  return [`ip ${field} ${peers.cidr}${except}`];
}

function portText(ports: Ports): string[] {
  if (ports.kind === 'sockets') {
    const sockets = [...new Set(ports.sockets.map(({ ip, protocol, port }) => `${ip} . ${protocol} . ${port}`))];
    return sockets.length === 0 ? [] : [`ip daddr . meta l4proto . th dport { ${sockets.join(', ')} }`];
  }
  const { protocol, first, last } = ports;
  if (first === undefined) return [`meta l4proto ${protocol}`];
  return [`meta l4proto ${protocol} th dport ${last === undefined || last === first ? first : `${first}-${last}`}`];
}

function chain(name: string, rules: readonly string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`;
}

function map(name: string, elements: readonly string[]): string {
  const filled = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`;
  return `  map ${name} { type ipv4_addr : verdict;${filled} }`;
}

function hook(name: string, where: string, priority: number, rule: string): string {
  return chain(name, [
    `type filter hook ${where} priority ${priority}; policy accept;`,
    'ct state established,related accept',
    rule,
  ]);
}
