/** What a scheduling decision sees of storage: the objects, and what was decided but is not written yet. */
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { CSIDriver } from '../../apis/storage/csiDriver.ts';
import type { CSINode } from '../../apis/storage/csiNode.ts';
import type { CSIStorageCapacity } from '../../apis/storage/csiStorageCapacity.ts';
import type { StorageClass } from '../../apis/storage/storageClass.ts';
import type { Stored } from '../../machinery/kind.ts';

export interface VolumeView {
  claim(namespace: string, name: string): Stored<PersistentVolumeClaim> | undefined;
  volume(name: string): Stored<PersistentVolume> | undefined;
  /** Volumes of a class that nobody was promised, or just those that are kept for the claim. */
  freeVolumes(className: string, claim: Stored<PersistentVolumeClaim>): readonly Stored<PersistentVolume>[];
  storageClass(name: string): Stored<StorageClass> | undefined;
  csiNode(nodeName: string): Stored<CSINode> | undefined;
  csiDriver(name: string): Stored<CSIDriver> | undefined;
  capacities(className: string): readonly Stored<CSIStorageCapacity>[];
  /** The volume that was found for a claim, though its object does not say so yet. */
  promisedVolume(claim: Stored<PersistentVolumeClaim>): string | undefined;
  /** The node for which the claim's volume is made, or is to be made. */
  selectedNode(claim: Stored<PersistentVolumeClaim>): string | undefined;
}
