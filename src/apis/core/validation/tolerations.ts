/**
 * What is wrong with the taints that a pod puts up with.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
import { type FieldError, invalid, notSupported } from '../../../machinery/fieldError.ts';
import { labelValue, qualifiedName } from '../../../machinery/names.ts';
import type { Toleration } from '../affinity.ts';
import { checkName } from './rules.ts';

const OPERATORS = ['Equal', 'Exists'];

/** What a taint does to pods that do not put up with it. */
export const TAINT_EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'];

export function validateTolerations(tolerations: readonly Toleration[], path: string, errors: FieldError[]): void {
  for (const [i, toleration] of tolerations.entries()) validateToleration(toleration, `${path}[${i}]`, errors);
}

function validateToleration(toleration: Toleration, path: string, errors: FieldError[]): void {
  const { key, operator, value, effect } = toleration;
  if (key) checkName(key, qualifiedName, `${path}.key`, errors);
  else if (operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(`${path}.operator`, operator, detail));
  }
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  switch (operator) {
    case 'Equal':
    case '':
    case undefined:
      if (value) checkName(value, labelValue, `${path}.operator`, errors);
      break;
    case 'Exists':
      if (value) errors.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      break;
    default:
      errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  }
  if (effect && !TAINT_EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, TAINT_EFFECTS));
}
