/** The cluster at one moment, as a scheduling decision sees it. */
import type { Labels } from '../machinery/labelSelector.ts';
import { ImageCounts } from './nodeImages.ts';
import type { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import type { VolumeView } from './volumes/view.ts';

export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  /** Nodes with a pod that has terms of affinity or anti-affinity; most clusters have few. */
  readonly withAffinity: readonly NodeInfo[];
  /** labels of namespaces, by name */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Pods for which room is being made, by the node where. */
  readonly nominated: ReadonlyMap<string, readonly PodInfo[]>;
  /** how many nodes have an image, by its name */
  readonly imageCounts: ReadonlyMap<string, number>;
  /** absent until the first pod asks for any */
  readonly devices?: DeviceView;
  /** absent until the first pod has a claim */
  readonly volumes?: VolumeView;
}

/** What is known of devices: whether the claims of a pod can have theirs. */
export interface DeviceView {
  /** Looks at the pod once. @returns why a node will not do, undefined where it will */
  check(pod: PodInfo): (node: NodeInfo) => string | undefined;
}

export interface SnapshotParts {
  readonly nodes: readonly NodeInfo[];
  /** those of the nodes that `withAffinity` has; absent: they are looked for */
  readonly knownAffinity?: readonly NodeInfo[];
  readonly namespaces?: ReadonlyMap<string, Labels>;
  readonly nominated?: ReadonlyMap<string, readonly PodInfo[]>;
  /** absent: they are counted */
  readonly imageCounts?: ReadonlyMap<string, number>;
  readonly devices?: DeviceView | undefined;
  readonly volumes?: VolumeView | undefined;
}

export function snapshotOf({ nodes, ...parts }: SnapshotParts): Snapshot {
  const { namespaces = new Map(), nominated = new Map(), imageCounts = countImages(nodes) } = parts;
  const { devices, volumes, knownAffinity: withAffinity = nodes.filter((node) => node.withAffinity) } = parts;
  return {
    ...{ nodes, withAffinity, namespaces, nominated, imageCounts },
    ...(devices === undefined ? {} : { devices }),
    ...(volumes === undefined ? {} : { volumes }),
  };
}

function countImages(nodes: readonly NodeInfo[]): ReadonlyMap<string, number> {
  const counts = new ImageCounts();
  for (const { node } of nodes) counts.replace(undefined, node);
  return counts.byImage;
}

/** The same cluster with one node in another state. */
export function withNode(snapshot: Snapshot, changed: NodeInfo): Snapshot {
  const withAffinity = snapshot.withAffinity.filter((node) => node.name !== changed.name);
  return {
    ...snapshot,
    nodes: snapshot.nodes.map((node) => (node.name === changed.name ? changed : node)),
    withAffinity: changed.withAffinity ? [...withAffinity, changed] : withAffinity,
  };
}
