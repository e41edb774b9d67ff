/**
 * Registers the node and keeps its status and its lease.
 * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats
 */

import { isDeepStrictEqual } from 'node:util';
import { type Lease, leases } from '../../apis/coordination/lease.ts';
import { type Node, type NodeStatus, NodeStatus as NodeStatusType, nodes } from '../../apis/core/node.ts';
import type { Client } from '../../client/client.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { WakeableSleep } from '../../lib/wakeableSleep.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import type { Field } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatMicroTime } from '../../machinery/time.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { architecture, type NodeFacts, nodeStatusOf } from './nodeStatus.ts';

const STATUS_EVERY_MS = 10_000;
/** A status in which only the heartbeat changed is written this often. */
const REPORT_EVERY_MS = 5 * 60_000;
/** Until the node is Ready it is looked at this often, for a while. */
const HURRY_MS = 250;
const MAX_HURRIES = 40;
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const LEASE_NAMESPACE = 'kube-node-lease';
/** What is said of a condition that became True, or False. */
const SAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  MemoryPressure: { True: 'NodeHasInsufficientMemory', False: 'NodeHasSufficientMemory' },
  DiskPressure: { True: 'NodeHasDiskPressure', False: 'NodeHasNoDiskPressure' },
  PIDPressure: { True: 'NodeHasInsufficientPID', False: 'NodeHasSufficientPID' },
  Ready: { True: 'NodeReady', False: 'NodeNotReady' },
};

export interface NodeAgentOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly facts: NodeFacts;
  /** one of each family; absent: somebody else gives them */
  readonly podCIDRs?: readonly string[];
  /** beside those that every node has */
  readonly labels?: Readonly<Record<string, string>>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export class NodeAgent {
  readonly #o: NodeAgentOptions;
  #reported: { status: NodeStatus; at: number } | undefined;
  #lease: Lease | undefined;
  #unschedulable = false;
  /** of the node's pods, as it was seen last: they keep their addresses when it is registered anew */
  #ranges: readonly string[] | undefined;
  /** ends the wait before the next status */
  readonly #waiting = new WakeableSleep();

  constructor(options: NodeAgentOptions) {
    this.#o = options;
  }

  /** Registers the node; then runs until the signal ends it. */
  async run(): Promise<void> {
    const { signal } = this.#o;
    const node = await this.#retry(() => this.#register());
    this.#say(node, 'Starting', 'Starting kubelet.');
    if (this.#o.facts.machine.hasFiles)
      this.#say(node, 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    await Promise.all([this.#keepStatus(), this.#keepLease()]).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  async #register(): Promise<Node> {
    const { client, facts, podCIDRs, runtime, clock } = this.#o;
    const existing = await this.#get();
    const labels = {
      'kubernetes.io/hostname': facts.nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': architecture(),
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': architecture(),
      ...this.#o.labels,
    };
    if (existing !== undefined) return this.#adopt(existing, labels);
    const status = await nodeStatusOf(facts, runtime, undefined, clock.now());
    return client.create(nodes, {
      metadata: { name: facts.nodeName, labels },
      spec: rangesOf(podCIDRs ?? this.#ranges),
      status,
    });
  }

  /** The node was registered before: what this kubelet says of it is set right, the rest is left alone. */
  async #adopt(node: Node, labels: Readonly<Record<string, string>>): Promise<Node> {
    const { client, facts, podCIDRs } = this.#o;
    const missing = Object.entries(labels).filter(([name, value]) => node.metadata?.labels?.[name] !== value);
    const cidr = podCIDRs !== undefined && node.spec?.podCIDR === undefined;
    if (missing.length === 0 && !cidr) return node;
    return client.patch(nodes, { name: facts.nodeName }, 'strategic', {
      metadata: { labels: Object.fromEntries(missing) },
      ...(cidr ? { spec: rangesOf(podCIDRs) } : {}),
    });
  }

  async #get(): Promise<Node | undefined> {
    try {
      return await this.#o.client.get(nodes, { name: this.#o.facts.nodeName });
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #keepStatus(): Promise<void> {
    const { clock, signal, log } = this.#o;
    let waits = 0;
    for (;;) {
      let ready = false;
      try {
        ready = await this.#report();
      } catch (error) {
        if (signal.aborted) return;
        log.warn('the status of the node could not be written', { err: error });
      }
      waits = ready ? 0 : waits + 1;
      // A start is a matter of moments; what takes longer may take long.
      const ms = waits > 0 && waits <= MAX_HURRIES ? HURRY_MS : STATUS_EVERY_MS;
      await this.#waiting.sleep(clock, ms, signal);
    }
  }

  /** There is news that the status should tell. */
  statusSoon(): void {
    this.#waiting.wake();
  }

  /** Returns whether the node is Ready. */
  async #report(): Promise<boolean> {
    const { client, runtime, facts, clock } = this.#o;
    const now = clock.now();
    const node = await this.#get();
    if (node === undefined) {
      await this.#register();
      return false;
    }
    this.#ranges = node.spec?.podCIDRs ?? this.#ranges;
    this.#tellOfScheduling(node);
    const status = await nodeStatusOf(facts, runtime, node, now);
    const ready = status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
    const before = this.#reported;
    if (
      before !== undefined &&
      now - before.at < REPORT_EVERY_MS &&
      saysTheSame(node, status) &&
      isDeepStrictEqual(withoutHeartbeats(before.status), withoutHeartbeats(status))
    ) {
      return ready;
    }
    // A node may have two addresses of a type, by which lists of them are merged otherwise.
    const addresses = [{ $patch: 'replace' }, ...(status.addresses ?? [])];
    const patch = { status: { ...status, addresses } };
    await client.patch(nodes, { name: facts.nodeName }, 'strategic', patch, { subresource: 'status' });
    for (const { type, status: is } of status.conditions ?? []) {
      const was = before?.status.conditions?.find((c) => c.type === type)?.status;
      const what = SAID[type]?.[is];
      if (what !== undefined && is !== was) this.#tell(node, what);
    }
    this.#reported = { status, at: now };
    return ready;
  }

  #tellOfScheduling(node: Node): void {
    const unschedulable = node.spec?.unschedulable === true;
    if (unschedulable === this.#unschedulable) return;
    this.#unschedulable = unschedulable;
    this.#tell(node, unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable');
  }

  #tell(node: Node, what: string): void {
    this.#say(node, what, `Node ${this.#o.facts.nodeName} status is now: ${what}`);
  }

  #say(node: Node, reason: string, message: string): void {
    this.#o.events.event(referenceTo({ ...node, kind: 'Node', apiVersion: 'v1' }), 'Normal', reason, message);
  }

  async #keepLease(): Promise<void> {
    const { clock, signal, log } = this.#o;
    for (;;) {
      try {
        await this.#renew();
      } catch (error) {
        this.#lease = undefined;
        log.warn('the lease of the node could not be renewed', { err: error });
      }
      await clock.sleep(RENEW_MS, signal);
    }
  }

  async #renew(): Promise<void> {
    const { client, clock, facts } = this.#o;
    const ref = { namespace: LEASE_NAMESPACE, name: facts.nodeName };
    this.#lease ??= await client.get(leases, ref).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });
    const spec = {
      holderIdentity: facts.nodeName,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: formatMicroTime(clock.now()),
    };
    if (this.#lease !== undefined) {
      this.#lease = await client.update(leases, { ...this.#lease, spec: { ...this.#lease.spec, ...spec } });
      return;
    }
    const node = await this.#get();
    const owner = { apiVersion: 'v1', kind: 'Node', name: facts.nodeName, uid: node?.metadata?.uid ?? '' };
    this.#lease = await client.create(leases, {
      metadata: { ...ref, ...(node === undefined ? {} : { ownerReferences: [owner] }) },
      spec,
    });
  }

  async #retry<T>(work: () => Promise<T>): Promise<T> {
    const { clock, signal, log } = this.#o;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn('the node could not be registered yet', { err: error });
        await clock.sleep(HURRY_MS, signal);
      }
    }
  }
}

function rangesOf(podCIDRs: readonly string[] | undefined): NonNullable<Node['spec']> {
  const [podCIDR] = podCIDRs ?? [];
  return podCIDR === undefined ? {} : { podCIDR, podCIDRs: [...(podCIDRs ?? [])] };
}

/**
 * Others write the status too: a node that was silent for a while is made Unknown by the node lifecycle controller, and
 * who adds a resource of his own by a patch may blank the rest. What is beyond this kubelet's words is left alone.
 */
function saysTheSame(node: Node, status: NodeStatus): boolean {
  const { conditions = [], capacity, allocatable, ...rest } = status;
  const there: Readonly<Record<string, unknown>> = node.status ?? {};
  const fields: Readonly<Record<string, Field>> = NodeStatusType.fields;
  return (
    conditions.every((mine) =>
      node.status?.conditions?.some(
        (c) => c.type === mine.type && c.status === mine.status && c.reason === mine.reason,
      ),
    ) &&
    hasAmounts(node.status?.capacity, capacity) &&
    hasAmounts(node.status?.allocatable, allocatable) &&
    Object.entries(rest).every(([name, mine]) => {
      const field = fields[name];
      return field !== undefined && semanticEqual(field.type, mine, there[name]);
    })
  );
}

function hasAmounts(there: NodeStatus['capacity'] = {}, mine: NodeStatus['capacity'] = {}): boolean {
  return Object.entries(mine).every(([name, amount]) => {
    const found = there[name];
    return found !== undefined && compareQuantities(found, amount) === 0;
  });
}

function withoutHeartbeats(status: NodeStatus): unknown {
  return { ...status, conditions: status.conditions?.map(({ lastHeartbeatTime: _at, ...c }) => c) };
}
