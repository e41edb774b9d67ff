/** A node with the pods on it and what they take. Never changed: adding or removing a pod makes another. */
import type { Node } from '../apis/core/node.ts';
import type { Stored } from '../machinery/kind.ts';
import type { Labels } from '../machinery/labelSelector.ts';
import { hasAffinity, type PodInfo } from './podInfo.ts';
import { type Amounts, add, amountsOf } from './podRequests.ts';

export class NodeInfo {
  readonly node: Stored<Node>;
  readonly name: string;
  readonly labels: Labels;
  readonly pods: readonly PodInfo[];
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  /** whether a pod on it has terms of affinity or anti-affinity */
  readonly withAffinity: boolean;
  /** with something assumed for containers that ask for nothing */
  readonly assumed: { readonly cpu: number; readonly memory: number };

  constructor(
    node: Stored<Node>,
    pods: readonly PodInfo[],
    allocatable: Amounts = amountsOf(node.status?.allocatable),
  ) {
    this.node = node;
    this.name = node.metadata.name;
    this.labels = node.metadata.labels ?? {};
    this.pods = pods;
    this.allocatable = allocatable;
    const requested = new Map<string, number>();
    let cpu = 0;
    let memory = 0;
    for (const pod of pods) {
      add(requested, pod.requests);
      cpu += pod.assumed.cpu;
      memory += pod.assumed.memory;
    }
    this.requested = requested;
    this.withAffinity = pods.some(hasAffinity);
    this.assumed = { cpu, memory };
  }

  /** How much of a resource no pod has asked for. */
  free(resource: string): number {
    return (this.allocatable.get(resource) ?? 0) - (this.requested.get(resource) ?? 0);
  }

  with(...pods: readonly PodInfo[]): NodeInfo {
    return new NodeInfo(this.node, [...this.pods, ...pods], this.allocatable);
  }

  without(pods: ReadonlySet<PodInfo>): NodeInfo {
    return new NodeInfo(
      this.node,
      this.pods.filter((pod) => !pods.has(pod)),
      this.allocatable,
    );
  }
}
