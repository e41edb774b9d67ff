/** What nodes and containers have used, as counters and amounts at a moment: what measurements are made of. */

interface Usage {
  /** ms since the epoch: when it was read */
  readonly at: number;
  /** ms since the epoch: from when the counter counts */
  readonly startedAt: number;
  readonly cpuNanoseconds: number;
  readonly workingSetBytes: number;
}

export interface ContainerUsage extends Usage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface NodeUsage extends Usage {
  /** that run */
  readonly containers: readonly ContainerUsage[];
}

/**
 * Where the usage of a node is read: by the kubelet itself where it is in this process, else over the network.
 * Undefined for a node of which it knows nothing.
 * @throws where the node does not answer
 */
export type UsageSource = (nodeName: string, signal: AbortSignal) => Promise<NodeUsage> | undefined;
