/** The types of CEL, as the checker knows them. */

/** A field of an object type: its type, and its name in JSON where that differs. */
export interface CelField {
  readonly type: CelType;
  readonly json: string;
}

export interface CelObjectType {
  readonly kind: 'object';
  readonly name: string;
  field(name: string): CelField | undefined;
}

type SimpleName =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null_type'
  | 'timestamp'
  | 'duration'
  | 'dyn';

export type CelType =
  | { readonly kind: 'simple'; readonly name: SimpleName }
  | { readonly kind: 'list'; readonly of: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly of: CelType }
  | { readonly kind: 'optional'; readonly of: CelType }
  | { readonly kind: 'type' }
  /** a variable of an overload's signature */
  | { readonly kind: 'param'; readonly name: string }
  /** a value of a library: a URL, a quantity */
  | { readonly kind: 'opaque'; readonly name: string }
  | CelObjectType;

const simple = (name: SimpleName): CelType => ({ kind: 'simple', name });

export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const NULL = simple('null_type');
export const TIMESTAMP = simple('timestamp');
export const DURATION = simple('duration');
export const DYN = simple('dyn');
export const TYPE: CelType = { kind: 'type' };

export const listOf = (of: CelType): CelType => ({ kind: 'list', of });
export const mapOf = (key: CelType, of: CelType): CelType => ({ kind: 'map', key, of });
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of });
export const opaque = (name: string): CelType => ({ kind: 'opaque', name });
export const param = (name: string): CelType => ({ kind: 'param', name });

/** An object type with the fields given, by their names in JSON; names that CEL cannot say are escaped. */
export function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelObjectType {
  const byName = new Map<string, CelField>();
  for (const [json, type] of Object.entries(fields)) {
    const escaped = escapeIdentifier(json);
    if (escaped !== undefined) byName.set(escaped, { type, json });
  }
  return { kind: 'object', name, field: (field) => byName.get(field) };
}

export const isDyn = (type: CelType): boolean => type.kind === 'simple' && type.name === 'dyn';

/** As messages show it: `list(int)`, `map(string, dyn)`. */
export function showType(type: CelType): string {
  switch (type.kind) {
    case 'simple':
      if (type.name === 'timestamp') return 'google.protobuf.Timestamp';
      if (type.name === 'duration') return 'google.protobuf.Duration';
      return type.name === 'null_type' ? 'null' : type.name;
    case 'list':
      return `list(${showType(type.of)})`;
    case 'map':
      return `map(${showType(type.key)}, ${showType(type.of)})`;
    case 'optional':
      return `optional_type(${showType(type.of)})`;
    case 'type':
      return 'type';
    default:
      return type.name;
  }
}

/** What the variables of a signature stand for. */
export type Binding = Map<string, CelType>;

/** Whether a value of `given` may go where `wanted` is, perhaps decided only when it runs. Fills `binding`. */
export function assignable(wanted: CelType, given: CelType, binding: Binding): boolean {
  if (wanted.kind === 'param') {
    const bound = binding.get(wanted.name);
    if (bound === undefined || (isDyn(bound) && !isDyn(given))) {
      // A list of unknown elements takes what comes next; it stays dyn where both are.
      if (bound === undefined) binding.set(wanted.name, given);
      return true;
    }
    const joined = join(bound, given);
    if (joined === undefined) return false;
    binding.set(wanted.name, joined);
    return true;
  }
  if (isDyn(wanted) || isDyn(given) || given.kind === 'param') return true;
  if (wanted.kind === 'list' && given.kind === 'list') return assignable(wanted.of, given.of, binding);
  if (wanted.kind === 'optional' && given.kind === 'optional') return assignable(wanted.of, given.of, binding);
  if (wanted.kind === 'map' && given.kind === 'map') {
    return assignable(wanted.key, given.key, binding) && assignable(wanted.of, given.of, binding);
  }
  return sameType(wanted, given);
}

function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'type') return true;
  return 'name' in a && 'name' in b && a.name === b.name;
}

/** The type that both have; undefined where there is none. `param` is a type not known yet, as in `[]`. */
export function join(a: CelType, b: CelType): CelType | undefined {
  if (a.kind === 'param') return b;
  if (b.kind === 'param') return a;
  if (isDyn(a) || isDyn(b)) return DYN;
  if (a.kind === 'list' && b.kind === 'list') {
    const of = join(a.of, b.of);
    return of && listOf(of);
  }
  if (a.kind === 'optional' && b.kind === 'optional') {
    const of = join(a.of, b.of);
    return of && optionalOf(of);
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = join(a.key, b.key);
    const of = join(a.of, b.of);
    return key && of && mapOf(key, of);
  }
  if (sameType(a, b)) return a;
  // Fields of messages and library values may be absent, which is null.
  if (isNull(a) && takesNull(b)) return b;
  if (isNull(b) && takesNull(a)) return a;
  return undefined;
}

const isNull = (type: CelType) => type.kind === 'simple' && type.name === 'null_type';
const takesNull = (type: CelType) =>
  type.kind === 'object' ||
  type.kind === 'opaque' ||
  type.kind === 'optional' ||
  type === TIMESTAMP ||
  type === DURATION;

/** A signature's type with its variables filled in; what is left open is dyn. */
export function substitute(type: CelType, binding: Binding): CelType {
  switch (type.kind) {
    case 'param':
      return binding.get(type.name) ?? DYN;
    case 'list':
      return listOf(substitute(type.of, binding));
    case 'optional':
      return optionalOf(substitute(type.of, binding));
    case 'map':
      return mapOf(substitute(type.key, binding), substitute(type.of, binding));
    default:
      return type;
  }
}

const RESERVED: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/**
 * A property's name as expressions write it; undefined where no escape makes an identifier of it.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export function escapeIdentifier(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}
