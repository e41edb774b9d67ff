/**
 * What the rules of a schema may cost at most, told from how large its values can be: a rule that could go on for too
 * long is refused with its definition, before there is an object. Where a size is not known the least is taken, so that
 * no rule is refused that Kubernetes takes.
 *
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions
 */
import type { Node } from '../../machinery/cel/ast.ts';
import { parse } from '../../machinery/cel/parser.ts';
import { type FieldError, forbidden } from '../../machinery/fieldError.ts';
import type { JSONSchemaProps } from './customResourceDefinition.ts';
import { itemsOf, propertyOf, valuesOf } from './structuralSchema.ts';

const COST_PER_RULE = 10_000_000;
const COST_PER_SCHEMA = 100_000_000;
/** The largest request: nothing within it is larger. */
const REQUEST_BYTES = 3 * 1024 * 1024;
const ADVICE =
  'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
/** of each byte of a string that is gone through */
const PER_BYTE = 0.1;

/** Rules of a schema that compile, and cost too much. @param path `spec.versions[0].schema.openAPIV3Schema` */
export function validateRuleCosts(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const all: { readonly cost: number; readonly path: string }[] = [];
  eachRule(schema, path, 1, (at, what, expression, self, times) => {
    const { cost } = costOf(parse(expression), new Map(['self', 'oldSelf'].map((name) => [name, ofSchema(0, self)])));
    all.push({ cost: cost * times, path: at });
    if (cost * times > COST_PER_RULE)
      errors.push(forbidden(at, exceeded(`estimated ${what} cost`, cost * times, COST_PER_RULE)));
  });
  const total = all.reduce((sum, { cost }) => sum + cost, 0);
  if (total <= COST_PER_SCHEMA) return errors;
  const most = all.sort((a, b) => b.cost - a.cost).slice(0, 4);
  for (const { path: at, cost } of most) {
    if (cost > COST_PER_SCHEMA / 100)
      errors.push(
        forbidden(at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'),
      );
  }
  const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
  errors.push(forbidden(path, exceeded(what, total, COST_PER_SCHEMA)));
  return errors;
}

function exceeded(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : `${factor.toFixed(factor < 1.5 ? 6 : 1)}x`;
  return `${what} exceeds budget by factor of ${shown} (${ADVICE})`;
}

type Visit = (path: string, what: string, expression: string, self: JSONSchemaProps, times: number) => void;

/** @param bound how many values of the schema one object can have; undefined: no schema above says */
function eachRule(schema: JSONSchemaProps, path: string, bound: number | undefined, visit: Visit): void {
  const times = bound ?? Math.floor(REQUEST_BYTES / (leastBytes(schema) + 1));
  for (const [i, rule] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    visit(`${at}.rule`, 'rule', rule.rule, schema, times);
    if (rule.messageExpression)
      visit(`${at}.messageExpression`, 'messageExpression', rule.messageExpression, schema, times);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    eachRule(property, `${path}.properties[${name}]`, bound, visit);
  const values = valuesOf(schema);
  if (values !== undefined)
    eachRule(values, `${path}.additionalProperties`, product(bound, schema.maxProperties), visit);
  const items = itemsOf(schema);
  if (items !== undefined) eachRule(items, `${path}.items`, product(bound, schema.maxItems), visit);
}

const product = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a * b;

const LEAST: Readonly<Record<string, number>> = { boolean: 4, string: 2, array: 2, integer: 1, number: 1 };
const LEAST_OF_FORMAT: Readonly<Record<string, number>> = { date: 12, 'date-time': 22, duration: 4 };

/** How many bytes of JSON a value takes at least. */
function leastBytes(schema: JSONSchemaProps): number {
  const { type = '', format = '' } = schema;
  if (schema['x-kubernetes-int-or-string'] === true) return 1;
  if (type !== 'object') return (type === 'string' ? LEAST_OF_FORMAT[format] : undefined) ?? LEAST[type] ?? 1;
  let bytes = 2;
  for (const name of schema.required ?? []) {
    const property = propertyOf(schema, name);
    if (property !== undefined && property.default === undefined) bytes += name.length + leastBytes(property) + 4;
  }
  return bytes;
}

/** How many elements, entries or bytes a value can have; 0 where that is not known. */
function mostOf(schema: JSONSchemaProps): number {
  switch (schema.type) {
    case 'array': {
      const items = itemsOf(schema);
      return schema.maxItems ?? (items === undefined ? 0 : Math.floor((REQUEST_BYTES - 2) / (leastBytes(items) + 1)));
    }
    case 'object': {
      const values = valuesOf(schema);
      if (values === undefined) return 0;
      return schema.maxProperties ?? Math.floor((REQUEST_BYTES - 2) / (leastBytes(values) + 6));
    }
    case 'string':
      return mostOfText(schema);
    default:
      return 0;
  }
}

function mostOfText({ maxLength, format = '', enum: values }: JSONSchemaProps): number {
  if (LEAST_OF_FORMAT[format] !== undefined) return LEAST_OF_FORMAT[format];
  // A character may take four bytes.
  if (maxLength !== undefined) return maxLength * 4;
  if (values !== undefined) return Math.max(0, ...values.map((value) => String(value).length));
  return REQUEST_BYTES - 2;
}

/** What an expression is known to give, and what it costs to have it. */
interface Estimate {
  readonly cost: number;
  readonly schema?: JSONSchemaProps | undefined;
  readonly size?: number;
}

type Variables = ReadonlyMap<string, Estimate>;

const ofSchema = (cost: number, schema: JSONSchemaProps | undefined): Estimate =>
  schema === undefined ? { cost } : { cost, schema, size: mostOf(schema) };

const LIST_COST = 10;
const MAP_COST = 30;
const STRUCT_COST = 40;
/** of each element that is gone through, beside what is done with it: whether to go on, and what was found so far */
const STEP_COST = 2;
/** functions that go through all of a list */
const WHOLE_LIST: ReadonlySet<string> = new Set(['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']);
const COMPARISONS: ReadonlySet<string> = new Set(['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_']);

function costOf(node: Node, variables: Variables): Estimate {
  const of = (part: Node, more = variables) => costOf(part, more);
  const sum = (parts: readonly Node[]) => parts.reduce((cost, part) => cost + of(part).cost, 0);
  switch (node.k) {
    case 'literal':
      return typeof node.value === 'string' ? { cost: 0, size: node.value.length } : { cost: 0 };
    case 'uint':
      return { cost: 0 };
    case 'ident': {
      const variable = variables.get(node.name);
      return variable === undefined ? { cost: 1 } : { ...variable, cost: 1 };
    }
    case 'select':
    case 'has': {
      const object = of(node.of);
      const { schema } = object;
      const field = schema && (propertyOf(schema, node.field) ?? valuesOf(schema));
      // Whether it is there costs no more than what it is asked of.
      return node.k === 'has' ? { cost: object.cost } : ofSchema(object.cost + 1, field);
    }
    case 'index': {
      const object = of(node.of);
      const { schema } = object;
      return ofSchema(object.cost + of(node.key).cost + 1, schema && (itemsOf(schema) ?? valuesOf(schema)));
    }
    case 'call':
      return { cost: callCost(node.name, node.target === undefined ? node.args : [node.target, ...node.args], of) };
    case 'and':
    case 'or':
      return { cost: of(node.left).cost + of(node.right).cost };
    case 'if':
      return { cost: of(node.condition).cost + Math.max(of(node.then).cost, of(node.otherwise).cost) };
    case 'list':
      return { cost: LIST_COST + sum(node.items.map((item) => item.node)), size: node.items.length };
    case 'map':
      return { cost: MAP_COST + sum(node.entries.flatMap(({ key, value }) => [key, value])) };
    case 'struct':
      return { cost: STRUCT_COST + sum(node.fields.map((field) => field.value)) };
    case 'iterate': {
      const over = of(node.over);
      const inner = new Map(variables);
      for (const [i, name] of node.variables.entries())
        inner.set(name, elementOf(over.schema, i, node.variables.length));
      const each =
        STEP_COST + of(node.body, inner).cost + (node.filter === undefined ? 0 : of(node.filter, inner).cost);
      return { cost: over.cost + (over.size ?? 0) * each };
    }
    case 'bind': {
      const value = of(node.value);
      const body = of(node.body, new Map(variables).set(node.name, value));
      return { ...body, cost: value.cost + body.cost };
    }
    case 'optMap': {
      const value = of(node.of);
      return { cost: value.cost + of(node.body, new Map(variables).set(node.name, { cost: 0 })).cost };
    }
  }
}

/** The nth of a macro's variables: an element of a list or a key of a map; of two the second is the value. */
function elementOf(schema: JSONSchemaProps | undefined, n: number, count: number): Estimate {
  const items = schema && itemsOf(schema);
  if (items !== undefined) return n === count - 1 ? ofSchema(0, items) : { cost: 0 };
  return n === 1 ? ofSchema(0, schema && valuesOf(schema)) : { cost: 0 };
}

function callCost(name: string, parts: readonly Node[], of: (node: Node) => Estimate): number {
  const args = parts.map((part) => of(part));
  const cost = args.reduce((all, arg) => all + arg.cost, 0);
  const [a = 0, b = 0] = args.map((arg) => arg.size ?? 0);
  const texts = args.every((arg) => arg.schema === undefined || arg.schema.type === 'string');
  const own = () => {
    if (COMPARISONS.has(name)) return texts ? Math.min(a, b) * PER_BYTE : 1;
    if (WHOLE_LIST.has(name)) return args[0]?.schema?.type === 'array' ? a : 1;
    switch (name) {
      case '@in':
        return args[1]?.schema?.type === 'object' ? 1 : b;
      case 'startsWith':
      case 'endsWith':
        return Math.min(a, b) * PER_BYTE;
      case 'contains':
        return a * PER_BYTE * Math.ceil(b * PER_BYTE);
      case 'matches':
        return a * PER_BYTE * Math.ceil(b * 0.25);
      default:
        return 1;
    }
  };
  return cost + Math.ceil(own());
}
