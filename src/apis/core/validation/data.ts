/** Rules for the data of config maps and secrets. */
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, forbidden, invalid } from '../../../machinery/fieldError.ts';
import { configMapKey } from '../../../machinery/names.ts';

/** The values of one object together; what is stored must stay well below a request's limit. */
const MAX_BYTES = 1024 * 1024;

export function validateDataKeys(
  parts: readonly (Readonly<Record<string, string>> | undefined)[],
  errors: FieldError[],
): void {
  let size = 0;
  const seen = new Set<string>();
  for (const [i, part] of parts.entries()) {
    for (const [key, value] of Object.entries(part ?? {})) {
      const at = `${i === 0 ? 'data' : 'binaryData'}[${key}]`;
      for (const fault of configMapKey(key)) errors.push(invalid(at, key, fault));
      if (seen.has(key)) errors.push(invalid(at, key, 'duplicate of key present in data'));
      seen.add(key);
      size += Buffer.byteLength(value);
    }
  }
  if (size > MAX_BYTES)
    errors.push({ type: 'FieldValueTooLong', field: '', detail: `may not be more than ${MAX_BYTES} bytes` });
}

/** An object marked immutable stays so, and so does its data. */
export function validateImmutableData<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (object.immutable !== true) errors.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const field of fields) {
    if (!isDeepStrictEqual(object[field] ?? {}, old[field] ?? {})) {
      errors.push(forbidden(field, 'field is immutable when `immutable` is set'));
    }
  }
  return errors;
}
