/**
 * What a schema must be for custom resources to be served by it.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { compileRegularExpression } from '../../machinery/regularExpression.ts';
import type { JSONSchemaProps, ValidationRule } from './customResourceDefinition.ts';
import { validateRuleCosts } from './ruleCost.ts';
import { itemsOf, propertyOf, pruned, valuesOf } from './structuralSchema.ts';
import { compileRules, fieldPathExists } from './validationRules.ts';
import { validateValue } from './valueValidation.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const MAX_DEPTH = 200;

type Place = 'root' | 'field' | 'item' | 'value';

/** Faults of a version's schema. @param path `spec.versions[0].schema.openAPIV3Schema` */
export function validateSchema(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, path, 'root', 0, errors);
  return errors.length > 0 ? errors : validateRuleCosts(schema, path);
}

const EMPTY: Readonly<Record<Place, string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
  value: 'must not be empty for specified object fields',
};

/** @param apart where above it begins that an old value cannot be told for each new one */
function walk(
  schema: JSONSchemaProps,
  path: string,
  place: Place,
  depth: number,
  errors: FieldError[],
  apart?: string,
): void {
  if (depth > MAX_DEPTH) {
    errors.push(forbidden(path, 'the schema is nested too deeply'));
    return;
  }
  typeRules(schema, path, place, errors);
  neverAllowed(schema, path, errors);
  extensions(schema, path, errors);
  junctors(schema, path, errors);
  valueRules(schema, path, errors);
  if (schema['x-kubernetes-validations'] !== undefined) rules(schema, path, place, errors, apart);
  if (schema.default !== undefined) defaults(schema, path, place, errors);
  const values = valuesOf(schema);
  const { properties } = schema;
  if (properties !== undefined && Object.keys(properties).length > 0 && schema.additionalProperties !== undefined) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  const below = apart ?? (schema['x-kubernetes-map-type'] === 'atomic' ? path : undefined);
  for (const [name, property] of Object.entries(properties ?? {})) {
    const at = `${path}.properties[${name}]`;
    if (place === 'root' && name === 'metadata') metadata(property, at, errors);
    walk(property, at, 'field', depth + 1, errors, below);
  }
  if (values !== undefined) walk(values, `${path}.additionalProperties`, 'value', depth + 1, errors, below);
  const items = itemsOf(schema);
  // Only by its keys an item is found again.
  const keyed = schema['x-kubernetes-list-type'] === 'map';
  if (items !== undefined) walk(items, `${path}.items`, 'item', depth + 1, errors, apart ?? (keyed ? undefined : path));
}

function typeRules(schema: JSONSchemaProps, path: string, place: Place, errors: FieldError[]): void {
  const { type } = schema;
  const untyped =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined || type === '') {
    if (place === 'root' || !untyped) errors.push(required(`${path}.type`, EMPTY[place]));
  } else if (!TYPES.includes(type)) {
    errors.push(notSupported(`${path}.type`, type, TYPES));
  } else if (place === 'root' && type !== 'object') {
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  }
  if (place === 'root' && schema.nullable === true) {
    errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  }
}

/** What JSON Schema has and structural schemas do not. */
const NEVER = ['$ref', '$schema', 'id', 'definitions', 'dependencies', 'patternProperties', 'additionalItems'] as const;

function neverAllowed(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  for (const name of NEVER) {
    const value = schema[name];
    if (value !== undefined && value !== '') errors.push(forbidden(`${path}.${name}`, `${name} is not supported`));
  }
  if (schema.uniqueItems === true) {
    errors.push(
      forbidden(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  }
  if (schema.additionalProperties === false) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  }
  if (schema.type === 'array' && schema.items === undefined) {
    errors.push(required(`${path}.items`, 'must be specified'));
  }
}

function extensions(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const extension = <N extends keyof JSONSchemaProps>(name: N) => [schema[name], `${path}.${name}`] as const;
  const [embedded] = extension('x-kubernetes-embedded-resource');
  const [preserve, preserveAt] = extension('x-kubernetes-preserve-unknown-fields');
  if (preserve === false) errors.push(invalid(preserveAt, false, 'must be true or undefined'));
  if (embedded === true) {
    if (schema.type !== 'object')
      errors.push(
        invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-embedded-resource is true'),
      );
    if (preserve !== true && Object.keys(schema.properties ?? {}).length === 0) {
      errors.push(
        required(
          `${path}.properties`,
          'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
        ),
      );
    }
  }
  if (schema['x-kubernetes-int-or-string'] === true && schema.type !== undefined && schema.type !== '') {
    errors.push(forbidden(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  }
  const [mapType, mapAt] = extension('x-kubernetes-map-type');
  if (mapType !== undefined) {
    if (schema.type !== 'object')
      errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'));
    if (mapType !== 'atomic' && mapType !== 'granular')
      errors.push(notSupported(mapAt, mapType, ['atomic', 'granular']));
  }
  const [listType, listAt] = extension('x-kubernetes-list-type');
  if (listType !== undefined) {
    if (schema.type !== 'array')
      errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
    if (!['atomic', 'set', 'map'].includes(listType))
      errors.push(notSupported(listAt, listType, ['atomic', 'set', 'map']));
  }
  listKeys(schema, path, errors);
}

function listKeys(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const type = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  const items = itemsOf(schema);
  if (type === 'set' && items !== undefined) {
    const nested = items.type === 'object' || items.type === 'array';
    const whole =
      items['x-kubernetes-map-type'] === 'atomic' ||
      (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') === 'atomic');
    if (items.nullable === true)
      errors.push(forbidden(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is set'));
    if (nested && !whole)
      errors.push(
        invalid(
          `${path}.items.x-kubernetes-map-type`,
          items['x-kubernetes-map-type'] ?? '',
          'must be atomic as item of a list with x-kubernetes-list-type=set',
        ),
      );
  }
  if (type !== 'map') {
    if (keys.length > 0)
      errors.push(
        invalid(`${path}.x-kubernetes-list-type`, type ?? '', 'must be map if x-kubernetes-list-map-keys is non-empty'),
      );
    return;
  }
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (items === undefined) return;
  if (items.type !== 'object')
    errors.push(
      invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"),
    );
  for (const [i, key] of keys.entries()) {
    const property = propertyOf(items, key);
    if (keys.indexOf(key) !== i) errors.push(invalid(at, keys, `must not contain duplicate entries: ${key}`));
    if (property === undefined)
      errors.push(invalid(`${at}[${i}]`, key, 'entries must all be names of item properties'));
    else {
      if (property.type === 'array' || property.type === 'object') {
        errors.push(
          invalid(
            `${path}.items.properties[${key}].type`,
            property.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        );
      }
      if (property.default === undefined && !(items.required ?? []).includes(key)) {
        errors.push(
          required(
            `${path}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        );
      }
    }
  }
}

/** What allOf, anyOf, oneOf and not may say: nothing that makes structure. */
const STRUCTURE = [
  'type',
  'description',
  'title',
  'default',
  'additionalProperties',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const;

function junctors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, one] of (schema[name] ?? []).entries()) {
      // The one place where types may stand: integer or string.
      const typed =
        intOrString &&
        ((name === 'anyOf' && isIntOrString(schema.anyOf)) ||
          (name === 'allOf' && i === 0 && isIntOrString(one.anyOf)));
      inner(one, schema, `${path}.${name}[${i}]`, typed, errors);
    }
  }
  if (schema.not !== undefined) inner(schema.not, schema, `${path}.not`, false, errors);
}

const isIntOrString = (any: readonly JSONSchemaProps[] | undefined) =>
  any?.length === 2 && any[0]?.type === 'integer' && any[1]?.type === 'string';

function inner(
  one: JSONSchemaProps,
  structure: JSONSchemaProps | undefined,
  path: string,
  typed: boolean,
  errors: FieldError[],
): void {
  for (const name of STRUCTURE) {
    const value = one[name];
    if (value === undefined || value === '' || (typed && name === 'type')) continue;
    errors.push(forbidden(`${path}.${name}`, 'must be empty to be structural'));
  }
  valueRules(one, path, errors);
  neverAllowed({ ...one, type: '' }, path, errors);
  for (const [name, property] of Object.entries(one.properties ?? {})) {
    const below = structure && propertyOf(structure, name);
    const free = structure?.['x-kubernetes-preserve-unknown-fields'] === true;
    const at = `${path}.properties[${name}]`;
    if (below === undefined && !free && structure !== undefined) {
      const missing = at.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not(?=\.|$)/g, '');
      if (valuesOf(structure) === undefined) errors.push(required(missing, `because it is defined in ${at}`));
    }
    inner(property, below, at, false, errors);
  }
  const items = itemsOf(one);
  if (items !== undefined) {
    const below = structure && itemsOf(structure);
    if (below === undefined && structure !== undefined && structure['x-kubernetes-preserve-unknown-fields'] !== true) {
      const at = `${path}.items`;
      errors.push(
        required(at.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not(?=\.|$)/g, ''), `because it is defined in ${at}`),
      );
    }
    inner(items, below, `${path}.items`, false, errors);
  }
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, next] of (one[name] ?? []).entries())
      inner(next, structure, `${path}.${name}[${i}]`, typed && name === 'anyOf', errors);
  }
  if (one.not !== undefined) inner(one.not, structure, `${path}.not`, false, errors);
}

function valueRules(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  if (schema.pattern !== undefined && schema.pattern !== '') {
    try {
      compileRegularExpression(schema.pattern);
    } catch (error) {
      errors.push(
        invalid(
          `${path}.pattern`,
          schema.pattern,
          `must be a valid regular expression, but isn't: ${(error as Error).message}`,
        ),
      );
    }
  }
  for (const name of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const) {
    const value = schema[name];
    if (value !== undefined && value < 0)
      errors.push(invalid(`${path}.${name}`, value, 'must be greater than or equal to 0'));
  }
  if (schema.multipleOf !== undefined && schema.multipleOf <= 0) {
    errors.push(invalid(`${path}.multipleOf`, schema.multipleOf, 'must be greater than 0'));
  }
}

/** Of metadata a schema may restrict only the name. */
function metadata(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  if (schema.type !== undefined && schema.type !== 'object')
    errors.push(invalid(`${path}.type`, schema.type, 'must be object'));
  for (const name of Object.keys(schema.properties ?? {})) {
    if (name === 'name' || name === 'generateName') continue;
    errors.push(
      forbidden(
        `${path}.properties[${name}]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
  }
}

function defaults(schema: JSONSchemaProps, path: string, place: Place, errors: FieldError[]): void {
  const at = `${path}.default`;
  if (place === 'root') {
    errors.push(forbidden(at, 'must not be set at the root'));
    return;
  }
  if (schema.default === null && schema.nullable !== true) {
    errors.push(invalid(at, null, 'must not be null'));
    return;
  }
  const kept = pruned(schema, schema.default);
  if (!jsonEqual(kept.value, schema.default)) errors.push(invalid(at, schema.default, 'must not have unknown fields'));
  for (const error of validateValue(schema, schema.default, at)) errors.push(error);
}

const REASONS = ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate'];
const MAX_RULES = 100;

function rules(schema: JSONSchemaProps, path: string, place: Place, errors: FieldError[], apart?: string): void {
  const all = schema['x-kubernetes-validations'] ?? [];
  const at = `${path}.x-kubernetes-validations`;
  if (all.length > MAX_RULES)
    errors.push(forbidden(at, `too many rules: ${all.length}, at most ${MAX_RULES} are allowed`));
  if (schema.type === undefined || schema.type === '') {
    if (schema['x-kubernetes-int-or-string'] !== true)
      errors.push(forbidden(at, 'must not be used where the type is unknown'));
  }
  for (const [i, rule] of all.entries()) ruleFields(rule, schema, `${at}[${i}]`, errors);
  const { rules: compiled, faults } = compileRules(
    schema,
    place === 'root' || schema['x-kubernetes-embedded-resource'] === true,
  );
  for (const { rule, transition } of compiled) {
    if (!transition || apart === undefined) continue;
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${apart}`;
    errors.push(invalid(`${at}[${all.indexOf(rule)}].rule`, rule.rule, why));
  }
  for (const { index, field, message } of faults) {
    const text = field === 'rule' ? all[index]?.rule : all[index]?.messageExpression;
    if ((text ?? '').trim() !== '') errors.push(invalid(`${at}[${index}].${field}`, text, message));
  }
}

function ruleFields(rule: ValidationRule, schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  if ((rule.rule ?? '').trim() === '') errors.push(required(`${path}.rule`, 'rule is not specified'));
  const { message, messageExpression, reason, fieldPath } = rule;
  if (message !== undefined && message !== '') {
    if (message.trim() === '')
      errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
    else if (message.includes('\n'))
      errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
    else if (message.length > 2048)
      errors.push(
        invalid(
          `${path}.message`,
          `${message.slice(0, 10)}...`,
          'message must have a maximum length of 2048 characters',
        ),
      );
  } else if ((rule.rule ?? '').trim().includes('\n')) {
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  }
  if (messageExpression !== undefined && messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'));
  }
  if (reason !== undefined && reason !== '' && !REASONS.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, REASONS));
  }
  if (fieldPath !== undefined && fieldPath !== '' && !fieldPathExists(schema, fieldPath)) {
    errors.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path'));
  }
  if (rule.optionalOldSelf !== undefined && !/\boldSelf\b/.test(rule.rule ?? '')) {
    errors.push(
      invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
    );
  }
}
