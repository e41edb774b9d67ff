/**
 * Taints keep off the pods that do not tolerate them.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
import { isTolerated } from '../../apis/core/tolerations.ts';
import { type Plugin, type Refusal, scaleToLowest } from '../plugin.ts';

const REFUSAL: Refusal = { reasons: ['node(s) had untolerated taint(s)'], resolvable: false };

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  retryAfter: ['nodeAdded', 'nodeTaints'],
  filter({ spec }) {
    return ({ node }) => {
      for (const taint of node.spec?.taints ?? []) {
        if (taint.effect !== 'PreferNoSchedule' && !isTolerated(spec.tolerations, taint)) return REFUSAL;
      }
      return undefined;
    };
  },
  score({ spec }) {
    return {
      of({ node }) {
        const taints = node.spec?.taints ?? [];
        return taints.filter((t) => t.effect === 'PreferNoSchedule' && !isTolerated(spec.tolerations, t)).length;
      },
      normalize: scaleToLowest,
    };
  },
};
