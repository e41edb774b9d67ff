/**
 * Volumes that not every pod can have: claims for one pod only, and disks that bear no second user on a node.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
 */
import type { Volume } from '../../apis/core/volumes.ts';
import type { Plugin, Refusal } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';
import type { Snapshot } from '../snapshot.ts';

const ONE_POD: Refusal = {
  reasons: ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'],
  resolvable: true,
};
const DISK: Refusal = { reasons: ['node(s) had no available disk'], resolvable: true };

export const volumeRestrictions: Plugin = {
  name: 'VolumeRestrictions',
  retryAfter: ['podGone', 'nodeAdded', 'claim'],
  filter(pod, snapshot) {
    const { volumes = [] } = pod.spec;
    const taken = isTakenByAnother(pod, snapshot);
    const disks = volumes.some(isDisk) ? volumes.filter(isDisk) : [];
    if (disks.length === 0) return taken ? () => ONE_POD : undefined;
    return (node) => {
      const there = node.pods.flatMap((other) => (other.spec.volumes ?? []).filter(isDisk));
      if (there.some((other) => disks.some((disk) => conflicts(disk, other)))) return DISK;
      return taken ? ONE_POD : undefined;
    };
  },
};

/** Whether a claim that only one pod may use has one, wherever that is. */
function isTakenByAnother(pod: PodInfo, { nodes, volumes }: Snapshot): boolean {
  if (pod.claims.length === 0 || volumes === undefined) return false;
  const exclusive = new Set<string>();
  for (const { claimName } of pod.claims) {
    const modes = volumes.claim(pod.namespace, claimName)?.spec?.accessModes;
    if (modes?.includes('ReadWriteOncePod')) exclusive.add(claimName);
  }
  if (exclusive.size === 0) return false;
  return nodes.some((node) =>
    node.pods.some(
      (other) => other.namespace === pod.namespace && other.claims.some(({ claimName }) => exclusive.has(claimName)),
    ),
  );
}

const isDisk = (v: Volume) => (v.gcePersistentDisk ?? v.awsElasticBlockStore ?? v.iscsi ?? v.rbd) !== undefined;

/** Whether two volumes are the same disk, and not both only read. */
function conflicts(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined) {
    const [one, other] = [a.gcePersistentDisk, b.gcePersistentDisk];
    return one.pdName === other.pdName && !(one.readOnly && other.readOnly);
  }
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  }
  if (a.iscsi !== undefined && b.iscsi !== undefined) {
    return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly);
  }
  if (a.rbd !== undefined && b.rbd !== undefined) {
    const [one, other] = [a.rbd, b.rbd];
    const monitors = one.monitors.some((monitor) => other.monitors.includes(monitor));
    const same = monitors && (one.pool || 'rbd') === (other.pool || 'rbd') && one.image === other.image;
    return same && !(one.readOnly && other.readOnly);
  }
  return false;
}
