/**
 * How many replicas each replica set of a deployment shall have: pure arithmetic on sizes.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
import type { Deployment } from '../../apis/apps/deployment.ts';
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import { scaledValue } from '../../machinery/intOrString.ts';
import type { Stored } from '../../machinery/kind.ts';
import { DESIRED_REPLICAS, MAX_REPLICAS, numberIn } from './annotations.ts';

export type Sets = readonly Stored<ReplicaSet>[];
/** New sizes by the name of the replica set; one that is absent keeps its size. */
export type Sizes = Map<string, number>;

export const replicasOf = (object: ReplicaSet | Deployment): number => object.spec?.replicas ?? 1;
export const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

export interface Bounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** The bounds of a rolling update in pods. Where both come out as none, one may be unavailable. */
export function boundsOf(deployment: Deployment): Bounds {
  const replicas = replicasOf(deployment);
  const { type, rollingUpdate } = deployment.spec?.strategy ?? {};
  if (type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledValue(rollingUpdate?.maxSurge ?? 0, replicas, 'up');
  const unavailable = scaledValue(rollingUpdate?.maxUnavailable ?? 0, replicas, 'down');
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

/** As many pods as there may be. */
export function maxReplicas(deployment: Deployment): number {
  const replicas = replicasOf(deployment);
  return replicas === 0 ? 0 : replicas + boundsOf(deployment).maxSurge;
}

/** What the new replica set may grow to, beside the others. @param size its own now */
export function newSetSize(deployment: Deployment, all: Sets, size: number): number {
  const wanted = replicasOf(deployment);
  if (deployment.spec?.strategy?.type === 'Recreate') return wanted;
  // A set that has not heard of its size yet may still be making pods of the size before.
  if (all.some((set) => (set.status?.observedGeneration ?? 0) < (set.metadata.generation ?? 0))) return size;
  // Pods that a set was told to give up count until they are gone from its status.
  const current = sum(all, (set) => Math.max(replicasOf(set), set.status?.replicas ?? 0));
  const room = maxReplicas(deployment) - current;
  return room <= 0 ? size : size + Math.min(room, wanted - size);
}

/** One step of a rolling update. */
export function rollingSizes(deployment: Deployment, fresh: Stored<ReplicaSet>, old: Sets): Sizes {
  const sizes: Sizes = new Map();
  const wanted = replicasOf(deployment);
  const size = replicasOf(fresh);
  const target = size > wanted ? wanted : size < wanted ? newSetSize(deployment, [fresh, ...old], size) : size;
  if (target !== size) {
    sizes.set(fresh.metadata.name, target);
    return sizes;
  }
  return shrinkOld(deployment, fresh, old);
}

/** Old sets give up pods: first those that are not available anyway, then as many as may be missed. */
function shrinkOld(deployment: Deployment, fresh: Stored<ReplicaSet>, old: Sets): Sizes {
  const sizes: Sizes = new Map();
  const all = [fresh, ...old];
  const least = replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const freshUnavailable = replicasOf(fresh) - availableWithin(fresh, replicasOf(fresh));
  let allowed = sum(all, replicasOf) - least - freshUnavailable;
  const oldest = byAge(old);
  const sizeOf = (set: Stored<ReplicaSet>) => sizes.get(set.metadata.name) ?? replicasOf(set);
  for (const set of oldest) {
    if (allowed <= 0) return sizes;
    const unavailable = replicasOf(set) - availableWithin(set, replicasOf(set));
    const less = Math.min(allowed, unavailable);
    if (less > 0) sizes.set(set.metadata.name, replicasOf(set) - less);
    allowed -= less;
  }
  let spare = sum(all, (set) => availableWithin(set, sizeOf(set))) - least;
  for (const set of oldest) {
    const less = Math.min(sizeOf(set), spare, allowed);
    if (less <= 0) continue;
    sizes.set(set.metadata.name, sizeOf(set) - less);
    spare -= less;
    allowed -= less;
  }
  return sizes;
}

/** A set that was told to shrink may still report pods that are about to go. */
const availableWithin = (set: ReplicaSet, size: number) => Math.min(availableOf(set), size);

/** Oldest first. */
export function byAge(sets: Sets): Stored<ReplicaSet>[] {
  return [...sets].sort((a, b) => {
    const x = a.metadata.creationTimestamp ?? '';
    const y = b.metadata.creationTimestamp ?? '';
    return x < y ? -1 : x > y ? 1 : a.metadata.name < b.metadata.name ? -1 : 1;
  });
}

/** Whether the deployment was scaled since its replica sets were last sized. */
export function wasScaled(deployment: Deployment, all: Sets): boolean {
  return all.some((set) => {
    const noted = numberIn(set, DESIRED_REPLICAS);
    return replicasOf(set) > 0 && noted !== undefined && noted !== replicasOf(deployment);
  });
}

/** Brings the sets to a new size of the deployment, each in proportion to its own. */
export function scaledSizes(deployment: Deployment, fresh: Stored<ReplicaSet> | undefined, old: Sets): Sizes {
  const sizes: Sizes = new Map();
  const all = fresh === undefined ? [...old] : [fresh, ...old];
  const active = all.filter((set) => replicasOf(set) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? fresh ?? byAge(old).at(-1));
  const wanted = replicasOf(deployment);
  if (active.length <= 1) {
    if (only !== undefined) sizes.set(only.metadata.name, wanted);
    return sizes;
  }
  if (fresh !== undefined && isSaturated(deployment, fresh)) {
    for (const set of old) if (replicasOf(set) > 0) sizes.set(set.metadata.name, 0);
    return sizes;
  }
  if (deployment.spec?.strategy?.type === 'Recreate') return sizes;
  return proportionalSizes(deployment, active);
}

function isSaturated(deployment: Deployment, fresh: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  return replicasOf(fresh) === wanted && availableOf(fresh) === wanted && numberIn(fresh, DESIRED_REPLICAS) === wanted;
}

function proportionalSizes(deployment: Deployment, active: Sets): Sizes {
  const sizes: Sizes = new Map();
  const toAdd = maxReplicas(deployment) - sum(active, replicasOf);
  // The largest first; among equals the newest grows first and the oldest shrinks first.
  const aged = byAge(active);
  if (toAdd > 0) aged.reverse();
  const sorted = aged.sort((a, b) => replicasOf(b) - replicasOf(a));
  let added = 0;
  for (const set of sorted) {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd - added);
    sizes.set(set.metadata.name, replicasOf(set) + share);
    added += share;
  }
  const [largest] = sorted;
  if (largest !== undefined) {
    const size = (sizes.get(largest.metadata.name) ?? 0) + toAdd - added;
    sizes.set(largest.metadata.name, Math.max(0, size));
  }
  return sizes;
}

/** How many pods a set gets of those to add (or loses, where that is negative). */
function shareOf(deployment: Deployment, set: ReplicaSet, left: number): number {
  if (left === 0 || replicasOf(set) === 0) return 0;
  const wanted = replicasOf(deployment);
  const before = numberIn(set, MAX_REPLICAS) || deployment.status?.replicas || replicasOf(set);
  const fraction =
    wanted === 0
      ? -replicasOf(set)
      : Math.round((replicasOf(set) * maxReplicas(deployment)) / before) - replicasOf(set);
  return left > 0 ? Math.max(0, Math.min(fraction, left)) : Math.min(0, Math.max(fraction, left));
}
