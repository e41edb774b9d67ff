/** The rules that deployments, replica sets, stateful sets and daemon sets share. */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { percentOf } from '../../machinery/intOrString.ts';
import { matchesLabels, selectorFrom, validateLabelSelector } from '../../machinery/labelSelector.ts';
import type { LabelSelector } from '../../machinery/meta.ts';
import type { IntOrString } from '../../machinery/schema/types.ts';
import type { PodTemplateSpec } from '../core/podTemplate.ts';
import { validatePodTemplate } from '../core/validation/podTemplate.ts';

/** A selector that is there, selects something and is well formed. Whether it is fit to match templates with. */
export function validateSelector(selector: LabelSelector | undefined, path: string, errors: FieldError[]): boolean {
  if (selector === undefined) {
    errors.push(required(path));
    return false;
  }
  const faults = validateLabelSelector(selector, path);
  errors.push(...faults);
  if (isEmptySelector(selector)) {
    errors.push(invalid(path, selector, 'an empty selector would take in every pod of the namespace'));
    return false;
  }
  return faults.length === 0;
}

function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** The template of pods that always run on: selected by their owner, restarted for ever. */
export function validateRunningTemplate(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (template === undefined) {
    errors.push(required(path));
    return;
  }
  const labels = template.metadata?.labels;
  if (selector !== undefined && !matchesLabels(selectorFrom(selector) ?? [], labels)) {
    errors.push(invalid(`${path}.metadata.labels`, labels, '`selector` does not match template `labels`'));
  }
  validatePodTemplate(template, path, errors);
  const spec = template.spec;
  if (spec?.restartPolicy !== undefined && spec.restartPolicy !== 'Always') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ['Always']));
  }
  if (spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(`${path}.spec.activeDeadlineSeconds`, 'not allowed where pods are to run for ever'));
  }
}

/** A count that may be 0. */
export function validateNotNegative(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, 'must be greater than or equal to 0'));
}

/** A number of pods, or a share of them, of at most all. */
export function validateShare(value: IntOrString | undefined, path: string, errors: FieldError[]): void {
  if (typeof value === 'number') {
    validateNotNegative(value, path, errors);
    return;
  }
  if (value === undefined) return;
  const percent = percentOf(value);
  if (percent === undefined) {
    errors.push(invalid(path, value, "must be an integer or percentage (e.g. '5%')"));
  } else if (percent > 100) errors.push(invalid(path, value, 'must not be greater than 100%'));
}

/** Whether a number or share is none. */
export function isZeroShare(value: IntOrString | undefined): boolean {
  return value === undefined || value === 0 || percentOf(value) === 0;
}

/** Counts of a status: none below 0. */
export function validateCounts<K extends string>(
  status: { readonly [F in K]?: number },
  fields: readonly K[],
  errors: FieldError[],
): void {
  for (const field of fields) validateNotNegative(status[field], `status.${field}`, errors);
}

/** A count of collisions only grows: names are made from it. */
export function validateCollisions(now: number | undefined, before: number | undefined, errors: FieldError[]): void {
  if (before !== undefined && (now ?? 0) < before) {
    errors.push(invalid('status.collisionCount', now ?? 0, 'cannot be decremented'));
  }
}
