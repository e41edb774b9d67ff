/** Functions as libraries declare them, and the state of one evaluation. */
import { CelError } from './error.ts';
import { Timestamp } from './timestamp.ts';
import { type CelType, isDyn } from './types.ts';
import {
  Duration,
  isMap,
  ListValue,
  ObjectValue,
  OpaqueValue,
  Optional,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

/** One evaluation: its variables, and how many steps it may still take. */
export class Run {
  readonly slots: Value[] = [];
  readonly #variable: (name: string) => Value;
  /** shared by the expressions of one object */
  readonly budget: Budget;
  #left: number;

  constructor(variable: (name: string) => Value, budget: Budget, limit: number) {
    this.#variable = variable;
    this.budget = budget;
    this.#left = Math.min(limit, budget.left);
  }

  /** Counts work done. @throws CelError when it is too much */
  spend(steps: number): void {
    this.budget.left -= steps;
    this.#left -= steps;
    if (this.#left < 0) {
      throw new CelError('call cost exceeds limit: the expression needs too many steps', true);
    }
  }

  variable(name: string): Value {
    return this.#variable(name);
  }
}

/** Steps that several evaluations share. */
export interface Budget {
  left: number;
}

export interface Overload {
  readonly name: string;
  /** called as `x.name(…)`, with x the first argument */
  readonly member: boolean;
  readonly args: readonly CelType[];
  readonly result: CelType;
  readonly impl: (args: Value[], run: Run) => Value;
}

/** What implementations are written as: their arguments are of the declared types. */
type Implementation = (...args: never[]) => Value;

const make = (
  member: boolean,
  name: string,
  args: readonly CelType[],
  result: CelType,
  impl: Implementation,
): Overload => {
  const call = impl as unknown as (...args: unknown[]) => Value;
  return { name, member, args, result, impl: (given, run) => call(...given, run) };
};

/** `name(args)`. The run follows the arguments. */
export const fn = (name: string, args: readonly CelType[], result: CelType, impl: Implementation): Overload =>
  make(false, name, args, result, impl);

/** `args[0].name(…)`. */
export const method = (name: string, args: readonly CelType[], result: CelType, impl: Implementation): Overload =>
  make(true, name, args, result, impl);

/** Whether a value may go where the type is. Elements are not looked at. */
export function matches(type: CelType, value: Value): boolean {
  switch (type.kind) {
    case 'param':
      return true;
    case 'list':
      return value instanceof ListValue;
    case 'map':
      return isMap(value);
    case 'optional':
      return value instanceof Optional;
    case 'type':
      return value instanceof TypeValue;
    case 'opaque':
      return value instanceof OpaqueValue && value.type === type.name;
    case 'object':
      return value instanceof ObjectValue && value.type.name === type.name;
    case 'simple':
      return isDyn(type) || matchesSimple(type.name, value);
  }
}

function matchesSimple(name: string, value: Value): boolean {
  switch (name) {
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'uint':
      return value instanceof Uint;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'null_type':
      return value === null;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    default:
      return false;
  }
}
