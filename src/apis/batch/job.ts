import { invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
import { bool, type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { setPodSpecDefaults } from '../core/podDefaults.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';
import { workloadWarnings } from '../core/podWarnings.ts';
import { keepSpec } from '../statusRules.ts';
import { JOB_COLUMNS } from './jobColumns.ts';
import { validateJobStatus } from './jobStatusValidation.ts';
import {
  CONTROLLER_UID_LABEL,
  JOB_NAME_LABEL,
  LEGACY_CONTROLLER_UID_LABEL,
  LEGACY_JOB_NAME_LABEL,
  validateJob,
  validateJobUpdate,
} from './jobValidation.ts';

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
  startTime: opt(2, time, { pointer: true }),
  completionTime: opt(3, time, { pointer: true }),
  active: opt(4, int32, { pointer: false }),
  succeeded: opt(5, int32, { pointer: false }),
  failed: opt(6, int32, { pointer: false }),
  completedIndexes: opt(7, str),
  uncountedTerminatedPods: opt(8, UncountedTerminatedPods),
  ready: opt(9, int32),
  failedIndexes: opt(10, str, { pointer: true }),
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
  parallelism: opt(1, int32, { doc: 'How many pods may run at a time.' }),
  completions: opt(2, int32, { doc: 'How many pods must succeed; absent: when one has, and none runs any more.' }),
  activeDeadlineSeconds: opt(3, int64, { doc: 'How long the job may run before it has failed.' }),
  selector: opt(4, LabelSelector, { doc: 'Which pods are its own; made by the server.' }),
  manualSelector: opt(5, bool, {
    doc: 'Whether the selector and labels are your own affair; say true only if you must.',
  }),
  template: req(6, PodTemplateSpec, { doc: 'What the pods are made from; their restartPolicy is Never or OnFailure.' }),
  backoffLimit: opt(7, int32, { doc: 'How many failures there may be before the job has failed.' }),
  ttlSecondsAfterFinished: opt(8, int32, { doc: 'How long the job is kept when it is over; absent: for ever.' }),
  completionMode: opt(9, str, {
    pointer: true,
    doc: 'NonIndexed: pods are alike. Indexed: each has a number, and all must succeed.',
  }),
  suspend: opt(10, bool, { doc: 'No pods are made, and those that run are deleted, while this is true.' }),
  podFailurePolicy: opt(11, PodFailurePolicy, {
    doc: 'What a failure means, by exit code or by condition of the pod.',
  }),
  backoffLimitPerIndex: opt(12, int32, { doc: 'How many failures there may be of one index of an Indexed job.' }),
  maxFailedIndexes: opt(13, int32, { doc: 'How many indexes may fail before the job has failed.' }),
  podReplacementPolicy: opt(14, str, {
    pointer: true,
    doc: 'When a pod is replaced: TerminatingOrFailed, or Failed once it is over.',
  }),
  managedBy: opt(15, str, {
    pointer: true,
    doc: 'Who looks after the job, if not the built-in controller; never changes.',
  }),
  successPolicy: opt(16, SuccessPolicy, { doc: 'When an Indexed job has succeeded, though not every index has.' }),
}));
export interface JobSpec extends Infer<typeof JobSpec> {}

export const SuccessPolicy = object('io.k8s.api.batch.v1.SuccessPolicy', () => ({
  rules: req(1, list(SuccessPolicyRule)),
}));
export interface SuccessPolicy extends Infer<typeof SuccessPolicy> {}

export const SuccessPolicyRule = object('io.k8s.api.batch.v1.SuccessPolicyRule', () => ({
  succeededIndexes: opt(1, str, { pointer: true }),
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
    containerName: opt(1, str, { pointer: true }),
    operator: req(2, str),
    values: req(3, list(int32, { type: 'set' })),
  }),
);
export interface PodFailurePolicyOnExitCodesRequirement extends Infer<typeof PodFailurePolicyOnExitCodesRequirement> {}

/** Failures that a job puts up with. */
const BACKOFF_LIMIT = 6;
const UNLIMITED = 2 ** 31 - 1;
/** Above these the indexes of a job may become more than its status can hold. */
const MANY_COMPLETIONS = 100_000;
const MANY_AT_A_TIME = 10_000;
const IMMUTABLE = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

/** Jobs: pods that run until enough of them have succeeded. */
export const jobs = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  schema: Job,
  categories: ['all'],
  hasGeneration: true,
  setDefaults: setJobDefaults,
  prepareForCreate(job) {
    job.status = {};
  },
  completeForCreate(job) {
    if (job.spec !== undefined && job.spec.manualSelector !== true) generateSelector(job, job.spec);
  },
  validate: validateJob,
  warnings(job, old) {
    const warnings: string[] = [];
    const spec = job.spec;
    const name = job.metadata?.name ?? '';
    const faults = old === undefined ? dnsLabel(name) : [];
    if (faults.length > 0) {
      warnings.push(
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${faults.join(', ')}]`,
      );
    }
    if (
      spec?.completionMode === 'Indexed' &&
      (spec.completions ?? 0) > MANY_COMPLETIONS &&
      (spec.parallelism ?? 0) > MANY_AT_A_TIME
    ) {
      warnings.push(
        'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
      );
    }
    warnings.push(...workloadWarnings(job, old));
    return warnings;
  },
  update: {
    prepare(job, old) {
      job.status = old.status ?? {};
    },
    validate(job, old) {
      const errors = validateJobUpdate(job, old);
      for (const field of IMMUTABLE) {
        if (!semanticEqual(JobSpec.fields[field].type, job.spec?.[field], old.spec?.[field])) {
          errors.push(invalid(`spec.${field}`, job.spec?.[field], 'field is immutable'));
        }
      }
      return errors;
    },
  },
  status: { prepare: keepSpec, validate: validateJobStatus },
  columns: JOB_COLUMNS,
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
});

function setJobDefaults(job: Job): void {
  const spec = job.spec;
  if (spec === undefined) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : UNLIMITED;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  setJobTemplateDefaults(spec);
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined && Object.keys(job.metadata?.labels ?? {}).length === 0) {
    job.metadata ??= {};
    job.metadata.labels = { ...labels };
  }
}

/** What is filled in also where a spec is only a template of one. */
export function setJobTemplateDefaults(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  }
  if (spec.template?.spec !== undefined) setPodSpecDefaults(spec.template.spec);
}

/** The pods are found by the job's uid. Labels that were given and say something else are refused later. */
function generateSelector(job: Job, spec: JobSpec): void {
  const { uid = '', name = '' } = job.metadata ?? {};
  const generated = {
    [LEGACY_JOB_NAME_LABEL]: name,
    [JOB_NAME_LABEL]: name,
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [CONTROLLER_UID_LABEL]: uid,
  };
  spec.template ??= {};
  const { template } = spec;
  const before = template.metadata?.labels ?? {};
  template.metadata = { ...template.metadata, labels: { ...generated, ...before } };
  spec.selector = {
    ...spec.selector,
    matchLabels: { [CONTROLLER_UID_LABEL]: uid, ...spec.selector?.matchLabels },
  };
  // The job's own labels are those of its pods unless it has others.
  const own = job.metadata?.labels ?? {};
  const same =
    Object.keys(own).length === Object.keys(before).length && Object.keys(own).every((k) => own[k] === before[k]);
  if (same) job.metadata = { ...job.metadata, labels: { ...template.metadata.labels } };
}
