/** What is wrong with taints of devices, tolerations of them, and conditions of binding. */
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { labelValue, qualifiedName } from '../../machinery/names.ts';
import { validateEach, validateName } from './names.ts';
import type { DeviceToleration } from './resourceClaim.ts';
import type { DeviceTaint } from './resourceSlice.ts';

const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
const MAX_BINDING_CONDITIONS = 4;

export function validateTaint(taint: DeviceTaint, path: string, errors: FieldError[]): void {
  validateName(taint.key, qualifiedName, `${path}.key`, errors);
  if (taint.value) validateName(taint.value, labelValue, `${path}.value`, errors);
  if (!taint.effect) errors.push(required(`${path}.effect`));
  else if (!EFFECTS.includes(taint.effect)) errors.push(notSupported(`${path}.effect`, taint.effect, EFFECTS));
}

export function validateToleration(toleration: DeviceToleration, path: string, errors: FieldError[]): void {
  const { key, operator, value, effect } = toleration;
  if (key) validateName(key, qualifiedName, `${path}.key`, errors);
  switch (operator ?? '') {
    case 'Exists':
      if (value) errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
      break;
    case 'Equal':
      validateName(value, labelValue, `${path}.value`, errors);
      break;
    case '':
      errors.push(required(`${path}.operator`));
      break;
    default:
      errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
}

export function validateBindingConditions(
  conditions: readonly string[] | undefined,
  failures: readonly string[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const good = conditions ?? [];
  const bad = failures ?? [];
  for (const [field, values] of [
    ['bindingConditions', good],
    ['bindingFailureConditions', bad],
  ] as const) {
    const at = `${path}.${field}`;
    validateEach(values, MAX_BINDING_CONDITIONS, at, errors, (v, p, e) => validateName(v, qualifiedName, p, e));
    for (const [i, value] of values.entries()) {
      if (values.indexOf(value) < i) errors.push(duplicate(`${at}[${i}]`, value));
      if (values === bad && good.includes(value)) {
        errors.push(invalid(`${at}[${i}]`, value, 'bindingFailureConditions must not overlap with bindingConditions'));
      }
    }
  }
  if (good.length === 0 && bad.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(invalid(`${path}.bindingConditions`, good, detail));
  }
  if (bad.length === 0 && good.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(invalid(`${path}.bindingFailureConditions`, bad, detail));
  }
}
