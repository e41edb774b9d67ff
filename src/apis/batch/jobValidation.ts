/**
 * What is wrong with jobs and with the templates of jobs, and what may change in them.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { matchesLabels, selectorFrom, validateLabelSelector } from '../../machinery/labelSelector.ts';
import { LabelSelector } from '../../machinery/meta.ts';
import { dnsLabel, dnsSubdomain } from '../../machinery/names.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { validateNotNegative } from '../apps/validation.ts';
import { validatePodTemplate } from '../core/validation/podTemplate.ts';
import type { JobTemplateSpec } from './cronJob.ts';
import type { Job, JobSpec, PodFailurePolicy, SuccessPolicy } from './job.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './jobPolicies.ts';
import { validateTemplateUpdate } from './jobTemplateUpdate.ts';

/** Above these the indexes of a job's status would not fit any more. */
const MOST_INDEXED = 100_000;
const MOST_WITH_MANY_COMPLETIONS = 10_000;
const MANAGED_BY_MAX = 63;
const COMPLETION_MODES = ['NonIndexed', 'Indexed'];
const REPLACEMENT_POLICIES = ['Failed', 'TerminatingOrFailed'];
const NOT_NEGATIVE = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

/** What marks the pods of a job, with and without the prefix that came later. */
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid';
export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name';
export const LEGACY_CONTROLLER_UID_LABEL = 'controller-uid';
export const LEGACY_JOB_NAME_LABEL = 'job-name';

/** A job's spec whose template may be missing, as before validation. */
type LooseSpec = Partial<JobSpec>;

export function validateJob(job: Job): FieldError[] {
  const errors: FieldError[] = [];
  const spec: LooseSpec = job.spec ?? {};
  if (spec.manualSelector !== true && spec.selector !== undefined) validateGenerated(job, spec.selector, errors);
  validateJobSpec(spec, 'spec', errors);
  const labels = spec.template?.metadata?.labels;
  if (spec.selector === undefined) errors.push(required('spec.selector'));
  else errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  if (!matchesLabels(selectorFrom(spec.selector) ?? [], labels) || spec.selector === undefined) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  validateHostName(job, spec, errors);
  return errors;
}

/** The selector and labels that the server made are those of this job. */
function validateGenerated(job: Job, selector: LabelSelector, errors: FieldError[]): void {
  const { uid = '', name = '' } = job.metadata ?? {};
  if (uid === '') errors.push(required('metadata.uid'));
  const expected = {
    [LEGACY_CONTROLLER_UID_LABEL]: uid,
    [LEGACY_JOB_NAME_LABEL]: name,
    [CONTROLLER_UID_LABEL]: uid,
    [JOB_NAME_LABEL]: name,
  };
  const labels = job.spec?.template?.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (found === undefined) errors.push(required(path, `must be '${value}'`));
    if ((found ?? '') !== value) errors.push(invalid(path, labels, `must be '${value}'`));
  }
  if (!matchesLabels(selectorFrom(selector) ?? [], expected)) {
    errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'));
  }
}

/** The host name of the last pod of an Indexed job must be one. */
function validateHostName(job: Job, spec: LooseSpec, errors: FieldError[]): void {
  if (spec.completionMode !== 'Indexed' || spec.completions === undefined || spec.completions <= 0) return;
  const name = job.metadata?.name ?? '';
  const last = `${name}-${spec.completions - 1}`;
  if (dnsLabel(last).length > 0) {
    errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`));
  }
}

/** The template of the jobs that a cron job makes. Their selectors are made for them. */
export function validateJobTemplate(template: JobTemplateSpec, path: string, errors: FieldError[]): void {
  const spec: LooseSpec = template.spec ?? {};
  validateJobSpec(spec, `${path}.spec`, errors);
  if (spec.selector !== undefined) {
    errors.push(invalid(`${path}.spec.selector`, spec.selector, '`selector` will be auto-generated'));
  }
  if (spec.manualSelector === true) {
    errors.push(notSupported(`${path}.spec.manualSelector`, spec.manualSelector, ['nil', 'false']));
  }
}

function validateJobSpec(spec: LooseSpec, path: string, errors: FieldError[]): void {
  for (const field of NOT_NEGATIVE) validateNotNegative(spec[field], `${path}.${field}`, errors);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) validateManagedBy(spec.managedBy, `${path}.managedBy`, errors);
  validateCompletionMode(spec, path, errors);
  const policy: PodFailurePolicy | undefined = spec.podFailurePolicy;
  if (policy !== undefined) validatePodFailurePolicy(policy, spec, `${path}.podFailurePolicy`, errors);
  const success: SuccessPolicy | undefined = spec.successPolicy;
  if (success !== undefined) {
    if (spec.completionMode !== 'Indexed') {
      errors.push(invalid(`${path}.successPolicy`, success, 'requires indexed completion mode'));
    } else validateSuccessPolicy(success, spec.completions ?? 0, `${path}.successPolicy`, errors);
  }
  validateReplacement(spec, `${path}.podReplacementPolicy`, errors);
  validatePodTemplate(spec.template ?? {}, `${path}.template`, errors);
  validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`, errors);
}

function validateReplacement(spec: LooseSpec, path: string, errors: FieldError[]): void {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return;
  const supported = spec.podFailurePolicy === undefined ? REPLACEMENT_POLICIES : ['Failed'];
  if (!supported.includes(policy)) errors.push(notSupported(path, policy, supported));
}

function validateRestartPolicy(spec: LooseSpec, path: string, errors: FieldError[]): void {
  const policy = spec.template?.spec?.restartPolicy;
  if (!policy || policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(notSupported(path, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy !== undefined && policy !== 'Never') {
    errors.push(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

/** A path of letters that a URL may have. */
const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** Who looks after the job: `example.com/controller`. */
function validateManagedBy(managedBy: string, path: string, errors: FieldError[]): void {
  const slash = managedBy.indexOf('/');
  const host = managedBy.slice(0, Math.max(0, slash));
  const rest = managedBy.slice(slash + 1);
  if (managedBy === '') errors.push(required(path));
  else if (host === '' || rest === '') {
    errors.push(invalid(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else {
    for (const fault of dnsSubdomain(host)) errors.push(invalid(path, host, fault));
    if (!PATH.test(rest))
      errors.push(invalid(path, rest, `Invalid path (regex used for validation is '${PATH.source}')`));
  }
  if (Buffer.byteLength(managedBy) > MANAGED_BY_MAX) {
    errors.push({
      type: 'FieldValueTooLong',
      field: path,
      detail: `may not be more than ${MANAGED_BY_MAX} bytes`,
    });
  }
}

function validateCompletionMode(spec: LooseSpec, path: string, errors: FieldError[]): void {
  const mode = spec.completionMode;
  if (mode === 'Indexed') {
    validateIndexed(spec, path, errors);
    return;
  }
  if (mode !== undefined && mode !== 'NonIndexed') {
    errors.push(notSupported(`${path}.completionMode`, mode, COMPLETION_MODES));
    return;
  }
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    if (spec[field] !== undefined) {
      errors.push(invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
}

function validateIndexed(spec: LooseSpec, path: string, errors: FieldError[]): void {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const atMost = (field: 'parallelism' | 'maxFailedIndexes', most: number, when: string) => {
    const value = spec[field];
    if (value !== undefined && value > most) {
      errors.push(invalid(`${path}.${field}`, value, `must be less than or equal to ${most}${when}`));
    }
  };
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism !== undefined) atMost('parallelism', MOST_INDEXED, ' when completion mode is Indexed');
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  }
  atMost('maxFailedIndexes', MOST_INDEXED, '');
  if (completions === undefined || completions <= MOST_INDEXED || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    errors.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MOST_INDEXED}`));
  }
  const when = ` when completions are above ${MOST_INDEXED} and used with backoff limit per index`;
  atMost('parallelism', MOST_WITH_MANY_COMPLETIONS, when);
  atMost('maxFailedIndexes', MOST_WITH_MANY_COMPLETIONS, when);
}

/** What an update may not change, but for what never changes at all, which the kind knows. */
export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const errors = validateJob(job);
  const spec: LooseSpec = job.spec ?? {};
  const before: LooseSpec = old.spec ?? {};
  validateCompletions(spec, before, errors);
  if (!semanticEqual(LabelSelector, spec.selector, before.selector)) {
    errors.push(invalid('spec.selector', spec.selector, 'field is immutable'));
  }
  validateTemplateUpdate(job, old, errors);
  return errors;
}

/** An Indexed job may grow and shrink, if all its pods run at once. */
function validateCompletions(spec: LooseSpec, before: LooseSpec, errors: FieldError[]): void {
  const { completions } = spec;
  if (completions === before.completions) return;
  if (spec.completionMode !== 'Indexed') errors.push(invalid('spec.completions', completions, 'field is immutable'));
  else if (completions !== undefined && completions !== spec.parallelism) {
    errors.push(invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism'));
  }
}
