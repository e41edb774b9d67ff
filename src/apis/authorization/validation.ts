/** What is wrong with a question about access. */
import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import type { NonResourceAttributes, ResourceAttributes } from './access.ts';

interface AccessSpec {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: NonResourceAttributes;
  user?: string;
  groups?: string[];
}

/** It asks about a resource or about a URL; and, where it is about someone else, it says about whom. */
export function validateAccessSpec(spec: AccessSpec, aboutOthers: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalid('spec.nonResourceAttributes', nonResourceAttributes, detail));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalid('spec.resourceAttributes', resourceAttributes, detail));
  }
  if (aboutOthers && !spec.user && (spec.groups ?? []).length === 0) {
    errors.push(invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
  }
  for (const field of ['fieldSelector', 'labelSelector'] as const) {
    const selector = resourceAttributes?.[field];
    if (selector?.rawSelector && (selector.requirements ?? []).length > 0) {
      const detail = 'may not specified at the same time as requirements';
      errors.push(invalid(`spec.resourceAttributes.${field}.rawSelector`, selector.rawSelector, detail));
    }
  }
  return errors;
}
