/**
 * What is under the kubelet beside its container runtime: the machine's size, the pods' volumes, cgroups and
 * logs, and the way to the pods' network. `linux.ts` is a real one; `simulated/` has one that is only told of.
 */
import type { Container } from '../../apis/core/container.ts';
import type { NodeSystemInfo } from '../../apis/core/node.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { Device, Mount } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { CsiDrivers } from '../csi/drivers.ts';
import type { CsiSources, CsiVolumes } from '../csi/volumes.ts';
import type { Observations } from '../eviction/pressure.ts';
import type { ObservedContainer } from '../pods/observed.ts';
import type { ActionTarget, ActionTools, Handler } from '../probes/actions.ts';
import type { ProbeResult } from '../probes/prober.ts';
import type { CgroupReading } from '../resources/cgroupReading.ts';
import type { MachineReading } from '../stats/reading.ts';
import type { VolumeSources } from '../volumes/sources.ts';
import type { VolumeUse } from '../volumes/volumeUse.ts';
import type { DiskUsage } from './diskUsage.ts';

export interface Machine {
  /** False: there are no files, so none need be kept up to date or small. */
  readonly hasFiles: boolean;
  /** where the kubelet keeps its files; '' where there are none */
  readonly rootDir: string;
  /** amounts by resource, as in the node's status; constant while the machine runs */
  readonly capacity: Readonly<Record<string, string>>;
  /** what of it is for pods */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  /** whether the kernel enforces AppArmor's profiles */
  readonly appArmor: boolean;
  /** What it is, but for what the runtime and the kubelet say of themselves. */
  readonly info: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeletVersion' | 'kubeProxyVersion'>;
  /** the text of the machine's resolv.conf */
  readonly resolvConf: string;
  /** What it has left. @param imagesDir on the disk of the images, where that is known */
  observe(imagesDir: string | undefined): Promise<Observations>;
  /** What a pod has on the disk, beside its containers' own file systems. Never throws. */
  podFiles(pod: Pod): Promise<{
    /** by container */
    readonly logs: ReadonlyMap<string, DiskUsage>;
    /** by volume: those that go with the pod */
    readonly volumes: ReadonlyMap<string, DiskUsage>;
  }>;
  /** How full a pod's volumes are; never throws. */
  volumeUses(pod: Pod): Promise<readonly VolumeUse[]>;
  /** How many processes a pod has; 0 where that is not known. */
  processesOf(pod: Pod): number;
  /** Takes away what the runtime forgot to. @throws RuntimeError */
  tidy(runtime: ContainerRuntime): Promise<void>;
  /** What the kernel says of a cgroup; empty where there is none. */
  cgroup(path: string): CgroupReading;
  /** What it uses now. @throws the file system's error */
  usage(): Promise<MachineReading>;

  /** Makes a pod's folders, cgroup and volumes, and brings the volumes up to date. @throws VolumeError */
  prepare(pod: Pod): Promise<void>;
  /** Gives the classes of service their share of the cpu. @param pods that have their place here */
  shareOut(pods: readonly Pod[]): Promise<void>;
  /** Gives a pod's cgroup the limits that it is to have now. */
  limitPod(pod: Pod): Promise<void>;
  /** Brings the volumes that are made of objects up to date. @throws VolumeError */
  updateVolumes(pod: Pod): Promise<void>;
  /** Takes away what a pod that is over does not need: its volumes and its cgroup. Its logs and last words stay. */
  removeSurroundings(uid: string): Promise<void>;
  /** Takes away all that is left of a pod. */
  removePod(uid: string): Promise<void>;
  /** The uids of all pods of which something is left here. */
  uids(): Promise<ReadonlySet<string>>;

  /** CSI drivers of the machine and their volumes; absent: it has none */
  readonly csi?: {
    /** where drivers register */
    readonly registryDir: string;
    readonly drivers: CsiDrivers;
    readonly volumes: CsiVolumes;
  };

  /** Makes the content of an image, which is there, the content of a volume of a pod. @throws VolumeError */
  mountImage(pod: Pod, volume: string, imageId: string): Promise<void>;
  /** The text of a file in a volume of a pod; undefined where there is none. @throws ContainerConfigError */
  volumeFile(pod: Pod, volume: string, path: string): Promise<string | undefined>;
  /** What a container gets from the machine. @throws ContainerConfigError */
  containerFiles(request: ContainerFilesRequest): Promise<ContainerFiles>;
  makeLogDirectory(path: string): void;
  /** A run's log, and what rotation made of it. @param log below the pod's log folder */
  removeLogs(pod: Pod, log: string): Promise<void>;
  /** What a container that ended had to say. */
  terminationMessage(run: ObservedContainer, pod: Pod): string;
  /** These containers are gone. */
  forgetMessages(containerIds: Iterable<string>): void;

  /** Does what a probe or a hook asks for; never throws. */
  perform(handler: Handler, target: ActionTarget, timeoutMs: number, tools: ActionTools): Promise<ProbeResult>;
}

export interface ContainerFilesRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** which run of the container it is for */
  readonly restarts: number;
  readonly env: ReadonlyMap<string, string>;
  /** of the sandbox */
  readonly ips: readonly string[];
  readonly clusterDomain: string;
  /** whether the runtime can make what is mounted below a volume read only, too */
  readonly recursiveReadOnly: boolean;
}

export interface ContainerFiles {
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  /** where the container's last words are read; '' where nowhere */
  readonly messageFile: string;
}

/** What a machine is given by its kubelet: what volumes are made of, and what the kubelet was told. */
export interface MachineSources extends Omit<VolumeSources, 'nodeAllocatable'>, CsiSources {
  readonly configuration: KubeletConfiguration;
}

/** Machines are made for one kubelet. */
export type MachineFactory = (sources: MachineSources) => Promise<Machine>;
