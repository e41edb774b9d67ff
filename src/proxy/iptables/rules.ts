/**
 * Proxying by iptables: for machines whose other tools look into its tables.
 *
 * Source: iptables(8), iptables-restore(8)
 */

import { type Run, runTool } from '../../lib/runTool.ts';
import type { Family } from '../backends.ts';
import type { ServicePort } from '../plan.ts';
import type { RuleOptions, Rules } from '../rules.ts';
import { type ChainsOf, chainsOf, type ServiceChains, type SharedRule } from './chains.ts';

const NOTHING: ServiceChains = { chains: new Map(), filterChains: new Map(), rules: [] };

type TableName = 'nat' | 'filter';

export class IptablesRules implements Rules {
  readonly #o: RuleOptions;
  readonly #prefix: string;
  readonly #run: Run;
  readonly #family: Family;
  readonly #chainsOf: ChainsOf;
  readonly #services = new Map<string, ServiceChains>();

  constructor(options: RuleOptions, family: Family = 4, run: Run = runTool, chains: ChainsOf = chainsOf) {
    this.#o = options;
    this.#prefix = options.table.toUpperCase();
    this.#run = run;
    this.#family = family;
    this.#chainsOf = chains;
  }

  change(changes: ReadonlyMap<string, readonly ServicePort[] | undefined>): string {
    const nat: Script = { declared: [], rules: [], gone: [] };
    const filter: Script = { declared: [], rules: [], gone: [] };
    for (const [key, ports] of changes) {
      const before = this.#services.get(key) ?? NOTHING;
      const after = ports === undefined ? NOTHING : this.#chainsOf(this.#prefix, this.#o.podCIDR, ports);
      changeChains(nat, before.chains, after.chains);
      changeChains(filter, before.filterChains, after.filterChains);
      const [old, now] = [before, after].map(
        ({ rules }) => new Map(rules.map((one) => [`${one.in} ${one.rule}`, one])),
      );
      for (const [id, one] of now ?? []) if (!old?.has(id)) this.#shared(nat, filter, '-I', one);
      for (const [id, one] of old ?? []) if (!now?.has(id)) this.#shared(nat, filter, '-D', one);
      if (ports === undefined) this.#services.delete(key);
      else this.#services.set(key, after);
    }
    return `${textOf('filter', filter)}${textOf('nat', nat)}`;
  }

  async apply(script: string): Promise<void> {
    await this.#run(TOOLS[this.#family].restore, ['-w', '5', '--noflush'], script);
  }

  /** What a proxy before this one left behind goes with it. */
  async replaceAll(): Promise<void> {
    const services = [...this.#services.values()];
    const chainNames = new Set(services.flatMap(({ chains }) => [...chains.keys()]));
    // Nothing leads to what is new here until the shared chains do, at the end.
    for (let at = 0; at < services.length; at += AT_ONCE) {
      const chains = services.slice(at, at + AT_ONCE).flatMap((service) => [...service.chains]);
      const script = textOf('nat', { declared: chains.map(([name]) => name), rules: appended(chains), gone: [] });
      if (script !== '') await this.apply(script);
    }
    const shared = services.flatMap(({ rules }) => rules);
    const rulesIn = (chain: SharedRule['in']) => shared.flatMap((one) => (one.in === chain ? one.rule : []));
    const wanted: Record<TableName, Map<string, readonly string[]>> = {
      nat: new Map([
        [
          this.#name('services'),
          [...rulesIn('services'), `${TOOLS[this.#family].toNode} -j ${this.#name('node-ports')}`],
        ],
        [this.#name('node-ports'), rulesIn('node-ports')],
        [this.#name('postrouting'), [...rulesIn('postrouting'), ...this.#postrouting()]],
      ]),
      filter: new Map([
        ...services.flatMap(({ filterChains }) => [...filterChains]),
        [this.#name('refused'), rulesIn('refused')],
      ]),
    };
    let script = '';
    for (const table of ['filter', 'nat'] as const) {
      const chains = wanted[table];
      const there = await this.#there(table);
      script += textOf(table, {
        declared: [...chains.keys()],
        rules: [
          ...appended([...chains]),
          ...this.#entrances(table)
            .filter(([chain, rule]) => !there.rules.has(`-A ${chain} ${rule}`))
            .map(([chain, rule]) => `-I ${chain} ${rule}`),
        ],
        gone: there.chains.filter((name) => !chains.has(name) && !chainNames.has(name)),
      });
    }
    await this.apply(script);
  }

  async remove(): Promise<void> {
    for (const table of ['filter', 'nat'] as const) {
      const there = await this.#there(table);
      if (there.chains.length === 0) continue;
      const rules = this.#entrances(table)
        .filter(([chain, rule]) => there.rules.has(`-A ${chain} ${rule}`))
        .map(([chain, rule]) => `-D ${chain} ${rule}`);
      await this.apply(textOf(table, { declared: [], rules, gone: there.chains }));
    }
  }

  #shared(nat: Script, filter: Script, verb: '-I' | '-D', { in: chain, rule }: SharedRule): void {
    (chain === 'refused' ? filter : nat).rules.push(`${verb} ${this.#name(chain)} ${rule}`);
  }

  #name(chain: SharedRule['in']): string {
    return `${this.#prefix}-${chain.toUpperCase()}`;
  }

  /** Where packets come into the chains of this proxy. */
  #entrances(table: TableName): [chain: string, rule: string][] {
    const to = (chain: SharedRule['in']) => `-j ${this.#name(chain)}`;
    return table === 'nat'
      ? [
          ['PREROUTING', to('services')],
          ['OUTPUT', to('services')],
          ['POSTROUTING', to('postrouting')],
        ]
      : ['INPUT', 'FORWARD', 'OUTPUT'].map((chain) => [chain, to('refused')]);
  }

  #postrouting(): string[] {
    const { podCIDR, serviceCIDR, bridge, tunnel } = this.#o;
    return [
      '-m connmark --mark 0x4000/0x4000 -j MASQUERADE',
      // What is no pod's goes through the tunnel under the address of its end: the answer comes back the same way.
      ...(tunnel === undefined ? [] : [`! -s ${podCIDR} -o ${tunnel} -j MASQUERADE`]),
      // What leaves the cluster goes out under the node's address.
      ...(bridge === undefined
        ? []
        : [
            `-s ${podCIDR} -d ${podCIDR} -j RETURN`,
            `-s ${podCIDR} -d ${serviceCIDR} -j RETURN`,
            `-s ${podCIDR} ! -o ${bridge} -j MASQUERADE`,
          ]),
    ];
  }

  /** This proxy's chains in a table, and the rules of all. */
  async #there(table: TableName): Promise<{ chains: string[]; rules: ReadonlySet<string> }> {
    const lines = (await this.#run(TOOLS[this.#family].list, ['-w', '5', '-t', table, '-S'])).split('\n');
    return {
      chains: lines.flatMap((line) => (line.startsWith(`-N ${this.#prefix}-`) ? line.slice('-N '.length) : [])),
      rules: new Set(lines.filter((line) => line.startsWith('-A '))),
    };
  }
}

/** Services whose chains are made at once: the time that iptables takes grows with the square of their number. */
const AT_ONCE = 200;
const TOOLS = {
  4: { list: 'iptables', restore: 'iptables-restore', toNode: '! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL' },
  6: { list: 'ip6tables', restore: 'ip6tables-restore', toNode: '! -d ::1/128 -m addrtype --dst-type LOCAL' },
} as const;

interface Script {
  /** chains that there are to be, empty at first */
  readonly declared: string[];
  readonly rules: string[];
  readonly gone: string[];
}

const appended = (chains: readonly (readonly [string, readonly string[]])[]) =>
  chains.flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`));

function changeChains(script: Script, before: ServiceChains['chains'], after: ServiceChains['chains']): void {
  for (const [name, rules] of after) {
    if (before.get(name)?.join('\n') === rules.join('\n')) continue;
    // Said again, a chain that there is becomes empty.
    script.declared.push(name);
    script.rules.push(...rules.map((rule) => `-A ${name} ${rule}`));
  }
  script.gone.push(...[...before.keys()].filter((name) => !after.has(name)));
}

/** All of it happens at once, or nothing. '' where there is nothing to do. */
function textOf(table: TableName, { declared, rules, gone }: Script): string {
  if (declared.length + rules.length + gone.length === 0) return '';
  return [
    `*${table}`,
    ...declared.map((name) => `:${name} - [0:0]`),
    ...rules,
    // One of them may lead to another: all are emptied before the first one goes.
    ...gone.map((name) => `-F ${name}`),
    ...gone.map((name) => `-X ${name}`),
    'COMMIT',
    '',
  ].join('\n');
}
