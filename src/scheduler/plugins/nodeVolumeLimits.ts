/**
 * How many volumes of a CSI driver a node takes, where the driver says so.
 * Source: https://kubernetes.io/docs/concepts/storage/storage-limits/
 */
import { classOfClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Plugin, Refusal } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';
import type { VolumeView } from '../volumes/view.ts';

const REFUSAL: Refusal = { reasons: ['node(s) exceed max volume count'], resolvable: true };

export const nodeVolumeLimits: Plugin = {
  name: 'NodeVolumeLimits',
  retryAfter: ['podGone', 'nodeAdded', 'storageDriver', 'claim', 'volume'],
  filter(pod, { volumes }) {
    if (pod.claims.length === 0 || volumes === undefined) return undefined;
    const wanted = new Map<string, string>();
    addVolumes(wanted, pod, volumes);
    if (wanted.size === 0) return undefined;
    return (node) => {
      const limits = new Map<string, number>();
      for (const { name, allocatable } of volumes.csiNode(node.name)?.spec.drivers ?? []) {
        if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
      }
      if (limits.size === 0) return undefined;
      const used = new Map<string, string>();
      for (const other of node.pods) addVolumes(used, other, volumes);
      // What the pod shares with others of the node is there already.
      const added = new Set([...wanted].filter(([volume]) => !used.has(volume)).map(([, driver]) => driver));
      for (const [volume, driver] of wanted) used.set(volume, driver);
      for (const driver of added) {
        const count = [...used.values()].filter((d) => d === driver).length;
        if (count > (limits.get(driver) ?? Number.POSITIVE_INFINITY)) return REFUSAL;
      }
      return undefined;
    };
  },
};

/** Adds the driver of each of a pod's volumes, by what identifies the volume. */
function addVolumes(drivers: Map<string, string>, pod: PodInfo, view: VolumeView): void {
  for (const { claimName } of pod.claims) {
    const claim = view.claim(pod.namespace, claimName);
    if (claim === undefined) continue;
    const csi = claim.spec?.volumeName ? view.volume(claim.spec.volumeName)?.spec?.csi : undefined;
    if (csi !== undefined) drivers.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    else if (!claim.spec?.volumeName) {
      // Its volume will be of the driver that makes it.
      const driver = view.storageClass(classOfClaim(claim) ?? '')?.provisioner;
      if (driver !== undefined) drivers.set(`${driver}/claim ${claim.metadata.uid}`, driver);
    }
  }
}
