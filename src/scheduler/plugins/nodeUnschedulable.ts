/** Keeps pods off cordoned nodes, unless they put up with that. */
import type { Taint } from '../../apis/core/node.ts';
import { isTolerated } from '../../apis/core/tolerations.ts';
import type { Plugin, Refusal } from '../plugin.ts';

/** What a cordoned node is as if it were tainted with. */
const CORDONED: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const REFUSAL: Refusal = { reasons: ['node(s) were unschedulable'], resolvable: false };

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  retryAfter: ['nodeAdded', 'nodeTaints'],
  filter(pod) {
    if (isTolerated(pod.spec.tolerations, CORDONED)) return undefined;
    return ({ node }) => (node.spec?.unschedulable === true ? REFUSAL : undefined);
  },
};
