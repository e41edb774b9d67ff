/**
 * What a kubelet can be told: the fields of KubeletConfiguration that it heeds. A file that names others is refused.
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */

export interface KubeletConfiguration {
  /** by signal: an amount (`100Mi`) or a share (`10%`) */
  readonly evictionHard: Readonly<Record<string, string>>;
  readonly evictionSoft: Readonly<Record<string, string>>;
  /** by signal: for how long a soft threshold is passed before pods go */
  readonly evictionSoftGracePeriod: Readonly<Record<string, string>>;
  /** by signal: how much more than the threshold is freed once it was passed */
  readonly evictionMinimumReclaim: Readonly<Record<string, string>>;
  readonly evictionPressureTransitionPeriod: string;
  /** in seconds: the most that a pod is given to end for a soft threshold */
  readonly evictionMaxPodGracePeriod: number;
  /** one pull after the other */
  readonly serializeImagePulls: boolean;
  /** how many pulls at once where they are not one after the other; 0: any number */
  readonly maxParallelImagePulls: number;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAge: string;
  /** `0s`: images are not removed for their age */
  readonly imageMaximumGCAge: string;
  readonly containerLogMaxSize: string;
  readonly containerLogMaxFiles: number;
  readonly containerLogMonitorInterval: string;
  readonly maxPods: number;
  /** of each pod; -1: as many as the node has */
  readonly podPidsLimit: number;
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  /** a list of CPUs that no pod has for its own: `0-1` */
  readonly reservedSystemCPUs: string;
  readonly cpuManagerPolicy: string;
  readonly memoryManagerPolicy: string;
  /** what of the memory of each NUMA node is not for pods */
  readonly reservedMemory: readonly ReservedMemory[];
  readonly staticPodPath: string;
  readonly staticPodURL: string;
  readonly staticPodURLHeader: Readonly<Record<string, readonly string[]>>;
  readonly fileCheckFrequency: string;
  readonly httpCheckFrequency: string;
  readonly allowedUnsafeSysctls: readonly string[];
  /** how many seconds of grace pods get when the node shuts down, and of these how many are the critical ones' */
  readonly shutdownGracePeriod: string;
  readonly shutdownGracePeriodCriticalPods: string;
}

export interface ReservedMemory {
  readonly numaNode: number;
  readonly limits: Readonly<Record<string, string>>;
}

export const DEFAULT_CONFIGURATION: KubeletConfiguration = {
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '10%',
    'nodefs.inodesFree': '5%',
    'imagefs.available': '15%',
    'imagefs.inodesFree': '5%',
  },
  evictionSoft: {},
  evictionSoftGracePeriod: {},
  evictionMinimumReclaim: {},
  evictionPressureTransitionPeriod: '5m0s',
  evictionMaxPodGracePeriod: 0,
  serializeImagePulls: true,
  maxParallelImagePulls: 0,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAge: '2m0s',
  imageMaximumGCAge: '0s',
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  containerLogMonitorInterval: '10s',
  maxPods: 110,
  podPidsLimit: -1,
  systemReserved: {},
  kubeReserved: {},
  reservedSystemCPUs: '',
  cpuManagerPolicy: 'none',
  memoryManagerPolicy: 'None',
  reservedMemory: [],
  staticPodPath: '',
  staticPodURL: '',
  staticPodURLHeader: {},
  fileCheckFrequency: '20s',
  httpCheckFrequency: '20s',
  allowedUnsafeSysctls: [],
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
};
