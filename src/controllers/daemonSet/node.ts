/**
 * Whether a daemon set's pod belongs on a node, and the pod for it.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
 */
import { type DaemonSet, daemonSets } from '../../apis/apps/daemonSet.ts';
import type { Affinity, NodeSelectorTerm, Toleration } from '../../apis/core/affinity.ts';
import type { Node } from '../../apis/core/node.ts';
import { matchesNodeSelection } from '../../apis/core/nodeSelection.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { isTolerated } from '../../apis/core/tolerations.ts';
import type { Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { REVISION_LABEL } from '../revisions.ts';

/** The template's generation, as pods of old carried it; kept where a set has it. */
export const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';
const GENERATION_LABEL = 'pod-template-generation';

export interface Belonging {
  /** a pod is to be started here */
  readonly run: boolean;
  /** a pod that runs here may stay */
  readonly stay: boolean;
}

export function belonging(set: DaemonSet, node: Stored<Node>): Belonging {
  const spec = set.spec?.template?.spec ?? { containers: [] };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!matchesNodeSelection(spec, node)) return { run: false, stay: false };
  const tolerations = tolerationsOf(spec);
  const taints = (node.spec?.taints ?? []).filter((taint) => !isTolerated(tolerations, taint));
  return {
    run: !taints.some((t) => t.effect === 'NoSchedule' || t.effect === 'NoExecute'),
    stay: !taints.some((t) => t.effect === 'NoExecute'),
  };
}

/** The pod of a set for one node. */
export function podFor(set: Stored<DaemonSet>, hash: string, nodeName: string): Pod {
  const { metadata, spec = { containers: [] } } = set.spec?.template ?? {};
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  return {
    metadata: {
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? '',
      labels: {
        ...metadata?.labels,
        [REVISION_LABEL]: hash,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
      },
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata?.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(set, daemonSets)],
    },
    spec: { ...spec, tolerations: tolerationsOf(spec), affinity: pinned(spec.affinity, nodeName) },
  };
}

/** Daemons run where other pods would not: on nodes that are not ready, are short of something, or are cordoned. */
function tolerationsOf(spec: PodSpec): Toleration[] {
  const added: Toleration[] = [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
  ];
  if (spec.hostNetwork === true)
    added.push({ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' });
  const own = spec.tolerations ?? [];
  const isOwn = (t: Toleration) =>
    own.some((o) => o.key === t.key && o.effect === t.effect && o.operator === t.operator);
  return [...own, ...added.filter((t) => !isOwn(t))];
}

/** The scheduler binds the pod, but to this node alone. What the template requires of nodes was looked at already. */
function pinned(affinity: Affinity | undefined, nodeName: string): Affinity {
  const term: NodeSelectorTerm = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] };
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  };
}

/** The node that a pod is on, or was made for. */
export function nodeNameOf(pod: Pod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const field = required?.nodeSelectorTerms.flatMap((t) => t.matchFields ?? []).find((f) => f.key === 'metadata.name');
  return field?.values?.[0] ?? '';
}
