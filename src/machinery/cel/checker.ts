/**
 * Checks the types of an expression and makes closures of it, in one pass. What is dyn is checked when it runs.
 */
import type { Node } from './ast.ts';
import { iterate } from './comprehension.ts';
import { CelError, CelSyntaxError, soft } from './error.ts';
import { matches, type Overload, type Run } from './overload.ts';
import {
  assignable,
  BOOL,
  BYTES,
  type CelObjectType,
  type CelType,
  DOUBLE,
  DYN,
  INT,
  isDyn,
  join,
  listOf,
  mapOf,
  NULL,
  objectType,
  optionalOf,
  param,
  STRING,
  showType,
  substitute,
  TYPE,
  UINT,
} from './types.ts';
import {
  hasFields,
  isMap,
  LazyObject,
  ListValue,
  MapValue,
  ObjectValue,
  Optional,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

export type Code = (run: Run) => Value;

/** An expression with its type, ready to run. */
export interface Typed {
  readonly type: CelType;
  readonly code: Code;
}

/** What an expression may name. */
export interface Names {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly overloads: ReadonlyMap<string, readonly Overload[]>;
  /** the object types that may be written `Name{…}` */
  objectTypes?(name: string): CelObjectType | undefined;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  bool: 'bool',
  int: 'int',
  uint: 'uint',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  map: 'map',
  null_type: 'null_type',
  type: 'type',
  optional_type: 'optional_type',
  'google.protobuf.Timestamp': 'google.protobuf.Timestamp',
  'google.protobuf.Duration': 'google.protobuf.Duration',
  'net.IP': 'net.IP',
  'net.CIDR': 'net.CIDR',
  'kubernetes.URL': 'kubernetes.URL',
  'kubernetes.Quantity': 'kubernetes.Quantity',
};

/** Variables of macros: where each is kept while it runs. */
export class Scope {
  readonly names: Names;
  readonly depth: number;
  readonly #locals: ReadonlyMap<string, { readonly slot: number; readonly type: CelType }>;

  constructor(
    names: Names,
    locals: ReadonlyMap<string, { readonly slot: number; readonly type: CelType }> = new Map(),
    depth = 0,
  ) {
    this.names = names;
    this.#locals = locals;
    this.depth = depth;
  }

  local(name: string) {
    return this.#locals.get(name);
  }

  /** With more variables, in the slots from `depth` on. */
  with(variables: readonly (readonly [name: string, type: CelType])[]): Scope {
    const locals = new Map(this.#locals);
    for (const [i, [name, type]] of variables.entries()) locals.set(name, { slot: this.depth + i, type });
    return new Scope(this.names, locals, this.depth + variables.length);
  }
}

/** @throws CelSyntaxError at the first fault */
export function check(node: Node, scope: Scope): Typed {
  const typed = checkNode(node, scope);
  const { code } = typed;
  // Every node is a step.
  return {
    type: typed.type,
    code: (run) => {
      run.spend(1);
      return code(run);
    },
  };
}

function checkNode(node: Node, scope: Scope): Typed {
  switch (node.k) {
    case 'literal':
      return constant(literalType(node.value), node.value);
    case 'uint':
      return constant(UINT, new Uint(node.value));
    case 'ident':
      return identifier(node.name, node, scope);
    case 'select':
      return selection(node, scope);
    case 'has':
      return presence(node, scope);
    case 'index':
      return index(node, scope);
    case 'call':
      return call(node, scope);
    case 'and':
    case 'or':
      return logic(node, scope);
    case 'if':
      return conditional(node, scope);
    case 'list':
      return list(node, scope);
    case 'map':
      return map(node, scope);
    case 'struct':
      return struct(node, scope);
    case 'iterate':
      return iterate(node, scope, check);
    case 'bind':
      return bind(node, scope);
    case 'optMap':
      return optionalMap(node, scope);
  }
}

const constant = (type: CelType, value: Value): Typed => ({ type, code: () => value });

function literalType(value: null | boolean | bigint | number | string | Uint8Array): CelType {
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return STRING;
    default:
      return value === null ? NULL : BYTES;
  }
}

function identifier(name: string, node: Node, scope: Scope): Typed {
  const found = lookUp(name, scope);
  if (found === undefined)
    throw new CelSyntaxError(node.position, `undeclared reference to '${name}' (in container '')`);
  return found;
}

function lookUp(name: string, scope: Scope): Typed | undefined {
  const local = scope.local(name);
  if (local !== undefined) {
    const { slot, type } = local;
    return { type, code: (run) => run.slots[slot] as Value };
  }
  const type = scope.names.variables.get(name);
  if (type !== undefined) return { type, code: (run) => run.variable(name) };
  const typeName = Object.hasOwn(TYPE_NAMES, name) ? TYPE_NAMES[name] : undefined;
  return typeName === undefined ? undefined : constant(TYPE, new TypeValue(typeName));
}

/** `a.b.c` as one name, where it is nothing but names. */
function qualified(node: Node): string | undefined {
  if (node.k === 'ident') return node.name;
  if (node.k !== 'select' || node.optional) return undefined;
  const of = qualified(node.of);
  return of === undefined ? undefined : `${of}.${node.field}`;
}

function firstName(node: Node): string | undefined {
  if (node.k === 'ident') return node.name;
  return node.k === 'select' ? firstName(node.of) : undefined;
}

function isVariable(name: string | undefined, scope: Scope): boolean {
  return name !== undefined && (scope.local(name) !== undefined || scope.names.variables.has(name));
}

function selection(node: Node & { k: 'select' }, scope: Scope): Typed {
  if (!node.optional && !isVariable(firstName(node), scope)) {
    const name = qualified(node);
    const found = name === undefined ? undefined : lookUp(name, scope);
    if (found !== undefined) return found;
  }
  const of = check(node.of, scope);
  const { type, optional } = fieldType(of.type, node);
  const { field } = node;
  const result = optional || node.optional ? optionalOf(type) : type;
  const missing = node.optional || optional;
  const { code } = of;
  return {
    type: result,
    code: (run) => {
      const value = code(run);
      if (value instanceof Optional) return value.value === undefined ? value : optionalField(value.value, field);
      return missing ? optionalField(value, field) : select(value, field);
    },
  };
}

/** The type of a field; `optional`: of a value that may be absent as a whole. */
function fieldType(of: CelType, node: Node & { k: 'select' | 'has' }): { type: CelType; optional: boolean } {
  switch (of.kind) {
    case 'object': {
      const field = of.field(node.field);
      if (field === undefined) throw new CelSyntaxError(node.position, `undefined field '${node.field}'`);
      return { type: field.type, optional: false };
    }
    case 'map':
      return { type: of.of, optional: false };
    case 'optional':
      return { type: fieldType(of.of, node).type, optional: true };
    case 'param':
      return { type: DYN, optional: false };
    default:
      if (isDyn(of)) return { type: DYN, optional: false };
      throw new CelSyntaxError(node.position, `type '${showType(of)}' does not support field selection`);
  }
}

function select(value: Value, field: string): Value {
  if (!hasFields(value)) throw new CelError(value === null ? `no such key: ${field}` : 'no such overload');
  const found = value.get(field);
  if (found === undefined) throw new CelError(`no such key: ${field}`);
  return found;
}

function optionalField(value: Value, field: string): Value {
  if (value === null) return new Optional();
  if (!hasFields(value)) throw new CelError('no such overload');
  return new Optional(value.get(field));
}

function presence(node: Node & { k: 'has' }, scope: Scope): Typed {
  const of = check(node.of, scope);
  fieldType(of.type, node);
  const { field } = node;
  return {
    type: BOOL,
    code: (run) => {
      let value = of.code(run);
      if (value instanceof Optional) {
        if (value.value === undefined) return false;
        value = value.value;
      }
      if (!hasFields(value)) throw new CelError('no such overload');
      const found = value.get(field);
      return found !== undefined && !(value instanceof ObjectValue && found === null);
    },
  };
}

function index(node: Node & { k: 'index' }, scope: Scope): Typed {
  const of = check(node.of, scope);
  const key = check(node.key, scope);
  const inner = of.type.kind === 'optional' ? of.type.of : of.type;
  let type: CelType;
  if (inner.kind === 'list') {
    if (!isDyn(key.type) && key.type !== INT && key.type !== UINT && key.type !== DOUBLE)
      noOverload(node, '_[_]', [inner, key.type]);
    type = inner.of;
  } else if (inner.kind === 'map') {
    if (!assignable(inner.key, key.type, new Map())) noOverload(node, '_[_]', [inner, key.type]);
    type = inner.of;
  } else if (isDyn(inner) || inner.kind === 'param') type = DYN;
  else noOverload(node, '_[_]', [inner, key.type]);
  const optional = node.optional || of.type.kind === 'optional';
  return {
    type: optional ? optionalOf(type) : type,
    code: (run) => {
      let value = of.code(run);
      const at = key.code(run);
      let soft = node.optional;
      if (value instanceof Optional) {
        if (value.value === undefined) return value;
        value = value.value;
        soft = true;
      }
      const found = element(value, at, soft);
      return soft ? new Optional(found) : (found as Value);
    },
  };
}

/** @param soft undefined where there is none, else that is an error */
function element(value: Value, at: Value, soft: boolean): Value | undefined {
  if (value instanceof ListValue) {
    const position = at instanceof Uint ? Number(at.value) : Number(at);
    if (typeof at !== 'bigint' && typeof at !== 'number' && !(at instanceof Uint))
      throw new CelError('no such overload');
    if (Number.isInteger(position) && position >= 0 && position < value.size) return value.at(position);
    if (soft) return undefined;
    throw new CelError(`index out of bounds: ${position}`);
  }
  if (!isMap(value) && !(value instanceof ObjectValue) && !(value instanceof LazyObject))
    throw new CelError('no such overload');
  const found = value.get(at);
  if (found === undefined && !soft) throw new CelError(`no such key: ${at instanceof Uint ? at.value : String(at)}`);
  return found;
}

function call(node: Node & { k: 'call' }, scope: Scope): Typed {
  const { names } = scope;
  if (node.target !== undefined && !isVariable(firstName(node.target), scope)) {
    // A function within a namespace: `optional.of(x)`.
    const name = qualified(node.target);
    const all = name === undefined ? undefined : names.overloads.get(`${name}.${node.name}`);
    if (all !== undefined)
      return invoke(
        node,
        `${name}.${node.name}`,
        all.filter((o) => !o.member),
        node.args,
        scope,
      );
  }
  const member = node.target !== undefined;
  const args = node.target === undefined ? node.args : [node.target, ...node.args];
  const all = (names.overloads.get(node.name) ?? []).filter((o) => o.member === member);
  if (all.length === 0) {
    for (const arg of args) check(arg, scope);
    throw new CelSyntaxError(node.position, `undeclared reference to '${node.name}' (in container '')`);
  }
  return invoke(node, node.name, all, args, scope);
}

function invoke(node: Node, name: string, all: readonly Overload[], args: readonly Node[], scope: Scope): Typed {
  // Only what is formatted may be of mixed types within one literal.
  const typed = args.map((arg) => (name === 'format' && arg.k === 'list' ? list(arg, scope, true) : check(arg, scope)));
  const types = typed.map((t) => t.type);
  const candidates: Overload[] = [];
  let result: CelType | undefined;
  for (const overload of all) {
    if (overload.args.length !== types.length) continue;
    const binding = new Map<string, CelType>();
    if (!overload.args.every((wanted, i) => assignable(wanted, types[i] as CelType, binding))) continue;
    const type = substitute(overload.result, binding);
    result = result === undefined ? type : (join(result, type) ?? DYN);
    candidates.push(overload);
  }
  const [first] = candidates;
  if (first === undefined || result === undefined) {
    const member = all[0]?.member === true;
    noOverload(node, name, types, member);
  }
  const codes = typed.map((t) => t.code);
  const sure = candidates.length === 1 && types.every((t, i) => isSure(t, first.args[i] as CelType));
  if (sure) {
    const { impl } = first;
    return {
      type: result,
      code: (run) =>
        impl(
          codes.map((c) => c(run)),
          run,
        ),
    };
  }
  return {
    type: result,
    code: (run) => {
      const values = codes.map((c) => c(run));
      const overload = candidates.find((o) => o.args.every((type, i) => matches(type, values[i] as Value)));
      if (overload === undefined) throw new CelError(`no such overload: ${name}`);
      return overload.impl(values, run);
    },
  };
}

/** Whether values of the type need no look when they come. Declared types may meet null. */
function isSure(given: CelType, wanted: CelType): boolean {
  return (
    wanted.kind === 'param' ||
    isDyn(wanted) ||
    (given.kind === 'simple' && !isDyn(given) && given === wanted && given === BOOL)
  );
}

function noOverload(node: Node, name: string, types: readonly CelType[], member = false): never {
  const shown = types.map(showType);
  const applied = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`;
  throw new CelSyntaxError(node.position, `found no matching overload for '${name}' applied to '${applied}'`);
}

function logic(node: Node & { k: 'and' | 'or' }, scope: Scope): Typed {
  const left = check(node.left, scope);
  const right = check(node.right, scope);
  for (const { type } of [left, right]) {
    if (type !== BOOL && !isDyn(type)) noOverload(node, node.k === 'and' ? '_&&_' : '_||_', [left.type, right.type]);
  }
  const decides = node.k === 'or';
  return {
    type: BOOL,
    code: (run) => {
      let failure: unknown;
      try {
        const value = left.code(run);
        if (value === decides) return decides;
        if (typeof value !== 'boolean') failure = new CelError('no such overload');
      } catch (error) {
        failure = soft(error);
      }
      // A side that decides makes up for the other's failure.
      const value = right.code(run);
      if (value === decides) return decides;
      if (failure !== undefined) throw failure;
      if (typeof value !== 'boolean') throw new CelError('no such overload');
      return value;
    },
  };
}

function conditional(node: Node & { k: 'if' }, scope: Scope): Typed {
  const condition = check(node.condition, scope);
  const then = check(node.then, scope);
  const otherwise = check(node.otherwise, scope);
  const type = join(then.type, otherwise.type);
  if (type === undefined || (condition.type !== BOOL && !isDyn(condition.type))) {
    noOverload(node, '_?_:_', [condition.type, then.type, otherwise.type]);
  }
  return {
    type,
    code: (run) => {
      const value = condition.code(run);
      if (typeof value !== 'boolean') throw new CelError('no such overload');
      return value ? then.code(run) : otherwise.code(run);
    },
  };
}

/** The type of all of several values; mixed ones are dyn only where one of them is. */
function common(node: Node, types: readonly CelType[]): CelType {
  let type: CelType = param('elements');
  for (const next of types) {
    const joined = join(type, next);
    if (joined === undefined) {
      throw new CelSyntaxError(node.position, `expected type '${showType(type)}' but found '${showType(next)}'`);
    }
    type = joined;
  }
  return type;
}

const unwrapped = (type: CelType, node: Node): CelType => {
  if (type.kind === 'optional') return type.of;
  if (isDyn(type)) return DYN;
  throw new CelSyntaxError(node.position, `expected type 'optional_type(dyn)' but found '${showType(type)}'`);
};

function list(node: Node & { k: 'list' }, scope: Scope, mixed = false): Typed {
  const items = node.items.map(({ node: item, optional }) => ({ ...check(item, scope), optional, at: item }));
  const of = mixed
    ? DYN
    : common(
        node,
        items.map(({ type, optional, at }) => (optional ? unwrapped(type, at) : type)),
      );
  return {
    type: listOf(of),
    code: (run) => {
      const values: Value[] = [];
      for (const { code, optional } of items) {
        const value = code(run);
        if (!optional) values.push(value);
        else if (!(value instanceof Optional)) throw new CelError('no such overload');
        else if (value.value !== undefined) values.push(value.value);
      }
      return new ListValue(values);
    },
  };
}

function map(node: Node & { k: 'map' }, scope: Scope): Typed {
  const entries = node.entries.map((entry) => ({
    key: check(entry.key, scope),
    value: check(entry.value, scope),
    optional: entry.optional,
    at: entry.value,
  }));
  const key = common(
    node,
    entries.map((e) => e.key.type),
  );
  const of = common(
    node,
    entries.map((e) => (e.optional ? unwrapped(e.value.type, e.at) : e.value.type)),
  );
  return {
    type: mapOf(key, of),
    code: (run) => {
      const out = new MapValue();
      for (const entry of entries) {
        const at = entry.key.code(run);
        const value = entry.value.code(run);
        if (out.get(at) !== undefined) throw new CelError(`insert failed: key ${String(at)} already exists`);
        if (!entry.optional) out.set(at, value);
        else if (!(value instanceof Optional)) throw new CelError('no such overload');
        else if (value.value !== undefined) out.set(at, value.value);
      }
      return out;
    },
  };
}

function struct(node: Node & { k: 'struct' }, scope: Scope): Typed {
  const type = scope.names.objectTypes?.(node.name);
  if (type === undefined)
    throw new CelSyntaxError(node.position, `undeclared reference to '${node.name}' (in container '')`);
  const fields = node.fields.map(({ name, value, optional, position }) => {
    const field = type.field(name);
    if (field === undefined) throw new CelSyntaxError(position, `undefined field '${name}'`);
    const typed = check(value, scope);
    const given = optional ? unwrapped(typed.type, value) : typed.type;
    if (join(field.type, given) === undefined) {
      throw new CelSyntaxError(
        position,
        `expected type of field '${name}' is '${showType(field.type)}' but provided type is '${showType(given)}'`,
      );
    }
    return { json: field.json, code: typed.code, optional };
  });
  return {
    type,
    code: (run) => {
      const out: Record<string, unknown> = {};
      for (const { json, code, optional } of fields) {
        const value = code(run);
        const kept = optional && value instanceof Optional ? value.value : value;
        if (kept !== undefined)
          Object.defineProperty(out, json, { value: kept, enumerable: true, configurable: true, writable: true });
      }
      return new ObjectValue(type, out);
    },
  };
}

/** An object type of which nothing is known: any field may be set. */
export function openObjectType(name: string): CelObjectType {
  return { ...objectType(name, {}), field: (field) => ({ type: DYN, json: field }) };
}

function bind(node: Node & { k: 'bind' }, scope: Scope): Typed {
  const value = check(node.value, scope);
  const body = check(node.body, scope.with([[node.name, value.type]]));
  const slot = scope.depth;
  return {
    type: body.type,
    code: (run) => {
      run.slots[slot] = value.code(run);
      return body.code(run);
    },
  };
}

function optionalMap(node: Node & { k: 'optMap' }, scope: Scope): Typed {
  const of = check(node.of, scope);
  const inner = unwrapped(of.type, node.of);
  const body = check(node.body, scope.with([[node.name, inner]]));
  const slot = scope.depth;
  const type = node.flat ? optionalOf(unwrapped(body.type, node.body)) : optionalOf(body.type);
  return {
    type,
    code: (run) => {
      const value = of.code(run);
      if (!(value instanceof Optional)) throw new CelError('no such overload');
      if (value.value === undefined) return value;
      run.slots[slot] = value.value;
      const made = body.code(run);
      if (!node.flat) return new Optional(made);
      if (!(made instanceof Optional)) throw new CelError('no such overload');
      return made;
    },
  };
}
