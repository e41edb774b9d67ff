/**
 * Nodes of the zone and region in which a pod's volumes are, by the labels of the volumes.
 * Source: https://kubernetes.io/docs/setup/best-practices/multiple-zones/#storage-access-for-zones
 */
import type { Plugin, Refusal } from '../plugin.ts';

const LABELS = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];
const REFUSAL: Refusal = { reasons: ['node(s) had no available volume zone'], resolvable: false };

/** The older name of a label means the same. */
const stable = (label: string) => label.replace('failure-domain.beta.', 'topology.');

export const volumeZone: Plugin = {
  name: 'VolumeZone',
  retryAfter: ['claim', 'volume', 'storageClass', 'nodeAdded', 'nodeLabels'],
  filter(pod, { volumes }) {
    if (pod.claims.length === 0 || volumes === undefined) return undefined;
    const wanted: { label: string; values: ReadonlySet<string> }[] = [];
    for (const { claimName } of pod.claims) {
      const name = volumes.claim(pod.namespace, claimName)?.spec?.volumeName;
      const labels = (name ? volumes.volume(name)?.metadata.labels : undefined) ?? {};
      for (const label of LABELS) {
        const value = labels[label];
        // A volume may be in several.
        if (value !== undefined) wanted.push({ label, values: new Set(value.split('__')) });
      }
    }
    if (wanted.length === 0) return undefined;
    return (node) => {
      // A node that says nothing of zones is of a cluster that has none.
      if (!LABELS.some((label) => node.labels[label] !== undefined)) return undefined;
      const fits = wanted.every(({ label, values }) =>
        values.has(node.labels[label] ?? node.labels[stable(label)] ?? ''),
      );
      return fits ? undefined : REFUSAL;
    };
  },
};
