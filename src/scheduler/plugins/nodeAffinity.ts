/**
 * Nodes that a pod selects (nodeSelector, required node affinity) and those that it would rather have.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
 */
import { matchesNodeSelection, matchesNodeSelectorTerm } from '../../apis/core/nodeSelection.ts';
import { type Plugin, type Refusal, scaleToHighest } from '../plugin.ts';

const REFUSAL: Refusal = { reasons: ["node(s) didn't match Pod's node affinity/selector"], resolvable: false };

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  retryAfter: ['nodeAdded', 'nodeLabels'],
  filter({ spec }) {
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (spec.nodeSelector === undefined && required === undefined) return undefined;
    return ({ node }) => (matchesNodeSelection(spec, node) ? undefined : REFUSAL);
  },
  score({ spec }) {
    const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    return {
      of({ node }) {
        let sum = 0;
        for (const { weight, preference } of preferred) if (matchesNodeSelectorTerm(preference, node)) sum += weight;
        return sum;
      },
      normalize: scaleToHighest,
    };
  },
};
