/**
 * x-kubernetes-validations: rules in CEL on the values of a schema.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
import { type CelEnvironment, type CelProgram, compile, STEPS_PER_OBJECT } from '../../machinery/cel/compile.ts';
import { CelError } from '../../machinery/cel/error.ts';
import type { Budget } from '../../machinery/cel/overload.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  objectType,
  optionalOf,
  STRING,
  TIMESTAMP,
} from '../../machinery/cel/types.ts';
import { fromJson, Optional } from '../../machinery/cel/value.ts';
import { type FieldError, type FieldErrorType, invalid } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { JSONSchemaProps, ValidationRule } from './customResourceDefinition.ts';
import { parseJsonPath } from './jsonPath.ts';
import { isRecord, itemsOf, propertyOf, valuesOf } from './structuralSchema.ts';
import { oldItem } from './valueValidation.ts';

/** The type of a schema's values; undefined where expressions cannot get at them. @param root of a resource */
export function celTypeOf(schema: JSONSchemaProps, root = false): CelType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return DYN;
  switch (schema.type) {
    case 'array': {
      const items = itemsOf(schema);
      const of = items && celTypeOf(items, items['x-kubernetes-embedded-resource'] === true);
      return of && listOf(of);
    }
    case 'object':
      return objectOf(schema, root || schema['x-kubernetes-embedded-resource'] === true);
    case 'string':
      return TEXTS[schema.format ?? ''] ?? STRING;
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'number':
      return DOUBLE;
    default:
      return root ? objectOf(schema, true) : undefined;
  }
}

const TEXTS: Readonly<Record<string, CelType>> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  'date-time': TIMESTAMP,
};
const META = objectType('object', { name: STRING, generateName: STRING });

function objectOf(schema: JSONSchemaProps, root: boolean): CelType | undefined {
  const values = valuesOf(schema);
  if (values !== undefined) {
    const of = celTypeOf(values);
    return of && mapOf(STRING, of);
  }
  const fields: Record<string, CelType> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const type = celTypeOf(property);
    if (type !== undefined) fields[name] = type;
  }
  return objectType('object', root ? { ...fields, apiVersion: STRING, kind: STRING, metadata: META } : fields);
}

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: CelProgram;
  readonly message: CelProgram | undefined;
  /** names oldSelf: only for updates */
  readonly transition: boolean;
}

export interface RuleFault {
  readonly index: number;
  readonly field: 'rule' | 'messageExpression';
  readonly message: string;
}

/** Compiles the rules of one schema. @param root of a resource */
export function compileRules(
  schema: JSONSchemaProps,
  root: boolean,
): { rules: readonly CompiledRule[]; faults: readonly RuleFault[] } {
  const rules: CompiledRule[] = [];
  const faults: RuleFault[] = [];
  const type = celTypeOf(schema, root);
  for (const [index, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    const environment: CelEnvironment = {
      variables: {
        self: type ?? DYN,
        oldSelf: rule.optionalOldSelf === true ? optionalOf(type ?? DYN) : (type ?? DYN),
      },
    };
    const compiled = compile(rule.rule ?? '', environment, BOOL);
    if (!compiled.ok) {
      faults.push({ index, field: 'rule', message: compiled.issues[0]?.message ?? '' });
      continue;
    }
    let message: CelProgram | undefined;
    if (rule.messageExpression !== undefined && rule.messageExpression !== '') {
      const made = compile(rule.messageExpression, environment, STRING);
      if (made.ok) message = made.program;
      else faults.push({ index, field: 'messageExpression', message: made.issues[0]?.message ?? '' });
    }
    rules.push({ rule, program: compiled.program, message, transition: /\boldSelf\b/.test(rule.rule ?? '') });
  }
  return { rules, faults };
}

type Check = (self: unknown, old: unknown, path: string, state: State) => void;

interface State {
  readonly errors: FieldError[];
  readonly budget: Budget;
}

/** What evaluates all rules in and below a schema; undefined where there are none. Rules are compiled when first used. */
function checkerOf(schema: JSONSchemaProps, root: boolean): Check | undefined {
  const below: [name: string, check: Check][] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const check = checkerOf(property, property['x-kubernetes-embedded-resource'] === true);
    if (check !== undefined) below.push([name, check]);
  }
  const items = itemsOf(schema);
  const ofItems = items && checkerOf(items, items['x-kubernetes-embedded-resource'] === true);
  const values = valuesOf(schema);
  const ofValues = values && checkerOf(values, values['x-kubernetes-embedded-resource'] === true);
  const own = (schema['x-kubernetes-validations'] ?? []).length > 0;
  if (!own && below.length === 0 && ofItems === undefined && ofValues === undefined) return undefined;
  let rules: readonly CompiledRule[] | undefined;
  const type = celTypeOf(schema, root) ?? DYN;
  return (self, old, path, state) => {
    if (self === null && schema.nullable === true) return;
    if (own) {
      rules ??= compileRules(schema, root).rules;
      // What has not changed is judged by the rules of before.
      const same = old !== undefined && jsonEqual(self, old);
      for (const rule of rules) {
        if (same && !rule.transition) continue;
        if (rule.transition && old === undefined && rule.rule.optionalOldSelf !== true) continue;
        evaluate(rule, type, self, old, path, state);
      }
    }
    if (isRecord(self)) {
      const before = isRecord(old) ? old : undefined;
      for (const [name, check] of below) {
        if (Object.hasOwn(self, name)) check(self[name], before?.[name], at(path, name), state);
      }
      if (ofValues === undefined) return;
      for (const name of Object.keys(self)) {
        if (propertyOf(schema, name) === undefined) ofValues(self[name], before?.[name], `${path}[${name}]`, state);
      }
    } else if (Array.isArray(self) && ofItems !== undefined) {
      for (const [i, item] of self.entries()) ofItems(item, oldItem(schema, old, item), `${path}[${i}]`, state);
    }
  };
}

const at = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

const REASONS: Readonly<Record<string, FieldErrorType>> = {
  FieldValueInvalid: 'FieldValueInvalid',
  FieldValueForbidden: 'FieldValueForbidden',
  FieldValueRequired: 'FieldValueRequired',
  FieldValueDuplicate: 'FieldValueDuplicate',
};

function evaluate(
  compiled: CompiledRule,
  type: CelType,
  self: unknown,
  old: unknown,
  path: string,
  state: State,
): void {
  const { rule, program } = compiled;
  const before =
    rule.optionalOldSelf === true ? new Optional(old === undefined ? undefined : fromJson(type, old)) : old;
  const variables = { self: self ?? NULL, oldSelf: before };
  const field = rule.fieldPath === undefined || rule.fieldPath === '' ? path : withFieldPath(path, rule.fieldPath);
  try {
    if (program.evaluate(variables, state.budget) === true) return;
    const value = typeof self === 'object' && self !== null ? (Array.isArray(self) ? 'array' : 'object') : self;
    state.errors.push({
      type: REASONS[rule.reason ?? ''] ?? 'FieldValueInvalid',
      field,
      value,
      detail: messageOf(compiled, variables, state),
    });
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const shown = typeof self === 'object' ? (Array.isArray(self) ? 'array' : 'object') : self;
    if (error.budget) {
      const why =
        state.budget.left < 0
          ? 'validation failed due to running out of cost budget, no further validation rules will be run'
          : `call cost exceeds limit for rule: ${rule.rule.trim()}`;
      state.errors.push(invalid(path, shown, why));
      return;
    }
    state.errors.push(invalid(path, shown, `rule evaluation error: ${error.message}`));
  }
}

/** null as a variable is a value. */
const NULL = () => null;

function messageOf({ rule, message }: CompiledRule, variables: Record<string, unknown>, state: State): string {
  if (message !== undefined) {
    try {
      const text = message.evaluate(variables, state.budget);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    } catch (error) {
      // The fixed message serves.
      if (!(error instanceof CelError)) throw error;
    }
  }
  if (rule.message !== undefined && rule.message !== '') return rule.message;
  return `failed rule: ${rule.rule.trim()}`;
}

/** `.spec['a.b'].c` behind a path. */
export function withFieldPath(path: string, fieldPath: string): string {
  return path === ''
    ? fieldPath.replace(/^\./, '')
    : `${path}${fieldPath.startsWith('.') || fieldPath.startsWith('[') ? '' : '.'}${fieldPath}`;
}

/** Whether a rule's fieldPath leads to a field of the schema. */
export function fieldPathExists(schema: JSONSchemaProps, fieldPath: string): boolean {
  const path = parseJsonPath(fieldPath);
  if (path === undefined) return false;
  let here: JSONSchemaProps | undefined = schema;
  for (const step of path) {
    if (step.k !== 'field' || here === undefined) return false;
    here = propertyOf(here, step.name) ?? valuesOf(here);
  }
  return here !== undefined;
}

/** All rules of a resource's schema, ready to run over objects; undefined where it has none. */
export function ruleChecker(schema: JSONSchemaProps): ((object: unknown, old?: unknown) => FieldError[]) | undefined {
  const check = checkerOf(schema, true);
  if (check === undefined) return undefined;
  return (object, old) => {
    const state: State = { errors: [], budget: { left: STEPS_PER_OBJECT } };
    check(object, old, '', state);
    return state.errors;
  };
}
