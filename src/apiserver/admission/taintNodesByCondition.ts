/**
 * A new node takes no pods until it is known to be ready.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#taintnodesbycondition
 */
import type { Node } from '../../apis/core/node.ts';
import type { AdmissionPlugin } from './plugin.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  resources: new Set(['/nodes']),
  mutate(request) {
    if (request.operation !== 'CREATE' || request.subresource !== '') return;
    const node = request.object as Node;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    if (taints.some((t) => t.key === NOT_READY.key && t.effect === NOT_READY.effect)) return;
    node.spec.taints = [...taints, { ...NOT_READY }];
  },
};
