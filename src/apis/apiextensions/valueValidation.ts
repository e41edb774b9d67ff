/**
 * Validates values against a schema: types, ranges, patterns, combinations. What an update leaves as it was is not
 * held against it (ratcheting).
 */
import { codePoints } from '../../machinery/cel/library/operators.ts';
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { compileRegularExpression } from '../../machinery/regularExpression.ts';
import type { JSONSchemaProps } from './customResourceDefinition.ts';
import { hasFormat } from './formats.ts';
import { isRecord, itemsOf, propertyOf, valuesOf } from './structuralSchema.ts';

/** No client needs more faults than these. */
const MAX_ERRORS = 100;
const ABSENT = Symbol('absent');

/** @param old the value as it was; absent: a new one */
export function validateValue(schema: JSONSchemaProps, value: unknown, path: string, ...old: [unknown?]): FieldError[] {
  const validator = new Validator();
  validator.value(schema, value, path, old.length === 0 ? ABSENT : old[0]);
  return validator.errors;
}

/** The place of what was before within what was before. */
export function oldItem(schema: JSONSchemaProps, old: unknown, item: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old) || keys === undefined || !isRecord(item))
    return undefined;
  return old.find(
    (other) =>
      isRecord(other) && keys.every((key) => jsonEqual(keyValue(schema, other, key), keyValue(schema, item, key))),
  );
}

/** A key that an item leaves out has its default. */
function keyValue(schema: JSONSchemaProps, item: Record<string, unknown>, key: string): unknown {
  return item[key] ?? propertyOf(itemsOf(schema) ?? {}, key)?.default;
}

class Validator {
  readonly errors: FieldError[] = [];

  value(schema: JSONSchemaProps, value: unknown, path: string, old: unknown): void {
    if (this.errors.length >= MAX_ERRORS) return;
    if (old !== ABSENT && old !== undefined && jsonEqual(value, old)) return;
    if (value === null && schema.nullable === true) return;
    if (!this.#type(schema, value, path)) return;
    this.#enum(schema, value, path);
    if (typeof value === 'string') this.#string(schema, value, path);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#number(schema, value, path);
    else if (Array.isArray(value)) this.#list(schema, value, path, old);
    else if (isRecord(value)) this.#object(schema, value, path, old);
    this.#combined(schema, value, path);
  }

  #invalid(path: string, value: unknown, text: string): void {
    this.errors.push(invalid(path, value, `${path} in body ${text}`));
  }

  #type(schema: JSONSchemaProps, value: unknown, path: string): boolean {
    if (schema['x-kubernetes-int-or-string'] === true) {
      if (typeof value === 'string' || isType('integer', value)) return true;
      this.#wrongType('integer,string', value, path);
      return false;
    }
    const { type } = schema;
    if (type === undefined || type === '' || isType(type, value)) return true;
    this.#wrongType(type, value, path);
    return false;
  }

  #wrongType(type: string, value: unknown, path: string): void {
    const shown = typeName(value);
    const field = path === '' ? '<nil>' : path;
    const detail = `${path} in body must be of type ${type}: ${JSON.stringify(shown)}`;
    this.errors.push({ type: 'FieldValueTypeInvalid', field, value: shown, detail });
  }

  #enum({ enum: allowed }: JSONSchemaProps, value: unknown, path: string): void {
    if (allowed === undefined || allowed.length === 0 || allowed.some((a) => jsonEqual(a, value))) return;
    const shown = allowed.map((a) => (typeof a === 'string' ? a : stringifyExactJson(a)));
    this.errors.push(notSupported(path, value, shown));
  }

  #string(schema: JSONSchemaProps, value: string, path: string): void {
    const { minLength, maxLength, pattern, format } = schema;
    if (minLength !== undefined || maxLength !== undefined) {
      const length = codePoints(value);
      if (maxLength !== undefined && length > maxLength) {
        this.errors.push({ type: 'FieldValueTooLong', field: path, detail: `may not be more than ${maxLength} bytes` });
      }
      if (minLength !== undefined && length < minLength) {
        this.#invalid(path, value, `should be at least ${minLength} chars long`);
      }
    }
    if (pattern !== undefined && pattern !== '' && !matchesPattern(pattern, value)) {
      this.#invalid(path, value, `should match '${pattern}'`);
    }
    if (format !== undefined && format !== '' && !hasFormat(format, value)) {
      const detail = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
      this.errors.push({ type: 'FieldValueTypeInvalid', field: path, value, detail });
    }
  }

  #number(schema: JSONSchemaProps, value: number | bigint, path: string): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
    if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
      this.#invalid(path, value, `should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
    }
    if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
      this.#invalid(path, value, `should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
    }
    if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(Number(value), multipleOf)) {
      this.#invalid(path, value, `should be a multiple of ${multipleOf}`);
    }
    if (format === 'int32' && (value > 2147483647 || value < -2147483648)) {
      this.#invalid(path, value, 'must be of type int32');
    }
  }

  #list(schema: JSONSchemaProps, value: readonly unknown[], path: string, old: unknown): void {
    const { minItems, maxItems } = schema;
    if (maxItems !== undefined && value.length > maxItems) {
      this.errors.push({
        type: 'FieldValueTooMany',
        field: path,
        value: value.length,
        detail: `must have at most ${maxItems} items`,
      });
    }
    if (minItems !== undefined && value.length < minItems) {
      this.#invalid(path, value.length, `should have at least ${minItems} items`);
    }
    this.#unique(schema, value, path);
    const items = itemsOf(schema);
    if (items === undefined) return;
    for (const [i, item] of value.entries()) {
      const before = old === ABSENT ? ABSENT : oldItem(schema, old, item);
      this.value(items, item, `${path}[${i}]`, before);
    }
  }

  /** Of sets and maps no two are the same. */
  #unique(schema: JSONSchemaProps, value: readonly unknown[], path: string): void {
    const type = schema['x-kubernetes-list-type'];
    if (type !== 'set' && type !== 'map') return;
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    const seen = new Set<string>();
    for (const [i, item] of value.entries()) {
      const identity =
        type === 'set' ? item : isRecord(item) ? keys.map((key) => keyValue(schema, item, key) ?? null) : item;
      const text = canonical(identity);
      if (seen.has(text)) {
        const shown = type === 'map' && isRecord(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item;
        this.errors.push({ type: 'FieldValueDuplicate', field: `${path}[${i}]`, value: shown, detail: '' });
      }
      seen.add(text);
    }
  }

  #object(schema: JSONSchemaProps, value: Record<string, unknown>, path: string, old: unknown): void {
    const names = Object.keys(value);
    const { minProperties, maxProperties } = schema;
    if (maxProperties !== undefined && names.length > maxProperties) {
      this.errors.push({
        type: 'FieldValueTooMany',
        field: path,
        value: names.length,
        detail: `must have at most ${maxProperties} items`,
      });
    }
    if (minProperties !== undefined && names.length < minProperties) {
      this.#invalid(path, names.length, `should have at least ${minProperties} properties`);
    }
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) this.errors.push(required(at(path, name)));
    }
    const before = old === ABSENT ? ABSENT : isRecord(old) ? old : undefined;
    const values = valuesOf(schema);
    for (const name of names) {
      const known = propertyOf(schema, name) ?? values;
      if (known === undefined) continue;
      this.value(known, value[name], at(path, name), typeof before === 'object' ? before[name] : before);
    }
    if (schema['x-kubernetes-embedded-resource'] === true) this.#embedded(value, path);
  }

  #embedded(value: Record<string, unknown>, path: string): void {
    for (const name of ['apiVersion', 'kind'] as const) {
      const text = value[name];
      if (typeof text !== 'string' || text === '') this.errors.push(required(at(path, name), 'must not be empty'));
    }
  }

  #combined(schema: JSONSchemaProps, value: unknown, path: string): void {
    const named = JSON.stringify(path);
    const passes = (one: JSONSchemaProps) => faultsOf(one, value, path).length === 0;
    for (const one of schema.allOf ?? []) {
      const faults = faultsOf(one, value, path);
      if (faults.length === 0) continue;
      this.errors.push(...faults, invalid(path, shownAs(value), `${named} must validate all the schemas (allOf)`));
      break;
    }
    if (schema.anyOf !== undefined && schema.anyOf.length > 0 && !schema.anyOf.some(passes)) {
      this.errors.push(...faultsOf(schema.anyOf[0] as JSONSchemaProps, value, path));
      this.errors.push(invalid(path, shownAs(value), `${named} must validate at least one schema (anyOf)`));
    }
    if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
      const valid = schema.oneOf.filter(passes).length;
      if (valid === 0) this.errors.push(...faultsOf(schema.oneOf[0] as JSONSchemaProps, value, path));
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      if (valid !== 1) {
        this.errors.push(
          invalid(path, shownAs(value), `${named} must validate one and only one schema (oneOf). ${found}`),
        );
      }
    }
    if (schema.not !== undefined && passes(schema.not)) {
      this.errors.push(invalid(path, shownAs(value), `${named} must not validate the schema (not)`));
    }
  }
}

function faultsOf(schema: JSONSchemaProps, value: unknown, path: string): FieldError[] {
  const inner = new Validator();
  inner.value(schema, value, path, ABSENT);
  return inner.errors;
}

const at = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);
/** Large values say little in a message. */
const shownAs = (value: unknown) => (typeof value === 'object' && value !== null ? typeName(value) : value);

function isType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    case 'number':
      return typeof value === 'bigint' || typeof value === 'number';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    default:
      return typeof value === type;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function matchesPattern(pattern: string, value: string): boolean {
  try {
    return compileRegularExpression(pattern).matcher(value).find();
  } catch {
    // Patterns are compiled before a definition is accepted.
    return false;
  }
}

function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9;
}

/** JSON with fields in order, so that equal values have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isRecord(value)) return stringifyExactJson(value) ?? 'null';
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
