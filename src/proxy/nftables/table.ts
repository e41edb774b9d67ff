/**
 * What is in the kernel's table, and the scripts that bring it from what it is to what it should be.
 *
 * Source: nft(8)
 */

import type { Family } from '../backends.ts';
import type { RuleOptions } from '../rules.ts';
import {
  type Element,
  PREPARATIONS,
  pickChain,
  preparation,
  type ServiceObjects,
  SYNTAX,
  type Syntax,
} from './objects.ts';

const setsOf = (address: string): readonly string[] => [
  `map targets { type ${address} . inet_proto . inet_service . mark : ${address} . inet_service; }`,
  `map node-targets { type inet_proto . inet_service . mark : ${address} . inet_service; }`,
  `map services { type ${address} . inet_proto . inet_service : verdict; }`,
  'map node-ports { type inet_proto . inet_service : verdict; }',
  `set cluster-ips { type ${address}; }`,
  `set refused { type ${address} . inet_proto . inet_service; }`,
  'set refused-ports { type inet_proto . inet_service; }',
  `set hairpins { type ${address} . ${address}; }`,
];

interface Held {
  /** what each service that has the element wants it to be; the first one's wish is granted */
  readonly wishes: Map<string, string | undefined>;
}

const NOTHING: ServiceObjects = { elements: [], chains: new Map(), sets: new Map(), sizes: new Set() };

export class Table {
  readonly #o: RuleOptions;
  readonly #syntax: Syntax;
  /** with its family, as commands name it */
  readonly #name: string;
  readonly #services = new Map<string, ServiceObjects>();
  readonly #held = new Map<string, Map<string, Held>>();
  readonly #sizes = new Set<number>();

  /** @param family of the addresses in it; the options are for this one */
  constructor(options: RuleOptions, family: Family = 4) {
    this.#o = options;
    this.#syntax = SYNTAX[family];
    this.#name = `${this.#syntax.family} ${options.table}`;
  }

  /**
   * Takes note of what services should be, and returns the script of the difference; '' where there is none.
   * @param changes undefined: the service is gone
   */
  change(changes: ReadonlyMap<string, ServiceObjects | undefined>): string {
    const table = this.#name;
    const touched = new Map<string, { element: Element; before: string | undefined; was: boolean }>();
    const script = { sets: [], chains: [], rules: [], flushed: [], gone: [] } as Record<
      'sets' | 'chains' | 'rules' | 'flushed' | 'gone',
      string[]
    >;
    for (const [key, objects = NOTHING] of changes) {
      const before = this.#services.get(key) ?? NOTHING;
      for (const size of objects.sizes) {
        if (this.#sizes.has(size)) continue;
        this.#sizes.add(size);
        for (const [chain, rules] of pickChains(this.#syntax, size)) addChain(script, table, chain, rules);
      }
      // The same name stands for the same definition.
      for (const [name, definition] of objects.sets) {
        if (!before.sets.has(name)) script.sets.push(`add set ${table} ${name} { ${definition} }`);
      }
      for (const [name, rules] of objects.chains) {
        const was = before.chains.get(name);
        if (was === undefined) addChain(script, table, name, rules);
        else if (was.join('\n') !== rules.join('\n')) {
          script.chains.push(`flush chain ${table} ${name}`);
          script.rules.push(...rules.map((rule) => `add rule ${table} ${name} ${rule}`));
        }
      }
      for (const name of before.chains.keys()) {
        if (objects.chains.has(name)) continue;
        script.flushed.push(`flush chain ${table} ${name}`);
        script.gone.push(`delete chain ${table} ${name}`);
      }
      const setsGone = [...before.sets.keys()].filter((name) => !objects.sets.has(name));
      script.gone.push(...setsGone.map((name) => `delete set ${table} ${name}`));
      for (const element of before.elements) this.#wish(key, element, false, touched);
      for (const element of objects.elements) this.#wish(key, element, true, touched);
      if (objects === NOTHING) this.#services.delete(key);
      else this.#services.set(key, objects);
    }
    const { removed, added } = this.#difference(touched);
    // Chains go before the sets that they use: those were put behind them.
    const gone = [
      ...script.gone.filter((line) => line.startsWith('delete chain')),
      ...script.gone.filter((line) => line.startsWith('delete set')),
    ];
    const lines = [
      ...script.sets,
      ...script.chains,
      ...script.rules,
      ...elementLines('delete', table, removed),
      ...elementLines('add', table, added),
      ...script.flushed,
      ...gone,
    ];
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
  }

  /** The whole table, in place of whatever there is. */
  whole(): string {
    const table = this.#name;
    const services = [...this.#services.values()];
    const sets = services.flatMap(({ sets: own }) => [...own].map(([name, text]) => `set ${name} { ${text} }`));
    const chains = [
      ...[...this.#sizes].flatMap((size) => [...pickChains(this.#syntax, size)]),
      ...services.flatMap(({ chains: own }) => [...own]),
      ...standingChains(this.#o, this.#syntax),
    ];
    const elements: Element[] = [];
    for (const [set, held] of this.#held) {
      for (const [key, { wishes }] of held) elements.push(elementOf(set, key, [...wishes.values()][0]));
    }
    return [
      `add table ${table}`,
      `delete table ${table}`,
      `table ${table} {`,
      `  set inside { type ${this.#syntax.address}; flags interval; elements = { ${this.#o.podCIDR} }; }`,
      ...[...setsOf(this.#syntax.address), ...sets].map((text) => `  ${text}`),
      ...chains.map(([name, rules]) => `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`),
      '}',
      ...elementLines('add', table, elements),
      '',
    ].join('\n');
  }

  #wish(
    service: string,
    element: Element,
    wanted: boolean,
    touched: Map<string, { element: Element; before: string | undefined; was: boolean }>,
  ): void {
    const held = this.#held.get(element.set) ?? new Map<string, Held>();
    this.#held.set(element.set, held);
    const one = held.get(element.key);
    const id = `${element.set}\n${element.key}`;
    if (!touched.has(id)) {
      touched.set(id, { element, before: [...(one?.wishes.values() ?? [])][0], was: one !== undefined });
    }
    if (wanted) {
      const wishes = one?.wishes ?? new Map<string, string | undefined>();
      wishes.set(service, element.value);
      if (one === undefined) held.set(element.key, { wishes });
      return;
    }
    one?.wishes.delete(service);
    if (one?.wishes.size === 0) held.delete(element.key);
  }

  #difference(touched: ReadonlyMap<string, { element: Element; before: string | undefined; was: boolean }>) {
    const removed: Element[] = [];
    const added: Element[] = [];
    for (const { element, before, was } of touched.values()) {
      const one = this.#held.get(element.set)?.get(element.key);
      const after = [...(one?.wishes.values() ?? [])][0];
      if (was && one !== undefined && before === after) continue;
      // The value is not said: what is there goes.
      if (was) removed.push({ set: element.set, key: element.key });
      if (one !== undefined) added.push(elementOf(element.set, element.key, after));
    }
    return { removed, added };
  }
}

const elementOf = (set: string, key: string, value: string | undefined): Element =>
  value === undefined ? { set, key } : { set, key, value };

function addChain(
  script: Record<'chains' | 'rules', string[]>,
  table: string,
  name: string,
  rules: readonly string[],
): void {
  script.chains.push(`add chain ${table} ${name}`);
  script.rules.push(...rules.map((rule) => `add rule ${table} ${name} ${rule}`));
}

/** One line for each set: nft is the faster the fewer commands it gets. */
function elementLines(verb: 'add' | 'delete', table: string, elements: readonly Element[]): string[] {
  const bySet = new Map<string, string[]>();
  for (const { set, key, value } of elements) {
    const text = value === undefined ? key : `${key} : ${value}`;
    const list = bySet.get(set);
    if (list === undefined) bySet.set(set, [text]);
    else list.push(text);
  }
  return [...bySet].map(([set, list]) => `${verb} element ${table} ${set} { ${list.join(', ')} }`);
}

/** The chains that pick one of so many backends. */
function pickChains(syntax: Syntax, size: number): [string, string[]][] {
  return PREPARATIONS.flatMap((kind) =>
    [false, true].map((node): [string, string[]] => [
      pickChain(kind, node, size),
      [...preparation(syntax, kind), `meta mark set numgen random mod ${size} goto ${node ? 'node-go' : 'go'}`],
    ]),
  );
}

function standingChains(
  { podCIDR, serviceCIDR, bridge, tunnel }: RuleOptions,
  { family, loopback }: Syntax,
): [string, string[]][] {
  const protocols = 'meta l4proto { tcp, udp, sctp }';
  return [
    ['go', [`${protocols} dnat ${family} to ${family} daddr . meta l4proto . th dport . meta mark map @targets`]],
    ['node-go', [`${protocols} dnat ${family} to meta l4proto . th dport . meta mark map @node-targets`]],
    [
      'dispatch',
      [
        `${family} daddr . meta l4proto . th dport vmap @services`,
        `fib daddr type local ${family} daddr != ${loopback} meta l4proto . th dport vmap @node-ports`,
      ],
    ],
    ['prerouting', ['type nat hook prerouting priority dstnat; policy accept;', 'jump dispatch']],
    ['output', ['type nat hook output priority -100; policy accept;', 'jump dispatch']],
    [
      'postrouting',
      [
        'type nat hook postrouting priority srcnat; policy accept;',
        `ct status dnat ${family} saddr . ${family} daddr @hairpins masquerade`,
        'ct status dnat ct mark and 0x4000 == 0x4000 masquerade',
        // What leaves the cluster goes out under the node's address.
        ...(bridge === undefined
          ? []
          : [
              `${family} saddr ${podCIDR} ${family} daddr != { ${podCIDR}, ${serviceCIDR} } oifname != "${bridge}" masquerade`,
            ]),
        // What is no pod's goes through the tunnel under the address of its end: the answer comes back the same way.
        ...(tunnel === undefined ? [] : [`oifname "${tunnel}" ${family} saddr != @inside masquerade`]),
      ],
    ],
    [
      'refuse',
      [
        `${family} daddr . meta l4proto . th dport @refused reject`,
        // What goes to a service has another address by now: this is for a port that the service does not have.
        `${family} daddr @cluster-ips reject`,
      ],
    ],
    ['filter-forward', ['type filter hook forward priority -5; policy accept;', 'jump refuse']],
    ['filter-output', ['type filter hook output priority -5; policy accept;', 'jump refuse']],
    [
      'filter-input',
      [
        'type filter hook input priority -5; policy accept;',
        'jump refuse',
        'fib daddr type local meta l4proto . th dport @refused-ports reject',
      ],
    ],
  ];
}

/** The script that takes a table away. */
export function removal(table: string, family: Family = 4): string {
  const name = `${SYNTAX[family].family} ${table}`;
  return `add table ${name}\ndelete table ${name}\n`;
}
