/**
 * Several nodes on one machine: each a network namespace with a containerd of its own, all of them on one switch, and
 * a client beside them that is no node. Nothing of it reaches the machine's own network.
 */
import { rm } from 'node:fs/promises';
import { TestCluster } from './cluster.ts';
import { type Outcome, run } from './process.ts';

const SUBNET = '192.168.77';
const SUBNET_V6 = 'fd00:77:';
const OUTSIDE = 100;

export interface MachineNode {
  /** as the API has it */
  readonly name: string;
  readonly ip: string;
  readonly ipv6: string;
  /** its commands; those of the first are the cluster's */
  readonly cluster: TestCluster;
}

/** Nothing is made before `start`; `remove` belongs into `afterAll`. */
export class TestNodes {
  readonly #name: string;
  readonly #nodes: MachineNode[] = [];
  readonly #spare: MachineNode[] = [];
  readonly #namespaces: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  get nodes(): readonly MachineNode[] {
    return this.#nodes;
  }

  node(index: number): MachineNode {
    const found = this.#nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  }

  /** The cluster, which the first node holds. */
  get cluster(): TestCluster {
    return this.node(0).cluster;
  }

  /** Starts the cluster on the first node, and lets the others join. */
  async start(count: number, ...flags: string[]): Promise<void> {
    await this.#addNamespace('switch');
    await this.#in('switch', 'ip', 'link', 'add', 'bridge', 'type', 'bridge');
    await this.#in('switch', 'ip', 'link', 'set', 'bridge', 'up');
    for (let i = 0; i < count; i++) {
      const name = `node-${i}`;
      const ip = await this.#plug(name, i + 1);
      this.#nodes.push({
        name,
        ip,
        ipv6: `${SUBNET_V6}:${i + 1}`,
        cluster: new TestCluster(`${this.#name}-${i}`, this.#namespace(name)),
      });
    }
    await this.#plug('outside', OUTSIDE);
    await this.cluster.up('--node-name', 'node-0', '--no-install', ...flags);
    await Promise.all(this.#nodes.slice(1).map(({ name }) => this.join(name)));
  }

  /** A machine that is no node; to be called once. */
  spare(): MachineNode {
    const node = {
      name: 'outside',
      ip: `${SUBNET}.${OUTSIDE}`,
      ipv6: `${SUBNET_V6}:${OUTSIDE}`,
      cluster: new TestCluster(`${this.#name}-out`, this.#namespace('outside')),
    };
    this.#spare.push(node);
    return node;
  }

  /** Lets a node join with a token of its own. */
  async join(name: string): Promise<void> {
    const node = this.#nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    const made = await this.cluster.kubets(['token', 'create']);
    const [, verb = '', ...words] = made.stdout.trim().split(' ');
    const command = [verb, ...words, '--node-name', name, '--no-install'];
    const joined = await node.cluster.kubets(command);
    if (joined.code !== 0)
      throw new Error(`kubets ${command.join(' ')}: ${made.stderr}${joined.stdout}${joined.stderr}`);
  }

  /** Runs a program beside the nodes, as somebody outside of the cluster. */
  outside(program: string, ...args: string[]): Promise<Outcome> {
    return run('nsenter', [`--net=/run/netns/${this.#namespace('outside')}`, program, ...args]);
  }

  /** Pulls a node's plug, or puts it back. */
  async link(name: string, state: 'up' | 'down'): Promise<void> {
    await this.#in('switch', 'ip', 'link', 'set', name, state);
  }

  /** Removes all nodes, the cluster, and the namespaces. */
  async remove(): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#nodes, ...this.#spare].map(({ cluster }) => cluster.remove()));
    for (const namespace of this.#namespaces) await run('ip', ['netns', 'delete', namespace]);
    for (const { cluster } of this.#nodes) await rm(cluster.dir, { recursive: true, force: true });
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  #namespace(name: string): string {
    return `kubets-${process.pid}-${name}`;
  }

  async #addNamespace(name: string): Promise<void> {
    const namespace = this.#namespace(name);
    this.#namespaces.push(namespace);
    await must('ip', ['netns', 'add', namespace]);
    await this.#in(name, 'ip', 'link', 'set', 'lo', 'up');
  }

  /** A namespace on the switch. Its port there has its name. */
  async #plug(name: string, number: number): Promise<string> {
    await this.#addNamespace(name);
    const ip = `${SUBNET}.${number}`;
    const there = this.#namespace(name);
    await this.#in('switch', 'ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', there);
    await this.#in('switch', 'ip', 'link', 'set', name, 'master', 'bridge', 'up');
    await this.#in(name, 'ip', 'address', 'add', `${ip}/24`, 'dev', 'eth0');
    await this.#in(name, 'ip', 'address', 'add', `${SUBNET_V6}:${number}/64`, 'dev', 'eth0', 'nodad');
    await this.#in(name, 'ip', 'link', 'set', 'eth0', 'up');
    // Without a way to the services' addresses nothing would be sent that could be led elsewhere.
    if (name.startsWith('node-')) await this.#in(name, 'ip', 'route', 'add', '10.0.0.0/8', 'dev', 'eth0', 'src', ip);
    return ip;
  }

  async #in(name: string, program: string, ...args: string[]): Promise<void> {
    await must('nsenter', [`--net=/run/netns/${this.#namespace(name)}`, program, ...args]);
  }
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
