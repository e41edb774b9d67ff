/**
 * What volumes a pod would have on a node: those that its claims have, free ones that are there, new ones.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
import type { Node } from '../../apis/core/node.ts';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import { classOfClaim } from '../../apis/core/persistentVolumeClaim.ts';
import {
  claimSize,
  isAllowedTopology,
  isReachable,
  NO_PROVISIONER,
  volumesFor,
} from '../../apis/core/volumeBinding.ts';
import type { StorageClass } from '../../apis/storage/storageClass.ts';
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import type { Claim, PodClaims } from './claims.ts';
import type { VolumeView } from './view.ts';

export interface NodeVolumes {
  /** free volumes that claims get */
  readonly bindings: readonly { readonly claim: Claim; readonly volume: Stored<PersistentVolume> }[];
  /** claims for which volumes are to be made */
  readonly provisions: readonly Claim[];
}

const NODE_CONFLICT = 'node(s) had volume node affinity conflict';
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const NO_SPACE = 'node(s) did not have enough free storage';
const NOT_THERE = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
const NOTHING: NodeVolumes = { bindings: [], provisions: [] };

/** Looks at the claims once. @returns a function that says why a node will not do, or what volumes it has for them */
export function volumeFinder(
  { bound, delayed }: PodClaims,
  view: VolumeView,
): (node: Stored<Node>) => NodeVolumes | readonly string[] {
  const volumes = bound.map((claim) => view.volume(claim.spec?.volumeName ?? ''));
  // Small claims first, so that they do not take what only large ones need.
  const open = [...delayed]
    .sort((a, b) => compareQuantities(claimSize(a), claimSize(b)))
    .map((claim) => ({ claim, ...optionsOf(claim, view) }));
  const ofBound = (node: Node) => {
    for (const volume of volumes) {
      if (volume === undefined) return NOT_THERE;
      if (!isReachable(volume, node)) return NODE_CONFLICT;
    }
    return undefined;
  };
  return (node) => {
    const conflict = ofBound(node);
    if (open.length === 0) return conflict === undefined ? NOTHING : [conflict];
    const found = newVolumes(open, node, view);
    if (conflict !== undefined) return typeof found === 'string' ? [conflict, found] : [conflict];
    return typeof found === 'string' ? [found] : found;
  };
}

interface OpenClaim extends ClaimOptions {
  readonly claim: Claim;
}

interface ClaimOptions {
  readonly storageClass: StorageClass | undefined;
  /** the node for which its volume is being made */
  readonly selected: string | undefined;
  /** what was found for it a moment ago; else what it may have, the smallest first */
  readonly volumes: readonly Stored<PersistentVolume>[];
}

function optionsOf(claim: Claim, view: VolumeView): ClaimOptions {
  const className = classOfClaim(claim) ?? '';
  const promised = view.promisedVolume(claim);
  const volume = promised === undefined ? undefined : view.volume(promised);
  return {
    storageClass: view.storageClass(className),
    selected: view.selectedNode(claim),
    volumes: volume === undefined ? volumesFor(claim, view.freeVolumes(className, claim)) : [volume],
  };
}

function newVolumes(open: readonly OpenClaim[], node: Stored<Node>, view: VolumeView): NodeVolumes | string {
  const bindings: { claim: Claim; volume: Stored<PersistentVolume> }[] = [];
  const provisions: Claim[] = [];
  const chosen = new Set<string>();
  for (const { claim, storageClass, selected, volumes } of open) {
    if (selected !== undefined) {
      if (selected !== node.metadata.name) return BIND_CONFLICT;
      provisions.push(claim);
      continue;
    }
    const volume = volumes.find((v) => !chosen.has(v.metadata.uid) && isReachable(v, node));
    if (volume !== undefined) {
      chosen.add(volume.metadata.uid);
      bindings.push({ claim, volume });
      continue;
    }
    const why = whyNotProvisioned(claim, storageClass, node, view);
    if (why !== undefined) return why;
    provisions.push(claim);
  }
  return { bindings, provisions };
}

function whyNotProvisioned(
  claim: Claim,
  storageClass: StorageClass | undefined,
  node: Node,
  view: VolumeView,
): string | undefined {
  const provisioner = storageClass?.provisioner ?? '';
  if (storageClass === undefined || provisioner === '' || provisioner === NO_PROVISIONER) return BIND_CONFLICT;
  if (!isAllowedTopology(storageClass, node)) return BIND_CONFLICT;
  if (view.csiDriver(provisioner)?.spec?.storageCapacity !== true) return undefined;
  const size = claimSize(claim);
  const hasRoom = view.capacities(classOfClaim(claim) ?? '').some(({ capacity, maximumVolumeSize, nodeTopology }) => {
    const limit = maximumVolumeSize ?? capacity;
    if (limit === undefined || compareQuantities(limit, size) < 0 || nodeTopology === undefined) return false;
    const selector = selectorFrom(nodeTopology);
    return selector !== undefined && matchesLabels(selector, node.metadata?.labels);
  });
  return hasRoom ? undefined : NO_SPACE;
}
