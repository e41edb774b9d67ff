/** The rules for names in resource.k8s.io, and for lists with a bound. */
import { duplicate, type FieldError, invalid, required, tooLong, tooMany } from '../../machinery/fieldError.ts';
import { dnsSubdomain } from '../../machinery/names.ts';

const DRIVER_MAX = 63;
const POOL_MAX = 253;
const IDENTIFIER_MAX = 32;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

type Validate<T> = (value: T, path: string, errors: FieldError[]) => void;

/** A list that is too long is not looked at any further. */
export function validateEach<T>(
  list: readonly T[] | undefined,
  max: number,
  path: string,
  errors: FieldError[],
  validate: Validate<T>,
): void {
  const values = list ?? [];
  if (values.length > max) errors.push(tooMany(path, values.length, max));
  else for (const [i, value] of values.entries()) validate(value, `${path}[${i}]`, errors);
}

/** Like `validateEach`, and no key may come twice. */
export function validateSet<T>(
  list: readonly T[] | undefined,
  max: number,
  path: string,
  errors: FieldError[],
  key: (value: T) => string,
  validate: Validate<T>,
): void {
  validateEach(list, max, path, errors, validate);
  const values = list ?? [];
  if (values.length > max) return;
  const seen = new Set<string>();
  for (const [i, value] of values.entries()) {
    const k = key(value);
    if (seen.has(k)) errors.push(duplicate(`${path}[${i}]`, k));
    seen.add(k);
  }
}

/** A name that must be there and keep a rule. */
export function validateName(
  name: string | undefined,
  rule: (name: string) => string[],
  path: string,
  errors: FieldError[],
): void {
  for (const fault of rule(name ?? '')) errors.push(invalid(path, name ?? '', fault));
}

export function validateDriver(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(path));
    return;
  }
  if (name.length > DRIVER_MAX) errors.push(tooLong(path, DRIVER_MAX));
  validateName(name.toLowerCase(), dnsSubdomain, path, errors);
}

export function validatePool(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(path));
    return;
  }
  if (name.length > POOL_MAX) errors.push(tooLong(path, POOL_MAX));
  for (const part of name.split('/')) validateName(part, dnsSubdomain, path, errors);
}

export function validateClassName(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) errors.push(required(path));
  else validateName(name, dnsSubdomain, path, errors);
}

export function validateUid(uid: string, path: string, errors: FieldError[]): void {
  if (UUID.test(uid)) return;
  const form = '`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
  errors.push(invalid(path, uid, `uid must be in RFC 4122 normalized form, ${form}`));
}

/** `model`, or `gpu.example.com/model`. */
export function validateQualifiedName(name: string, path: string, errors: FieldError[]): void {
  const [first = '', second, ...more] = name.split('/');
  if (more.length > 0) errors.push(invalid(path, name, 'must not contain more than one slash'));
  else if (second === undefined) validateIdentifier(first, path, errors);
  else {
    if (first === '') errors.push(invalid(path, '', 'the domain must not be empty'));
    else validateDriver(first, path, errors);
    if (second === '') errors.push(invalid(path, '', 'the name must not be empty'));
    else validateIdentifier(second, path, errors);
  }
}

/** `gpu.example.com/model`. */
export function validateFullName(name: string, path: string, errors: FieldError[]): void {
  validateQualifiedName(name, path, errors);
  if (!name.includes('/')) {
    errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'));
  }
}

function validateIdentifier(name: string, path: string, errors: FieldError[]): void {
  if (name.length > IDENTIFIER_MAX) errors.push(tooLong(path, IDENTIFIER_MAX));
  if (IDENTIFIER.test(name)) return;
  errors.push(
    invalid(
      path,
      name,
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
    ),
  );
}
