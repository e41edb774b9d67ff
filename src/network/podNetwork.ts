/**
 * The pod network of a node: configures the plugins that give pods their addresses as soon as the node has its range, and
 * keeps the kernel's ways to the pods of the other nodes as the nodes of the API want them.
 */
import { type Node, nodes } from '../apis/core/node.ts';
import { Backoff } from '../client/backoff.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import { type PodNetwork, writeCniConfig } from './cni.ts';
import { apply, difference, readKernel } from './routes/kernel.ts';
import { type Here, planRoutes, type RoutePlan, TUNNEL_ANNOTATION, tunnelMac } from './routes/plan.ts';

export interface PodNetworkOptions extends Here {
  /** may list and watch nodes (`system:pod-network`) */
  readonly client: Client;
  /** the node's own, by which it says where its end of the tunnel is */
  readonly nodeClient: Client;
  readonly nodeIP: string;
  readonly clusterCIDRs: readonly string[];
  /** where the plugins are configured, but for the range; absent: that was done already */
  readonly cni?: { readonly dir: string; readonly network: Omit<PodNetwork, 'podCIDRs'> };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends it; what the kernel knows stays */
  readonly signal: AbortSignal;
}

/** Changes that come together are written together. */
const GATHER_MS = 20;
const RETRY = { firstMs: 1_000, longestMs: 30_000, jitter: 0.5 };
/** Somebody else, or a link that went and came back, may have taken away what was written. */
const LOOK_AGAIN_MS = 10_000;

/** Returns at once: the node may not even be registered yet. */
export function startPodNetwork(options: PodNetworkOptions): void {
  if (options.mode === 'none') return;
  new Network(options).start();
}

class Network {
  readonly #o: PodNetworkOptions;
  readonly #log: Logger;
  readonly #retry: Backoff;
  #nodes: readonly Node[] = [];
  #configured: readonly string[] | undefined;
  #written: RoutePlan | undefined;
  /** nothing of ours is in the kernel */
  #clean = false;
  #due: { readonly at: number; readonly timer: Timer } | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: PodNetworkOptions) {
    this.#o = options;
    this.#log = options.log.child({ component: 'pod-network' });
    this.#retry = new Backoff(RETRY, options.random);
  }

  start(): void {
    const { client, clock, random, signal } = this.#o;
    const informer = new Informers({ client, clock, random, log: this.#log, signal }).of(nodes);
    const changed = () => {
      this.#nodes = informer.list();
      // Nodes tell of themselves all the time, and of their place hardly ever.
      if (!jsonEqual(planRoutes(this.#nodes, this.#o), this.#written) || !this.#isSettled()) this.#soon(GATHER_MS);
    };
    informer.synced.then(
      () => {
        informer.handle({ onAdd: changed, onUpdate: changed, onDelete: changed });
        this.#again();
      },
      () => {},
    );
  }

  #own(): Node | undefined {
    return this.#nodes.find(({ metadata }) => metadata?.name === this.#o.nodeName);
  }

  /** Whether there is nothing left to do but for the routes. */
  #isSettled(): boolean {
    const own = this.#own();
    if (own === undefined) return true;
    const isConfigured = this.#o.cni === undefined || jsonEqual(own.spec?.podCIDRs, this.#configured);
    return !this.#lacksAnnotation(own) && isConfigured;
  }

  #lacksAnnotation(own: Node): boolean {
    const { mode, nodeName, vni } = this.#o;
    return mode === 'vxlan' && own.metadata?.annotations?.[TUNNEL_ANNOTATION] !== tunnelMac(nodeName, vni);
  }

  #again(): void {
    this.#o.clock.after(LOOK_AGAIN_MS, () => {
      if (this.#o.signal.aborted) return;
      this.#written = undefined;
      this.#soon(0);
      this.#again();
    });
  }

  #soon(ms: number): void {
    const at = this.#o.clock.monotonic() + ms;
    if (this.#due !== undefined && this.#due.at <= at) return;
    this.#due?.timer.cancel();
    const timer = this.#o.clock.after(ms, () => {
      this.#due = undefined;
      this.#work = this.#work
        .then(() => this.#sync())
        .catch((err: unknown) => {
          if (this.#o.signal.aborted) return;
          this.#log.warn('the way to other nodes could not be made whole; it is tried again', { err });
          this.#written = undefined;
          this.#soon(this.#retry.next());
        });
    });
    this.#due = { at, timer };
  }

  async #sync(): Promise<void> {
    const { signal, cni, device, nodeIP, clusterCIDRs } = this.#o;
    if (signal.aborted) return;
    const own = this.#own();
    const podCIDRs = own?.spec?.podCIDRs;
    if (cni !== undefined && podCIDRs !== undefined && !jsonEqual(podCIDRs, this.#configured)) {
      await writeCniConfig(cni.dir, { ...cni.network, podCIDRs });
      this.#configured = podCIDRs;
    }
    const plan = planRoutes(this.#nodes, this.#o);
    const isAlone = plan.routes.length === 0;
    // A cluster of one node looks once, whether an earlier process left anything.
    if (!isAlone || !this.#clean) {
      await apply(difference(device, plan, await readKernel({ device, nodeIP, clusterCIDRs })));
      this.#clean = isAlone;
    }
    this.#written = plan;
    if (own !== undefined && this.#lacksAnnotation(own)) await this.#annotate();
    this.#retry.reset();
  }

  async #annotate(): Promise<void> {
    const { nodeClient, nodeName, vni } = this.#o;
    const annotations = { [TUNNEL_ANNOTATION]: tunnelMac(nodeName, vni) };
    await nodeClient.patch(nodes, { name: nodeName }, 'strategic', { metadata: { annotations } });
  }
}
