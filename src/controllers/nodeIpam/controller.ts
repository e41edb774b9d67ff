/**
 * Gives each node ranges of addresses for its pods, one of each of the cluster's ranges, and takes them back when the
 * node goes. A node that brings its ranges keeps them.
 *
 * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
 */
import { type Node, nodes } from '../../apis/core/node.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { type Plan, startLoop } from '../loop.ts';
import { PartedRange } from './ranges.ts';

export interface NodeIpamOptions {
  /** of all pods of the cluster: one, or one for each family */
  readonly podCIDRs: readonly string[];
  /** of services: no pod gets an address of these */
  readonly serviceCIDRs?: readonly string[];
  /** how large a node's part of each range is; absent: 24 for IPv4, 64 for IPv6 */
  readonly maskSizes?: readonly (number | undefined)[];
}

/** @throws RangeError for ranges that cannot be cut */
export function startNodeIpamController(context: ControllerContext, options: NodeIpamOptions): void {
  const informer = context.informers.of(nodes);
  const pool = new NodeRanges(options);
  /** nodes that got nothing */
  const waiting = new Set<string>();
  const loop = startLoop({
    name: 'node-controller',
    context,
    reads: [informer],
    plan(name) {
      const node = informer.byKey(name);
      if (node === undefined || (node.spec?.podCIDRs ?? []).length > 0) return undefined;
      const plan = planRanges(node, pool.give(name));
      if (plan.actions[0]?.verb === 'event') waiting.add(name);
      return plan;
    },
  });
  const look = (node: Stored<Node>) => {
    const { name } = node.metadata;
    const own = node.spec?.podCIDRs ?? [];
    // What nodes have is known before the first plan is made: their informer has synced by then.
    if (own.length > 0) pool.keep(name, own);
    else loop.enqueue(name);
  };
  informer.handle({
    onAdd: look,
    onUpdate(node, old) {
      if (node.spec?.podCIDRs !== old.spec?.podCIDRs || node.metadata.uid !== old.metadata.uid) look(node);
    },
    onDelete(node) {
      waiting.delete(node.metadata.name);
      pool.takeBack(node.metadata.name);
      for (const name of waiting) loop.enqueue(name);
      waiting.clear();
    },
  });
}

/** @param podCIDRs for the node; undefined where there are none left */
export function planRanges(node: Stored<Node>, podCIDRs: readonly string[] | undefined): Plan {
  const { name, uid } = node.metadata;
  if (podCIDRs === undefined) {
    const message = `Node ${name} status is now: CIDRNotAvailable`;
    return { actions: [{ verb: 'event', regarding: node, type: 'Normal', reason: 'CIDRNotAvailable', message }] };
  }
  const patch = { metadata: { uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
  return { actions: [{ verb: 'patch', kind: nodes as Kind, ref: { name }, type: 'strategic', patch }] };
}

/** Which node has which ranges. */
export class NodeRanges {
  readonly #ranges: readonly PartedRange[];
  readonly #given = new Map<string, readonly string[]>();

  constructor({ podCIDRs, serviceCIDRs = [], maskSizes = [] }: NodeIpamOptions) {
    this.#ranges = podCIDRs.map((cidr, i) => new PartedRange(cidr, maskSizes[i]));
    for (const cidr of serviceCIDRs) for (const range of this.#ranges) range.occupy(cidr);
  }

  /** One of each range, the same again for the same node; undefined where one is used up. */
  give(name: string): readonly string[] | undefined {
    const known = this.#given.get(name);
    if (known !== undefined) return known;
    const given: string[] = [];
    for (const range of this.#ranges) {
      const cidr = range.allocate();
      if (cidr === undefined) {
        this.#release(given);
        return undefined;
      }
      given.push(cidr);
    }
    this.#given.set(name, given);
    return given;
  }

  /** The node has these already. */
  keep(name: string, cidrs: readonly string[]): void {
    const known = this.#given.get(name) ?? [];
    this.#release(known.filter((cidr) => !cidrs.includes(cidr)));
    for (const range of this.#ranges) for (const cidr of cidrs) range.occupy(cidr);
    this.#given.set(name, cidrs);
  }

  takeBack(name: string): void {
    this.#release(this.#given.get(name) ?? []);
    this.#given.delete(name);
  }

  #release(cidrs: readonly string[]): void {
    for (const range of this.#ranges) for (const cidr of cidrs) range.release(cidr);
  }
}
