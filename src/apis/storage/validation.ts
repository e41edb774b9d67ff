/**
 * What is wrong with the kinds of storage classes and CSI drivers.
 * Source: https://kubernetes.io/docs/concepts/storage/storage-classes/ and .../volume-attributes-classes/
 */
import { duplicate, type FieldError, invalid, required, tooLong } from '../../machinery/fieldError.ts';
import { dnsSubdomain, qualifiedName } from '../../machinery/names.ts';
import type { TopologySelectorTerm } from './storageClass.ts';

const MOST_PARAMETERS = 512;
const PARAMETERS_MAX_BYTES = 256 * 1024;
const DRIVER_NAME_MAX = 63;

/** Who makes the volumes of a class: a qualified name, in any case. */
export function validateProvisioner(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) errors.push(required(path));
  else for (const fault of qualifiedName(name.toLowerCase())) errors.push(invalid(path, name, fault));
}

/** Parameters are the driver's own affair, within bounds. */
export function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > MOST_PARAMETERS) {
    errors.push(tooLong(path, MOST_PARAMETERS));
    return;
  }
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalid(path, key, 'field can not be empty.'));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > PARAMETERS_MAX_BYTES) errors.push(tooLong(path, PARAMETERS_MAX_BYTES));
}

/** The name under which a CSI driver registers. */
export function validateDriverName(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(path));
    return;
  }
  if (Buffer.byteLength(name) > DRIVER_NAME_MAX) errors.push(tooLong(path, DRIVER_NAME_MAX));
  for (const fault of dnsSubdomain(name.toLowerCase())) errors.push(invalid(path, name, fault));
}

/** Where volumes may be made. No two terms may say the same, nor may one say nothing. */
export function validateTopologies(
  terms: readonly TopologySelectorTerm[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>(['[]']);
  for (const [i, term] of (terms ?? []).entries()) {
    const at = `${path}[${i}].matchLabelExpressions`;
    const said = JSON.stringify(validateTerm(term, at, errors));
    if (seen.has(said)) errors.push(duplicate(at, ''));
    seen.add(said);
  }
}

/** Gives back what the term says, in an order that does not depend on how it says it. */
function validateTerm(term: TopologySelectorTerm, path: string, errors: FieldError[]): [string, string[]][] {
  const byKey = new Map<string, string[]>();
  for (const [i, { key = '', values = [] }] of (term.matchLabelExpressions ?? []).entries()) {
    const at = `${path}[${i}]`;
    if (values.length === 0) errors.push(required(`${at}.values`));
    const seen = new Set<string>();
    for (const [j, value] of values.entries()) {
      if (seen.has(value)) errors.push(duplicate(`${at}.values[${j}]`, value));
      seen.add(value);
    }
    for (const fault of qualifiedName(key)) errors.push(invalid(`${at}.key`, key, fault));
    if (byKey.has(key)) errors.push(duplicate(`${at}.key`, key));
    byKey.set(key, [...seen].sort());
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1));
}
