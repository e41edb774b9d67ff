/**
 * A kubelet changes its own node, its own lease and the pods that are bound to it, and nothing else.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
import { type Node, nodes, type Taint } from '../../apis/core/node.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { resourceReferredTo } from '../../apis/core/podObjectReferences.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Stored } from '../../machinery/kind.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import { NODE_LEASE_NAMESPACE, nodeOf } from '../authorization/node.ts';
import { MIRROR_ANNOTATION } from '../authorization/podReferences.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

/** Labels under these domains say things about a node that it must not say of itself … */
const RESERVED_DOMAINS = ['kubernetes.io', 'k8s.io'];
/** … but for these, */
const OWN_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'node.kubernetes.io/windows-build',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
/** … and all below these. */
const OWN_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

export function nodeRestriction(registry: Registry): AdmissionPlugin {
  const refuse = (request: AdmissionRequest, why: string | undefined) => {
    if (why !== undefined) throw forbiddenRequest(request.kind, request.name, why);
  };
  return {
    name: 'NodeRestriction',
    resources: new Set([
      '/pods',
      '/nodes',
      '/persistentvolumeclaims',
      'coordination.k8s.io/leases',
      'storage.k8s.io/csinodes',
    ]),
    validate(request) {
      const node = nodeOf(request.user);
      if (node === undefined) return;
      refuse(request, faultOf(request, node));
      if (request.kind.plural !== 'pods' || request.operation !== 'CREATE' || request.subresource !== '') return;
      const cache = registry.cache(nodes);
      const check = () => refuse(request, ownerFault(request.object as Pod, node, cache.object(undefined, node)));
      const fresh = cache.freshen();
      if (fresh !== undefined) return fresh.then(check);
      check();
    },
  };
}

function faultOf(request: AdmissionRequest, node: string): string | undefined {
  switch (request.kind.plural) {
    case 'nodes':
      return nodeFault(request, node);
    case 'pods':
      return podFault(request, node);
    case 'persistentvolumeclaims':
      return claimFault(request, node);
    case 'csinodes':
      if (request.name === node) return undefined;
      return `can only access CSINode with the same name as the requesting node ${JSON.stringify(node)}`;
    default:
      if (request.namespace !== NODE_LEASE_NAMESPACE || request.name === node) return undefined;
      return `node ${JSON.stringify(node)} may only change the lease of its own name`;
  }
}

/** A kubelet tells how large a volume is that it made larger, and nothing else. */
function claimFault({ operation, subresource, object, oldObject }: AdmissionRequest, node: string): string | undefined {
  if (operation !== 'UPDATE' || subresource !== 'status') {
    return `node ${JSON.stringify(node)} may only update the status of persistentvolumeclaims`;
  }
  const rest = (claim: PersistentVolumeClaim | undefined) => {
    const {
      capacity: _c,
      conditions: _d,
      allocatedResources: _a,
      allocatedResourceStatuses: _s,
      ...status
    } = claim?.status ?? {};
    const { managedFields: _m, resourceVersion: _r, ...metadata } = claim?.metadata ?? {};
    return { metadata, spec: claim?.spec, status };
  };
  return jsonEqual(rest(object as PersistentVolumeClaim), rest(oldObject as PersistentVolumeClaim))
    ? undefined
    : `node ${JSON.stringify(node)} is not allowed to update fields other than status.capacity and status.conditions`;
}

function podFault(request: AdmissionRequest, node: string): string | undefined {
  const shown = JSON.stringify(node);
  const pod = request.object as Pod | undefined;
  const old = request.oldObject as Pod | undefined;
  switch (request.operation) {
    case 'CREATE': {
      if (request.subresource !== '') return undefined;
      if (pod?.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined) {
        return `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${shown} can only create mirror pods`;
      }
      if (pod.spec?.nodeName !== node) return `node ${shown} can only create pods with spec.nodeName set to itself`;
      return referenceFault(pod.spec, shown);
    }
    case 'UPDATE':
      if (request.subresource !== 'status') return `node ${shown} may only update the status of pods`;
      if (old?.spec?.nodeName !== node) {
        return `node ${shown} can only update pod status for pods with spec.nodeName set to itself`;
      }
      if (!jsonEqual(pod?.metadata?.labels ?? {}, old.metadata?.labels ?? {})) {
        return `node ${shown} cannot update labels through pod status`;
      }
      return jsonEqual(pod?.status?.resourceClaimStatuses ?? [], old.status?.resourceClaimStatuses ?? [])
        ? undefined
        : `node ${shown} cannot update resource claim statuses`;
    default:
      return old?.spec?.nodeName === node
        ? undefined
        : `node ${shown} can only delete pods with spec.nodeName set to itself`;
  }
}

/** What a node's pod referred to, the node could read. */
function referenceFault(spec: PodSpec, shown: string): string | undefined {
  const resource = resourceReferredTo(spec) ?? ((spec.imagePullSecrets ?? []).length > 0 ? 'secrets' : undefined);
  if (resource === undefined) return undefined;
  const what = resource === 'serviceaccounts' ? 'a service account' : resource;
  return `node ${shown} can not create pods that reference ${what}`;
}

/** A mirror pod is its node's, so that it goes with it. */
function ownerFault(pod: Pod, node: string, found: Stored<Node> | undefined): string | undefined {
  const shown = JSON.stringify(node);
  const [owner, more] = pod.metadata?.ownerReferences ?? [];
  if (more !== undefined) return `node ${shown} can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `node ${shown} can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) {
    return `node ${shown} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion === true) return `node ${shown} must not set blockOwnerDeletion on an owner reference`;
  if (found === undefined) return `the node ${shown} of the owner reference is not there`;
  const { uid } = found.metadata;
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function nodeFault(request: AdmissionRequest, own: string): string | undefined {
  if (request.name !== own)
    return `node ${JSON.stringify(own)} is not allowed to modify node ${JSON.stringify(request.name)}`;
  const node = request.object as Node | undefined;
  const old = request.oldObject as Node | undefined;
  if (node === undefined) return undefined;
  const bad = changedLabels(node.metadata?.labels ?? {}, old?.metadata?.labels ?? {}).filter((l) => !mayLabel(l));
  if (bad.length > 0) {
    return `is not allowed to modify labels: ${bad.sort().join(', ')}`;
  }
  if (old === undefined || request.subresource !== '') return undefined;
  if (node.spec?.configSource !== undefined && old.spec?.configSource === undefined) {
    return `node ${JSON.stringify(own)} is not allowed to set its configSource`;
  }
  const same = JSON.stringify(sorted(node.spec?.taints)) === JSON.stringify(sorted(old.spec?.taints));
  return same ? undefined : `node ${JSON.stringify(own)} is not allowed to modify taints`;
}

const sorted = (taints: readonly Taint[] | undefined) =>
  (taints ?? []).map((t) => `${t.key}=${t.value ?? ''}:${t.effect}`).sort();

function changedLabels(now: Record<string, string>, before: Record<string, string>): string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((l) => now[l] !== before[l]);
}

function mayLabel(label: string): boolean {
  const slash = label.indexOf('/');
  if (slash < 0 || OWN_LABELS.has(label)) return true;
  const domain = label.slice(0, slash);
  const within = (d: string) => domain === d || domain.endsWith(`.${d}`);
  return OWN_DOMAINS.some(within) || !RESERVED_DOMAINS.some(within);
}
