/**
 * A claim is let go of by pods that do not run any more, then loses its devices; one that was made for a pod goes.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import {
  type ResourceClaim,
  type ResourceClaimConsumerReference,
  resourceClaims,
} from '../../apis/resource/resourceClaim.ts';
import type { Client } from '../../client/client.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { isApiError } from '../../machinery/status.ts';
import { type Action, statusUpdate } from '../action.ts';
import { isFinished } from '../podState.ts';

/** Holds a claim for as long as it has devices. */
const PROTECTION = 'resource.kubernetes.io/delete-protection';

export interface ClaimWorld {
  readonly claim: Stored<ResourceClaim>;
  /** of the claim's namespace */
  pod(name: string): Stored<Pod> | undefined;
  /** asked for pods that are not known here: they may be new */
  readonly client: Client;
}

type Consumer = ResourceClaimConsumerReference;

export function planRelease(world: ClaimWorld): Action[] {
  const { claim, client } = world;
  const consumers = claim.status?.reservedFor ?? [];
  const unknown = consumers.filter((c) => isPod(c) && world.pod(c.name) === undefined);
  const kept = consumers.filter((c) => !isPod(c) || isUsedBy(c, world.pod(c.name)));
  if (unknown.length === 0) return released(world, kept);
  const run = async (signal: AbortSignal): Promise<Action[]> => {
    const live: Consumer[] = [];
    for (const consumer of unknown) {
      const ref = { namespace: claim.metadata.namespace, name: consumer.name };
      const pod = await client.get(pods, ref, { signal }).catch(absent);
      if (isUsedBy(consumer, pod)) live.push(consumer);
    }
    return released(
      world,
      consumers.filter((c) => kept.includes(c) || live.includes(c)),
    );
  };
  return [{ verb: 'work', run }];
}

const isPod = (consumer: Consumer) => (consumer.apiGroup ?? '') === '' && consumer.resource === 'pods';

function isUsedBy(consumer: Consumer, pod: Stored<Pod> | undefined): boolean {
  return pod !== undefined && pod.metadata.uid === consumer.uid && !isDone(pod);
}

/** Whether it is certain that the pod runs nothing and never will. */
export function isDone(pod: Pod): boolean {
  return isFinished(pod) || (pod.metadata?.deletionTimestamp !== undefined && !pod.spec?.nodeName);
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}

function released(world: ClaimWorld, kept: readonly Consumer[]): Action[] {
  const { claim } = world;
  const isHeld = claim.metadata.finalizers?.includes(PROTECTION) === true;
  const isLess = kept.length < (claim.status?.reservedFor ?? []).length;
  const isFree = kept.length === 0;
  const actions: Action[] = [];
  if (isLess || (isFree && isHeld && claim.metadata.deletionTimestamp !== undefined)) {
    const { allocation, ...status } = claim.status ?? {};
    const keepsDevices = allocation !== undefined && !(isFree && isHeld);
    const object: ResourceClaim = {
      ...claim,
      status: { ...status, ...(keepsDevices ? { allocation } : {}), reservedFor: [...kept] },
    };
    if (isLess || allocation !== undefined) actions.push(statusUpdate(resourceClaims, object));
    if (isFree && isHeld) actions.push(letGo(world));
  }
  if (isFree && isForNobody(world)) actions.push({ verb: 'delete', kind: resourceClaims as Kind, object: claim });
  return actions;
}

/** Without devices nothing holds the claim. It is read again: it has just been written. */
function letGo({ claim, client }: ClaimWorld): Action {
  const { name, namespace } = claim.metadata;
  const run = async (signal: AbortSignal): Promise<Action[]> => {
    const live = await client.get(resourceClaims, { name, namespace }, { signal }).catch(absent);
    if (live === undefined || live.status?.allocation !== undefined) return [];
    const finalizers = (live.metadata.finalizers ?? []).filter((f) => f !== PROTECTION);
    const object: ResourceClaim = { ...live, metadata: { ...live.metadata, finalizers } };
    return [{ verb: 'update', kind: resourceClaims as Kind, object }];
  };
  return { verb: 'work', run };
}

/** Whether the claim was made for a pod that does not need it any more. A pod that is gone takes its claims along. */
function isForNobody({ claim, pod: find }: ClaimWorld): boolean {
  const owner = controllerOf(claim);
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1' || claim.metadata.deletionTimestamp !== undefined)
    return false;
  const pod = find(owner.name);
  return pod !== undefined && (pod.metadata.uid !== owner.uid || isDone(pod));
}
