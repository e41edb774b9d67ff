/**
 * The claims of a pod: made from templates, told in the pod's status, and reserved for a pod that is on a node already.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { PodResourceClaim } from '../../apis/core/podSpec.ts';
import type { PodResourceClaimStatus } from '../../apis/core/podStatus.ts';
import { type ResourceClaim, resourceClaims } from '../../apis/resource/resourceClaim.ts';
import type { ResourceClaimTemplate } from '../../apis/resource/resourceClaimTemplate.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { controllerOf, controllerReference } from '../../machinery/ownerReferences.ts';
import { type Action, statusUpdate } from '../action.ts';
import { isDone } from './release.ts';

/** Says for which of the pod's claims a claim was made. */
const POD_CLAIM = 'resource.kubernetes.io/pod-claim-name';
/** so many pods may use one claim */
const MOST_CONSUMERS = 256;
/** A name of 63 characters without a hyphen and five random ones. */
const MAX_BASE = 57;

export interface PodClaimsWorld {
  readonly pod: Stored<Pod>;
  /** whose controller the pod is */
  readonly owned: readonly Stored<ResourceClaim>[];
  claim(name: string): Stored<ResourceClaim> | undefined;
  template(name: string): Stored<ResourceClaimTemplate> | undefined;
}

export function planPodClaims(world: PodClaimsWorld): Action[] {
  const { pod } = world;
  // Claims of a pod that is done are removed: they must not be made again.
  if (pod.metadata.deletionTimestamp !== undefined || isDone(pod)) return [];
  const actions: Action[] = [];
  const told: PodResourceClaimStatus[] = [];
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    if (podClaim.resourceClaimTemplateName === undefined) continue;
    const known = claimNameOf(pod, podClaim);
    const current = known === undefined ? undefined : world.claim(known);
    if (current !== undefined && isOwnedBy(current, pod)) continue;
    // One that was made already, of which the status does not tell yet.
    const made = world.owned.find((claim) => claim.metadata.annotations?.[POD_CLAIM] === podClaim.name);
    if (made !== undefined) told.push({ name: podClaim.name, resourceClaimName: made.metadata.name });
    else actions.push(creation(world, podClaim, podClaim.resourceClaimTemplateName));
  }
  if (told.length > 0) actions.push(tell(pod, told));
  // Before that the scheduler does it.
  if (pod.spec?.nodeName) actions.push(...reservations(world));
  return actions;
}

/** The name of the claim that a pod means; undefined where it is not made yet. */
export function claimNameOf(pod: Pod, podClaim: PodResourceClaim): string | undefined {
  if (podClaim.resourceClaimName !== undefined) return podClaim.resourceClaimName;
  return pod.status?.resourceClaimStatuses?.find((s) => s.name === podClaim.name)?.resourceClaimName;
}

/** The names of all claims that a pod uses. */
export function claimNamesOf(pod: Pod): string[] {
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  const named = (pod.spec?.resourceClaims ?? []).map((podClaim) => claimNameOf(pod, podClaim));
  return [...named, extended].filter((name) => name !== undefined);
}

function isOwnedBy(claim: Stored<ResourceClaim>, pod: Stored<Pod>): boolean {
  return controllerOf(claim)?.uid === pod.metadata.uid;
}

function creation(world: PodClaimsWorld, podClaim: PodResourceClaim, templateName: string): Action {
  const { pod } = world;
  const { name, namespace = '' } = pod.metadata;
  const failed = (why: string) =>
    ({
      verb: 'event',
      regarding: pod,
      type: 'Warning',
      reason: 'FailedResourceClaimCreation',
      message: `PodResourceClaim ${podClaim.name}: ${why}`,
    }) as const;
  const template = world.template(templateName);
  if (template === undefined) {
    return failed(`resource claim template ${JSON.stringify(templateName)}: it was not found`);
  }
  const { metadata, spec } = template.spec ?? {};
  const object: ResourceClaim = {
    metadata: {
      generateName: baseName(name, podClaim.name),
      namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [POD_CLAIM]: podClaim.name },
      ownerReferences: [controllerReference(pod, pods)],
    },
    spec: spec ?? {},
  };
  return {
    verb: 'create',
    kind: resourceClaims as Kind,
    object,
    announce: { failed: (error) => failed(error.message) },
  };
}

/** Of names that are too long, both are cut, each by its part. */
export function baseName(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`;
  if (whole.length <= MAX_BASE) return whole;
  const cut = (text: string) => text.slice(0, Math.floor((text.length * MAX_BASE) / whole.length));
  return `${cut(pod)}-${cut(claim)}`;
}

function tell(pod: Stored<Pod>, told: readonly PodResourceClaimStatus[]): Action {
  const { name, namespace, uid } = pod.metadata;
  const patch = { metadata: { uid }, status: { resourceClaimStatuses: told } };
  return {
    verb: 'patch',
    kind: pods as Kind,
    ref: { name, namespace },
    type: 'strategic',
    patch,
    subresource: 'status',
  };
}

/** Claims that have their devices, for a pod that somebody put on a node without the scheduler. */
function reservations({ pod, claim: find }: PodClaimsWorld): Action[] {
  const actions: Action[] = [];
  for (const podClaim of pod.spec?.resourceClaims ?? []) {
    const name = claimNameOf(pod, podClaim);
    const claim = name === undefined ? undefined : find(name);
    if (claim?.status?.allocation === undefined) continue;
    if (podClaim.resourceClaimTemplateName !== undefined && !isOwnedBy(claim, pod)) continue;
    const consumers = claim.status.reservedFor ?? [];
    if (consumers.length >= MOST_CONSUMERS || consumers.some((c) => c.uid === pod.metadata.uid)) continue;
    const reservedFor = [...consumers, { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid }];
    actions.push(statusUpdate(resourceClaims, { ...claim, status: { ...claim.status, reservedFor } }));
  }
  return actions;
}
