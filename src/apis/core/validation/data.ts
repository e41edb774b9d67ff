/** Rules for the data of config maps and secrets. */
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, forbidden, invalid, tooLong } from '../../../machinery/fieldError.ts';
import { configMapKey } from '../../../machinery/names.ts';

/** The values of one object together; what is stored must stay well below a request's limit. */
const MAX_BYTES = 1024 * 1024;

type Data = Readonly<Record<string, string>> | undefined;

export function validateKeysOf(data: Data, path: string, errors: FieldError[]): void {
  for (const key in data) for (const fault of configMapKey(key)) errors.push(invalid(`${path}[${key}]`, key, fault));
}

/** The bytes that the values take. */
export function sizeOf(data: Data, encoding: 'text' | 'base64'): number {
  let size = 0;
  for (const key in data) size += Buffer.byteLength(data[key] as string, encoding === 'text' ? 'utf8' : 'base64');
  return size;
}

export function validateSize(bytes: number, path: string, errors: FieldError[]): void {
  if (bytes > MAX_BYTES) errors.push(tooLong(path, MAX_BYTES));
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
