import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';

export const Job = object('io.k8s.api.batch.v1.Job', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, JobSpec),
  status: opt(3, JobStatus),
}));
export interface Job extends Infer<typeof Job> {}

export const JobStatus = object('io.k8s.api.batch.v1.JobStatus', () => ({
  conditions: opt(1, list(JobCondition, { patch: 'merge', mergeKey: 'type' })),
  startTime: opt(2, time),
  completionTime: opt(3, time),
  active: opt(4, int32),
  succeeded: opt(5, int32),
  failed: opt(6, int32),
  completedIndexes: opt(7, str),
  uncountedTerminatedPods: opt(8, UncountedTerminatedPods),
  ready: opt(9, int32),
  failedIndexes: opt(10, str),
  terminating: opt(11, int32),
}));
export interface JobStatus extends Infer<typeof JobStatus> {}

export const UncountedTerminatedPods = object('io.k8s.api.batch.v1.UncountedTerminatedPods', () => ({
  succeeded: opt(1, list(str, { type: 'set' })),
  failed: opt(2, list(str, { type: 'set' })),
}));
export interface UncountedTerminatedPods extends Infer<typeof UncountedTerminatedPods> {}

export const JobCondition = object('io.k8s.api.batch.v1.JobCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
}));
export interface JobCondition extends Infer<typeof JobCondition> {}

export const JobSpec = object('io.k8s.api.batch.v1.JobSpec', () => ({
  parallelism: opt(1, int32),
  completions: opt(2, int32),
  activeDeadlineSeconds: opt(3, int64),
  selector: opt(4, LabelSelector),
  manualSelector: opt(5, bool),
  template: req(6, PodTemplateSpec),
  backoffLimit: opt(7, int32),
  ttlSecondsAfterFinished: opt(8, int32),
  completionMode: opt(9, str),
  suspend: opt(10, bool),
  podFailurePolicy: opt(11, PodFailurePolicy),
  backoffLimitPerIndex: opt(12, int32),
  maxFailedIndexes: opt(13, int32),
  podReplacementPolicy: opt(14, str),
  managedBy: opt(15, str),
  successPolicy: opt(16, SuccessPolicy),
}));
export interface JobSpec extends Infer<typeof JobSpec> {}

export const SuccessPolicy = object('io.k8s.api.batch.v1.SuccessPolicy', () => ({
  rules: req(1, list(SuccessPolicyRule)),
}));
export interface SuccessPolicy extends Infer<typeof SuccessPolicy> {}

export const SuccessPolicyRule = object('io.k8s.api.batch.v1.SuccessPolicyRule', () => ({
  succeededIndexes: opt(1, str),
  succeededCount: opt(2, int32),
}));
export interface SuccessPolicyRule extends Infer<typeof SuccessPolicyRule> {}

export const PodFailurePolicy = object('io.k8s.api.batch.v1.PodFailurePolicy', () => ({
  rules: req(1, list(PodFailurePolicyRule)),
}));
export interface PodFailurePolicy extends Infer<typeof PodFailurePolicy> {}

export const PodFailurePolicyRule = object('io.k8s.api.batch.v1.PodFailurePolicyRule', () => ({
  action: req(1, str),
  onExitCodes: opt(2, PodFailurePolicyOnExitCodesRequirement),
  onPodConditions: opt(3, list(PodFailurePolicyOnPodConditionsPattern)),
}));
export interface PodFailurePolicyRule extends Infer<typeof PodFailurePolicyRule> {}

export const PodFailurePolicyOnPodConditionsPattern = object(
  'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern',
  () => ({
    type: req(1, str),
    status: opt(2, str),
  }),
);
export interface PodFailurePolicyOnPodConditionsPattern extends Infer<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyOnExitCodesRequirement = object(
  'io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement',
  () => ({
    containerName: opt(1, str),
    operator: req(2, str),
    values: req(3, list(int32, { type: 'set' })),
  }),
);
export interface PodFailurePolicyOnExitCodesRequirement extends Infer<typeof PodFailurePolicyOnExitCodesRequirement> {}
