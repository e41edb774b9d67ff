/** What can change in a cluster so that a pod that fitted nowhere may fit now. */

import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../apis/core/node.ts';
import type { Pod } from '../apis/core/pod.ts';
import { heldSpec } from '../apis/core/podResources.ts';

export type ClusterChange =
  /** a pod was bound to a node, or a bound pod's labels changed */
  | 'podPlaced'
  /** a bound pod ended or was deleted */
  | 'podGone'
  | 'nodeAdded'
  | 'nodeGone'
  | 'nodeAllocatable'
  | 'nodeLabels'
  /** taints, or spec.unschedulable */
  | 'nodeTaints'
  | 'namespaceLabels'
  /** devices, classes of them, or claims to them */
  | 'devices'
  | 'claim'
  | 'volume'
  | 'storageClass'
  /** what drivers say of their nodes and of the storage that is left */
  | 'storageDriver';

/** What of a node changed that matters; most updates are signs of life. */
export function nodeChanges(node: Node, old: Node): ClusterChange[] {
  const changes: ClusterChange[] = [];
  if (!isDeepStrictEqual(node.status?.allocatable, old.status?.allocatable)) changes.push('nodeAllocatable');
  if (!isDeepStrictEqual(node.metadata?.labels, old.metadata?.labels)) changes.push('nodeLabels');
  const taints = node.spec?.unschedulable === old.spec?.unschedulable;
  if (!taints || !isDeepStrictEqual(node.spec?.taints, old.spec?.taints)) changes.push('nodeTaints');
  return changes;
}

/** What of a bound pod changed that matters. */
export function boundPodChanges(pod: Pod, old: Pod): ClusterChange[] {
  const changes: ClusterChange[] = [];
  if (!isDeepStrictEqual(pod.metadata?.labels, old.metadata?.labels)) changes.push('podPlaced');
  // What it gave back, others may have.
  if (!isDeepStrictEqual(requestsOf(pod), requestsOf(old))) changes.push('podGone');
  return changes;
}

function requestsOf(pod: Pod): unknown[] {
  const { containers, initContainers = [] } = heldSpec(pod);
  return [...containers, ...initContainers].map((container) => container.resources?.requests);
}

/** Whether a change of a waiting pod may let it fit: anything that its owner says of it, but not its status. */
export function maySucceedNow(pod: Pod, old: Pod): boolean {
  return !isDeepStrictEqual(pod.spec, old.spec) || !isDeepStrictEqual(pod.metadata?.labels, old.metadata?.labels);
}
