/**
 * Nodes on which a pod's claims have their volumes, or can get them.
 * Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
import type { Plugin } from '../plugin.ts';
import { podClaims } from '../volumes/claims.ts';
import { volumeFinder } from '../volumes/findVolumes.ts';

export const volumeBinding: Plugin = {
  name: 'VolumeBinding',
  retryAfter: ['claim', 'volume', 'storageClass', 'storageDriver', 'nodeAdded', 'nodeLabels'],
  filter(pod, { volumes }) {
    if (pod.claims.length === 0) return undefined;
    if (volumes === undefined) return { reasons: ['volumes are not known yet'], resolvable: false, ofPod: true };
    const claims = podClaims(pod, volumes);
    if (typeof claims === 'string') return { reasons: [claims], resolvable: false, ofPod: true };
    const find = volumeFinder(claims, volumes);
    return ({ node }) => {
      const found = find(node);
      return 'bindings' in found ? undefined : { reasons: found, resolvable: false };
    };
  },
};
