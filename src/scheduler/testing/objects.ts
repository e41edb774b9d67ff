/** Nodes, pods and snapshots for tests. */
import type { Node, Taint } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { received } from '../../apis/testing/create.ts';
import { deepFreeze } from '../../machinery/freeze.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { Labels } from '../../machinery/labelSelector.ts';
import { NodeInfo } from '../nodeInfo.ts';
import { type PodInfo, podInfoOf } from '../podInfo.ts';
import { type Snapshot, snapshotOf } from '../snapshot.ts';

export interface NodeOptions {
  readonly allocatable?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly taints?: Taint[];
  readonly unschedulable?: boolean;
  readonly images?: { names: string[]; sizeBytes: number }[];
}

export const ROOMY = { cpu: '4', memory: '8Gi', pods: '110' };

/** A node with four cores and 8 GiB, and a label with its name. */
export function node(name: string, options: NodeOptions = {}): Stored<Node> {
  const { allocatable = ROOMY, labels = {}, taints, unschedulable, images } = options;
  return deepFreeze<Stored<Node>>({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
    },
    status: { allocatable, ...(images === undefined ? {} : { images }) },
  });
}

export interface PodOptions {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly requests?: Record<string, string>;
  readonly spec?: object;
  readonly status?: object;
  readonly metadata?: object;
}

/** A pod as the API server stores it. */
export function pod(name: string, options: PodOptions = {}): Stored<Pod> {
  const { namespace = 'default', labels = {}, requests, spec = {}, status, metadata = {} } = options;
  const made = received<Pod>(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '1', labels, ...metadata },
    spec: {
      containers: [{ name: 'main', image: 'app:1', ...(requests === undefined ? {} : { resources: { requests } }) }],
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  });
  return deepFreeze(made as Stored<Pod>);
}

export const info = (name: string, options: PodOptions = {}): PodInfo => podInfoOf(pod(name, options));

/** Nodes with the pods that are on them. */
export function cluster(
  nodes: readonly [Stored<Node>, ...PodInfo[]][],
  namespaces: Record<string, Labels> = { default: {} },
): Snapshot {
  return snapshotOf({
    nodes: nodes.map(([n, ...on]) => new NodeInfo(n, on)),
    namespaces: new Map(Object.entries(namespaces)),
  });
}
