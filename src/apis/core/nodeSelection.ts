/**
 * Which nodes a pod asks for, by its nodeSelector and its required node affinity.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
import { matchesLabels, type Requirement, selectorFromMap } from '../../machinery/labelSelector.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm } from './affinity.ts';
import type { Node } from './node.ts';
import type { PodSpec } from './podSpec.ts';

/** Whether the node is one that the pod may run on as far as selector and required affinity say. */
export function matchesNodeSelection(spec: PodSpec, node: Node): boolean {
  if (!matchesLabels(selectorFromMap(spec.nodeSelector), node.metadata?.labels)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** All of a term must hold; a term that says nothing matches no node. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchesLabels(matchExpressions.map(requirementOf), node.metadata?.labels) &&
    matchesLabels(matchFields.map(requirementOf), { 'metadata.name': node.metadata?.name ?? '' })
  );
}

function requirementOf({ key, operator, values }: NodeSelectorRequirement): Requirement {
  // Validation lets no other operators in.
  return { key, operator: operator as Requirement['operator'], values: values ?? [] };
}
