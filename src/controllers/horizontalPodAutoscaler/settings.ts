/** What the controller manager is told of autoscaling: its flags of the same names. */

export interface AutoscalerSettings {
  readonly syncPeriodMs: number;
  /** of the ratio of what is used to what is to be used: within this of 1, nothing changes */
  readonly tolerance: number;
  /** Since a pod started: so long its CPU counts only while it is ready. */
  readonly cpuInitializationMs: number;
  /** Since a pod started: what becomes unready in this time was never ready. */
  readonly initialReadinessDelayMs: number;
  /** Where the behavior does not say: so long the highest recommendation counts before fewer pods are made. */
  readonly downscaleStabilizationMs: number;
}

/** Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
export const DEFAULT_SETTINGS: AutoscalerSettings = {
  syncPeriodMs: 15_000,
  tolerance: 0.1,
  cpuInitializationMs: 5 * 60_000,
  initialReadinessDelayMs: 30_000,
  downscaleStabilizationMs: 5 * 60_000,
};
