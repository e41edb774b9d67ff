/**
 * What a scheduling plugin is: a pure function that says no to nodes, one that compares them, or both.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
 */
import type { ClusterChange } from './clusterChange.ts';
import type { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import type { Snapshot } from './snapshot.ts';

/** Why a pod cannot run on a node. */
export interface Refusal {
  /** as they stand in the event: `Insufficient cpu` */
  readonly reasons: readonly string[];
  /** whether it could be otherwise with fewer pods on the node */
  readonly resolvable: boolean;
  /** it is about the pod, not about the node */
  readonly ofPod?: true;
}

/** Undefined where the pod can run there. */
export type NodeFilter = (node: NodeInfo) => Refusal | undefined;

export interface NodeScore {
  of(node: NodeInfo): number;
  /** Brings the numbers of all nodes between 0 and MAX_SCORE; absent where `of` does so. */
  normalize?(scores: readonly number[], nodes: readonly NodeInfo[]): number[];
}

export interface Plugin {
  readonly name: string;
  /** Looks at the pod once; undefined where no node can be refused, a refusal where none will do whatever it is. */
  filter?(pod: PodInfo, snapshot: Snapshot): NodeFilter | Refusal | undefined;
  /** What may make a node fit that `filter` refused. */
  readonly retryAfter?: readonly ClusterChange[];
  /** Looks at the pod once; undefined where all nodes are alike. @param nodes those that fit */
  score?(pod: PodInfo, snapshot: Snapshot, nodes: readonly NodeInfo[]): NodeScore | undefined;
}

export const MAX_SCORE = 100;

/** Scales so that the highest becomes MAX_SCORE. */
export function scaleToHighest(scores: readonly number[]): number[] {
  const highest = Math.max(0, ...scores);
  return scores.map((score) => (highest === 0 ? 0 : Math.floor((MAX_SCORE * score) / highest)));
}

/** Scales so that 0 becomes MAX_SCORE and the highest 0. */
export function scaleToLowest(scores: readonly number[]): number[] {
  return scaleToHighest(scores).map((score) => MAX_SCORE - score);
}
