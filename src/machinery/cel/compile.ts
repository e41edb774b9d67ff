/**
 * The Common Expression Language, with the functions that Kubernetes adds to it. An expression is checked when it is
 * compiled, and takes a bounded number of steps when it is evaluated; its regular expressions run in linear time.
 *
 * Source: https://kubernetes.io/docs/reference/using-api/cel/
 */
import { check, type Names, Scope } from './checker.ts';
import { CelError, type CelIssue, CelSyntaxError, showIssue } from './error.ts';
import { standardOverloads } from './library/all.ts';
import { type Budget, type Overload, Run } from './overload.ts';
import { parse } from './parser.ts';
import { BOOL, type CelObjectType, type CelType, DYN, isDyn, STRING, showType } from './types.ts';
import { fromJson, type Value } from './value.ts';

export interface CelEnvironment {
  readonly variables: Readonly<Record<string, CelType>>;
  /** beside the standard ones */
  readonly overloads?: readonly Overload[];
  /** object types that an expression may make: `Object{…}` */
  objectTypes?(name: string): CelObjectType | undefined;
}

/** One expression may take so many steps. */
const STEPS_PER_CALL = 1_000_000;
/** All expressions for one object together may take so many. */
export const STEPS_PER_OBJECT = 10_000_000;

export interface CelProgram {
  readonly expression: string;
  /** what it gives, dyn where that is not known */
  readonly resultType: CelType;
  /**
   * @param variables JSON, values, or functions that give either, called when first asked for
   * @param budget shared by several programs; absent: one expression's own
   * @throws CelError
   */
  evaluate(variables: Readonly<Record<string, unknown>>, budget?: Budget): Value;
}

export type Compiled =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly issues: readonly CelIssue[] };

/** @param wanted what the expression must give; absent: anything */
export function compile(expression: string, environment: CelEnvironment, wanted?: CelType): Compiled {
  let syntax = true;
  try {
    const node = parse(expression);
    syntax = false;
    const names: Names = {
      variables: new Map(Object.entries(environment.variables)),
      overloads: overloadsOf(environment),
      ...(environment.objectTypes === undefined ? {} : { objectTypes: environment.objectTypes }),
    };
    const { type, code } = check(node, new Scope(names));
    if (wanted !== undefined && !isDyn(type) && !gives(type, wanted)) {
      const message =
        wanted === BOOL
          ? 'must evaluate to bool'
          : wanted === STRING
            ? 'must evaluate to string'
            : `must evaluate to ${showType(wanted)}`;
      return { ok: false, issues: [{ message, position: 0 }] };
    }
    return { ok: true, program: programOf(expression, type, environment, code) };
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error;
    const message = showIssue(expression, error.position, error.message, syntax);
    return { ok: false, issues: [{ message: `compilation failed: ${message}`, position: error.position }] };
  }
}

const gives = (type: CelType, wanted: CelType): boolean => showType(type) === showType(wanted) || isDyn(wanted);

function programOf(
  expression: string,
  resultType: CelType,
  environment: CelEnvironment,
  code: (run: Run) => Value,
): CelProgram {
  const { variables: types } = environment;
  return {
    expression,
    resultType,
    evaluate(variables, budget = { left: STEPS_PER_CALL }) {
      const known = new Map<string, Value>();
      const read = (name: string): Value => {
        const before = known.get(name);
        if (before !== undefined) return before;
        const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
        if (given === undefined) throw new CelError(`no such attribute(s): ${name}`);
        const json: unknown = typeof given === 'function' ? (given as () => unknown)() : given;
        const value = fromJson(types[name] ?? DYN, json);
        known.set(name, value);
        return value;
      };
      try {
        return code(new Run(read, budget, STEPS_PER_CALL));
      } catch (error) {
        // A chain that is too deep for the stack is too much work, too.
        if (error instanceof RangeError) throw new CelError(`the expression is too much work: ${error.message}`, true);
        throw error;
      }
    },
  };
}

const tables = new WeakMap<object, ReadonlyMap<string, readonly Overload[]>>();

/** The functions by name; made once for each set of additions. */
function overloadsOf(environment: CelEnvironment): ReadonlyMap<string, readonly Overload[]> {
  const key = environment.overloads ?? standardOverloads;
  let table = tables.get(key);
  if (table === undefined) {
    const made = new Map<string, Overload[]>();
    for (const overload of [...standardOverloads, ...(environment.overloads ?? [])]) {
      const list = made.get(overload.name);
      if (list === undefined) made.set(overload.name, [overload]);
      else list.push(overload);
    }
    table = made;
    tables.set(key, table);
  }
  return table;
}
