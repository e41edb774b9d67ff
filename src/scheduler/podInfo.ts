/** A pod with what the plugins ask of it, worked out once. */
import type { PodAffinityTerm, WeightedPodAffinityTerm } from '../apis/core/affinity.ts';
import type { Pod } from '../apis/core/pod.ts';
import { heldSpec, isSidecar } from '../apis/core/podResources.ts';
import type { PodSpec } from '../apis/core/podSpec.ts';
import { ephemeralClaimName } from '../apis/core/volumeBinding.ts';
import type { Stored } from '../machinery/kind.ts';
import { type Labels, matchesLabels, type Selector, selectorFrom } from '../machinery/labelSelector.ts';
import { type Amounts, assumedRequests, podRequests } from './podRequests.ts';

export interface HostPort {
  /** `0.0.0.0` where the container names none */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A term of pod affinity or anti-affinity, with its selectors parsed. */
export interface AffinityTerm {
  readonly topologyKey: string;
  /** of preferred terms; 0 of required ones */
  readonly weight: number;
  readonly namespaces: ReadonlySet<string>;
  /** undefined where the term has none */
  readonly namespaceSelector: Selector | undefined;
  /** undefined matches nothing */
  readonly labelSelector: Selector | undefined;
}

export interface AffinityTerms {
  readonly required: readonly AffinityTerm[];
  readonly preferred: readonly AffinityTerm[];
}

export interface PodInfo {
  readonly pod: Stored<Pod>;
  readonly spec: PodSpec;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: Amounts;
  readonly assumed: { readonly cpu: number; readonly memory: number };
  readonly hostPorts: readonly HostPort[];
  readonly affinity: AffinityTerms;
  readonly antiAffinity: AffinityTerms;
  readonly terminating: boolean;
  /** persistent volume claims that its volumes need */
  readonly claims: readonly ClaimReference[];
}

export interface ClaimReference {
  readonly claimName: string;
  /** made for this pod alone */
  readonly ephemeral: boolean;
}

export function podInfoOf(pod: Stored<Pod>): PodInfo {
  const spec = pod.spec ?? { containers: [] };
  const held = heldSpec(pod);
  const { name, uid, namespace = '', labels = {}, deletionTimestamp } = pod.metadata;
  return {
    pod,
    spec,
    uid,
    name,
    namespace,
    labels,
    priority: spec.priority ?? 0,
    requests: podRequests(held),
    assumed: assumedRequests(held),
    hostPorts: hostPortsOf(spec),
    affinity: termsOf(spec.affinity?.podAffinity, namespace),
    antiAffinity: termsOf(spec.affinity?.podAntiAffinity, namespace),
    terminating: deletionTimestamp !== undefined,
    claims: claimsOf(spec, name),
  };
}

const NO_CLAIMS: readonly ClaimReference[] = [];

/** Most pods have none: those share one empty list. */
function claimsOf({ volumes = [] }: PodSpec, podName: string): readonly ClaimReference[] {
  let claims: ClaimReference[] | undefined;
  for (const { name, persistentVolumeClaim, ephemeral } of volumes) {
    const claimName = persistentVolumeClaim?.claimName ?? (ephemeral && ephemeralClaimName(podName, name));
    if (claimName === undefined) continue;
    claims ??= [];
    claims.push({ claimName, ephemeral: ephemeral !== undefined });
  }
  return claims ?? NO_CLAIMS;
}

function hostPortsOf(spec: PodSpec): HostPort[] {
  const running = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  return running.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', protocol: protocol || 'TCP', port: hostPort }] : [],
    ),
  );
}

interface Terms {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly WeightedPodAffinityTerm[];
}

function termsOf(terms: Terms | undefined, namespace: string): AffinityTerms {
  return {
    required: (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => parseTerm(t, 0, namespace)),
    preferred: (terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) =>
      parseTerm(podAffinityTerm, weight, namespace),
    ),
  };
}

function parseTerm(term: PodAffinityTerm, weight: number, own: string): AffinityTerm {
  const named = term.namespaces ?? [];
  const bare = named.length === 0 && term.namespaceSelector === undefined;
  return {
    topologyKey: term.topologyKey,
    weight,
    namespaces: new Set(bare ? [own] : named),
    namespaceSelector: selectorFrom(term.namespaceSelector),
    labelSelector: selectorFrom(term.labelSelector),
  };
}

/** Whether a term speaks of this pod. @param namespaceLabels those of the pod's namespace */
export function termMatches(term: AffinityTerm, pod: PodInfo, namespaceLabels: Labels | undefined): boolean {
  const { namespaces, namespaceSelector, labelSelector } = term;
  const here =
    namespaces.has(pod.namespace) ||
    (namespaceSelector !== undefined && matchesLabels(namespaceSelector, namespaceLabels));
  return here && labelSelector !== undefined && matchesLabels(labelSelector, pod.labels);
}

/** Whether the pod says where other pods should be. */
export function hasAffinity({ affinity, antiAffinity }: PodInfo): boolean {
  return (
    affinity.required.length +
      affinity.preferred.length +
      antiAffinity.required.length +
      antiAffinity.preferred.length >
    0
  );
}
