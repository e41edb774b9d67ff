/** The macros that go through a list or a map: all, exists, map, filter and the like. */
import type { Node } from './ast.ts';
import type { check as Check, Code, Scope, Typed } from './checker.ts';
import { CelError, CelSyntaxError, soft } from './error.ts';
import type { Run } from './overload.ts';
import { BOOL, type CelType, DYN, INT, isDyn, listOf, mapOf, showType } from './types.ts';
import { isMap, ListValue, MapValue, ObjectValue, type Value } from './value.ts';

type IterateNode = Node & { k: 'iterate' };

/** @param check of the parts @throws CelSyntaxError */
export function iterate(node: IterateNode, scope: Scope, check: typeof Check): Typed {
  const over = check(node.over, scope);
  const [key, element] = partsOf(over.type, node);
  const second = node.variables[1];
  const types: CelType[] = second === undefined ? [over.type.kind === 'list' ? element : key] : [key, element];
  const inner = scope.with(node.variables.map((name, i) => [name, types[i] as CelType] as const));
  const filter = node.filter === undefined ? undefined : check(node.filter, inner);
  const body = check(node.body, inner);
  if (filter !== undefined) mustBeBool(filter.type, node);
  const slot = scope.depth;
  const pairs = second === undefined ? single : both;
  /** Sets the variables for each element in turn. */
  const each = function* (run: Run): Generator<void> {
    for (const values of pairs(over.code(run))) {
      run.spend(1);
      for (let i = 0; i < values.length; i++) run.slots[slot + i] = values[i] as Value;
      yield;
    }
  };
  const kept = (run: Run) => filter === undefined || truth(filter.code(run));
  switch (node.how) {
    case 'all':
    case 'exists':
      mustBeBool(body.type, node);
      return { type: BOOL, code: quantifier(node.how === 'exists', each, body.code) };
    case 'existsOne':
      mustBeBool(body.type, node);
      return {
        type: BOOL,
        code: (run) => {
          let count = 0;
          for (const _ of each(run)) if (truth(body.code(run))) count++;
          return count === 1;
        },
      };
    case 'filter':
      mustBeBool(body.type, node);
      return {
        type: listOf(types[0] as CelType),
        code: (run) => {
          const out: Value[] = [];
          for (const _ of each(run)) {
            // The body may use slots of its own, but not this one.
            const value = run.slots[slot] as Value;
            if (truth(body.code(run))) out.push(value);
          }
          return new ListValue(out);
        },
      };
    case 'map':
    case 'transformList':
      return {
        type: listOf(body.type),
        code: (run) => {
          const out: Value[] = [];
          for (const _ of each(run)) if (kept(run)) out.push(body.code(run));
          return new ListValue(out);
        },
      };
    case 'transformMap':
      return {
        type: mapOf(key, body.type),
        code: (run) => {
          const out = new MapValue();
          for (const _ of each(run)) {
            const at = run.slots[slot] as Value;
            if (kept(run)) out.set(at, body.code(run));
          }
          return out;
        },
      };
    case 'transformMapEntry': {
      if (body.type.kind !== 'map' && !isDyn(body.type)) {
        throw new CelSyntaxError(node.position, `expected type 'map(dyn, dyn)' but found '${showType(body.type)}'`);
      }
      return { type: body.type, code: (run) => merged(run, each, kept, body.code) };
    }
  }
}

function merged(run: Run, each: (run: Run) => Generator<void>, kept: (run: Run) => boolean, body: Code): Value {
  const out = new MapValue();
  for (const _ of each(run)) {
    if (!kept(run)) continue;
    const made = body(run);
    if (!isMap(made)) throw new CelError('no such overload');
    for (const key of made.keys()) {
      if (out.get(key) !== undefined) throw new CelError(`insert failed: key ${String(key)} already exists`);
      out.set(key, made.get(key) as Value);
    }
  }
  return out;
}

/** exists (`decides` true) and all (false): an element that decides makes up for failures at others. */
function quantifier(decides: boolean, each: (run: Run) => Generator<void>, body: Code): Code {
  return (run) => {
    let failure: unknown;
    for (const _ of each(run)) {
      try {
        if (truth(body(run)) === decides) return decides;
      } catch (error) {
        failure ??= soft(error);
      }
    }
    if (failure !== undefined) throw failure;
    return !decides;
  };
}

function truth(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw new CelError('no such overload');
}

function mustBeBool(type: CelType, node: Node): void {
  if (type !== BOOL && !isDyn(type) && type.kind !== 'param') {
    throw new CelSyntaxError(node.position, `expected type 'bool' but found '${showType(type)}'`);
  }
}

/** The types of the key (or index) and of the element. */
function partsOf(type: CelType, node: IterateNode): [CelType, CelType] {
  if (type.kind === 'list') return [INT, type.of.kind === 'param' ? DYN : type.of];
  if (type.kind === 'map')
    return [type.key.kind === 'param' ? DYN : type.key, type.of.kind === 'param' ? DYN : type.of];
  if (isDyn(type) || type.kind === 'param') return [DYN, DYN];
  throw new CelSyntaxError(
    node.over.position,
    `expression of type '${showType(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
  );
}

/** With one variable: the elements of a list, the keys of a map. */
function* single(value: Value): Generator<readonly Value[]> {
  if (value instanceof ListValue) for (const item of value) yield [item];
  else if (isMap(value)) for (const key of value.keys()) yield [key];
  else if (value instanceof ObjectValue) for (const key of Object.keys(value.json)) yield [key];
  else throw new CelError('no such overload');
}

/** With two: index and element, or key and value. */
function* both(value: Value): Generator<readonly Value[]> {
  if (value instanceof ListValue) for (let i = 0; i < value.size; i++) yield [BigInt(i), value.at(i)];
  else if (isMap(value)) for (const key of value.keys()) yield [key, value.get(key) as Value];
  else throw new CelError('no such overload');
}
