/**
 * Nodes from which the devices can be used that a pod's claims have, or can get.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
import type { Plugin } from '../plugin.ts';

export const dynamicResources: Plugin = {
  name: 'DynamicResources',
  retryAfter: ['devices', 'nodeAdded', 'nodeLabels'],
  filter(pod, { devices }) {
    if ((pod.spec.resourceClaims ?? []).length === 0) return undefined;
    const check = devices?.check(pod) ?? (() => 'devices are not known yet');
    return (node) => {
      const why = check(node);
      return why === undefined ? undefined : { reasons: [why], resolvable: false };
    };
  },
};
