/** What a node and its containers have used, as counters and amounts at a moment. */
import type { VolumeUse } from '../volumes/volumeUse.ts';

export interface ContainerReading {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly id: string;
  readonly image: string;
  /** ms since the epoch */
  readonly startedAt: number;
  /** ms since the epoch: when it was read */
  readonly at: number;
  /** since it started */
  readonly cpuNanoseconds: number;
  /** what cannot be taken from it when memory is short */
  readonly workingSetBytes: number;
  readonly usageBytes?: number;
  readonly rssBytes?: number;
  readonly pageFaults?: number;
  readonly majorPageFaults?: number;
  /** what it wrote into its own file system */
  readonly writtenBytes?: number;
  readonly writtenInodes?: number;
}

export interface MachineReading {
  /** since the machine started */
  readonly cpuNanoseconds: number;
  readonly workingSetBytes: number;
  readonly usageBytes: number;
  readonly availableBytes: number;
  /** ms since the epoch: when the machine started */
  readonly startedAt: number;
  /** of the file system where pods' files lie; absent where there are no files */
  readonly disk?: {
    readonly capacityBytes: number;
    readonly availableBytes: number;
    readonly inodes: number;
    readonly inodesFree: number;
  };
}

/** What came in and went out of a pod's network, since there is the pod. */
export interface NetworkReading {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly sandboxId: string;
  /** the one that the pod's address is on first */
  readonly interfaces: readonly InterfaceReading[];
}

/** How full a volume of a pod is. */
export interface VolumeReading extends VolumeUse {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
}

export interface InterfaceReading {
  readonly name: string;
  readonly receivedBytes: number;
  readonly receiveErrors: number;
  readonly sentBytes: number;
  readonly sendErrors: number;
}

export interface NodeReading extends MachineReading {
  readonly nodeName: string;
  /** ms since the epoch */
  readonly at: number;
  /** that run */
  readonly containers: readonly ContainerReading[];
  /** absent: nobody asked, or the runtime cannot tell */
  readonly networks?: readonly NetworkReading[];
  /** absent: nobody asked */
  readonly volumes?: readonly VolumeReading[];
}
