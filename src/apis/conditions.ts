/** The rules for conditions that kinds share. */
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from '../machinery/fieldError.ts';
import type { Condition } from '../machinery/meta.ts';
import { qualifiedName } from '../machinery/names.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const MAX_REASON = 1024;
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const MAX_MESSAGE = 32_768;

/** Conditions of the common form: one of a type, each with what it is and why. */
export function validateConditions(conditions: readonly Condition[], path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, condition] of conditions.entries()) {
    const at = `${path}[${i}]`;
    const { type = '', status = '', reason = '', message = '' }: Partial<Condition> = condition;
    if (type === '') errors.push(required(`${at}.type`, 'must be set'));
    else for (const fault of qualifiedName(type)) errors.push(invalid(`${at}.type`, type, fault));
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    if (!STATUSES.includes(status)) errors.push(notSupported(`${at}.status`, status, STATUSES));
    if ((condition.observedGeneration ?? 0) < 0) {
      const detail = 'must be greater than or equal to zero';
      errors.push(invalid(`${at}.observedGeneration`, condition.observedGeneration, detail));
    }
    if (!condition.lastTransitionTime) errors.push(required(`${at}.lastTransitionTime`, 'must be set'));
    if (reason === '') errors.push(required(`${at}.reason`, 'must be set'));
    else if (reason.length > MAX_REASON) errors.push(tooLong(`${at}.reason`, MAX_REASON));
    else if (!REASON.test(reason)) {
      const detail =
        "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
      errors.push(invalid(`${at}.reason`, reason, detail));
    }
    if (message.length > MAX_MESSAGE) errors.push(tooLong(`${at}.message`, MAX_MESSAGE));
  }
}
