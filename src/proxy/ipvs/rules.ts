/**
 * Proxying by IPVS, the kernel's balancer of layer 4: a hash of services, each with its list of endpoints.
 * A device of the proxy's own has the addresses of services, so that packets to them come in.
 *
 * Source: ipvsadm(8), https://docs.kernel.org/networking/ipvs-sysctl.html
 */
import { networkInterfaces } from 'node:os';
import { type Run, runTool } from '../../lib/runTool.ts';
import type { Family } from '../backends.ts';
import { host, targetOf } from '../iptables/chains.ts';
import { IptablesRules } from '../iptables/rules.ts';
import type { ServicePort } from '../plan.ts';
import type { RuleOptions, Rules } from '../rules.ts';
import { hasIpvs } from './kernel.ts';
import { ipvsChainsOf, type VirtualServer, virtualServersOf } from './virtualServers.ts';

/** Scripts say with such lines for whom the lines after them are. */
const FOR_IP = '# ip -batch';
const FOR_IPVS = '# ipvsadm --restore';
const FOR_IPTABLES = '# iptables-restore';

/** What of the machine is needed; a test has its own. */
export interface IpvsMachine {
  readonly run: Run;
  nodeIPs(family: Family): readonly string[];
}

const THIS_MACHINE: IpvsMachine = {
  run: runTool,
  nodeIPs: (wanted) =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .flatMap(({ family, internal, address }) => (family === `IPv${wanted}` && !internal ? address : [])),
};

export class IpvsRules implements Rules {
  readonly #machine: IpvsMachine;
  readonly #device: string;
  readonly #iptables: IptablesRules;
  readonly #services = new Map<string, readonly VirtualServer[]>();
  readonly #nodeIPs: readonly string[];

  constructor(options: RuleOptions, family: Family = 4, machine: IpvsMachine = THIS_MACHINE) {
    this.#machine = machine;
    this.#device = `${options.table}-ipvs${family === 6 ? '6' : ''}`;
    this.#iptables = new IptablesRules(options, family, machine.run, ipvsChainsOf);
    this.#nodeIPs = machine.nodeIPs(family);
  }

  change(changes: ReadonlyMap<string, readonly ServicePort[] | undefined>): string {
    const before = this.#state();
    for (const [key, ports] of changes) {
      if (ports === undefined) this.#services.delete(key);
      else this.#services.set(key, virtualServersOf(ports, this.#nodeIPs));
    }
    const after = this.#state();
    const text = (kind: string, lines: readonly string[]) =>
      lines.length === 0 ? '' : `${[kind, ...lines].join('\n')}\n`;
    const rules = this.#iptables.change(changes);
    return [
      text(FOR_IP, difference(before.addresses, after.addresses, 'addr', this.#device)),
      text(FOR_IPVS, serverDifference(before.servers, after.servers)),
      rules === '' ? '' : `${FOR_IPTABLES}\n${rules}`,
    ].join('');
  }

  async apply(script: string): Promise<void> {
    for (const part of script.split(/^(?=# )/m)) {
      const [kind, ...lines] = part.split('\n');
      const text = lines.join('\n');
      if (kind === FOR_IP) await this.#machine.run('ip', ['-batch', '-'], text);
      else if (kind === FOR_IPVS) await this.#machine.run('ipvsadm', ['--restore'], text);
      else if (kind === FOR_IPTABLES) await this.#iptables.apply(text);
    }
  }

  async replaceAll(): Promise<void> {
    await this.#removeServers();
    const { run } = this.#machine;
    await run('ip', ['link', 'add', this.#device, 'type', 'dummy']);
    for (const setting of ['net.ipv4.vs.conntrack=1', `net.ipv4.conf.${this.#device}.arp_ignore=1`]) {
      await run('sysctl', ['-q', '-w', setting]);
    }
    const { addresses, servers } = this.#state();
    const none = { addresses: new Set<string>(), servers: new Map<string, ReadonlySet<string>>() };
    await run('ip', ['-batch', '-'], `${difference(none.addresses, addresses, 'addr', this.#device).join('\n')}\n`);
    await run('ipvsadm', ['--restore'], `${serverDifference(none.servers, servers).join('\n')}\n`);
    await this.#iptables.replaceAll();
  }

  async remove(): Promise<void> {
    if (!hasIpvs()) return;
    await this.#removeServers();
    await this.#iptables.remove();
  }

  /** Those at the addresses of the device, and at node ports that are at one of the node's. */
  async #removeServers(): Promise<void> {
    const { run } = this.#machine;
    const shown = await run('ip', ['-o', 'addr', 'show', 'dev', this.#device]).catch(() => undefined);
    if (shown === undefined) return;
    const own = new Set([...[...shown.matchAll(/inet6? (\S+?)\/(?:32|128)/g)].map(([, ip]) => ip), ...this.#nodeIPs]);
    const lines = (await run('ipvsadm', ['--save', '-n'])).split('\n');
    const gone = lines.flatMap((line) => {
      const [, flag, ip, port] = /^-A (-[tu]|--sctp-service) \[?([\da-f.:]+?)\]?:(\d+) /.exec(line) ?? [];
      return own.has(ip) ? `-D ${flag} ${targetOf(ip ?? '', Number(port))}` : [];
    });
    if (gone.length > 0) await run('ipvsadm', ['--restore'], `${gone.join('\n')}\n`);
    await run('ip', ['link', 'delete', this.#device]);
  }

  #state(): { addresses: ReadonlySet<string>; servers: ReadonlyMap<string, ReadonlySet<string>> } {
    const addresses = new Set<string>();
    const servers = new Map<string, ReadonlySet<string>>();
    for (const server of [...this.#services.values()].flat()) {
      if (server.owned) addresses.add(host(server.ip));
      const name = `${FLAGS[server.protocol]} ${targetOf(server.ip, server.port)}`;
      const kept = server.affinitySeconds === undefined ? '' : ` -p ${server.affinitySeconds}`;
      // The first of two services has the address.
      const key = `${name} -s rr${kept}`;
      if (!servers.has(key)) servers.set(key, new Set(server.backends.map(({ ip, port }) => targetOf(ip, port))));
    }
    return { addresses, servers };
  }
}

const FLAGS = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;

function difference(before: ReadonlySet<string>, after: ReadonlySet<string>, what: string, device: string): string[] {
  return [
    ...[...after].filter((one) => !before.has(one)).map((one) => `${what} add ${one} dev ${device}`),
    ...[...before].filter((one) => !after.has(one)).map((one) => `${what} del ${one} dev ${device}`),
  ];
}

type Servers = ReadonlyMap<string, ReadonlySet<string>>;

/** @param before each server, as it is added, with its backends */
function serverDifference(before: Servers, after: Servers): string[] {
  const nameOf = (server: string) => server.slice(0, server.indexOf(' -s '));
  const lines: string[] = [];
  for (const server of before.keys()) if (!after.has(server)) lines.push(`-D ${nameOf(server)}`);
  for (const [server, backends] of after) {
    const old = before.get(server);
    if (old === undefined) lines.push(`-A ${server}`);
    const name = nameOf(server);
    for (const backend of backends) if (!old?.has(backend)) lines.push(`-a ${name} -r ${backend} -m -w 1`);
    for (const backend of old ?? []) if (!backends.has(backend)) lines.push(`-d ${name} -r ${backend}`);
  }
  return lines;
}
