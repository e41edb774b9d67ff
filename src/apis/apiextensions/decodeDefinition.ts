/** Reads a CustomResourceDefinition: schemas within schemas, which may also be booleans or lists, are read as schemas too. */
import { type Decoded, type DecodeError, decode } from '../../machinery/schema/decode.ts';
import type { ObjectType } from '../../machinery/schema/types.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from './customResourceDefinition.ts';

const MAX_DEPTH = 300;

interface Report {
  /** the type of schemas */
  readonly type: ObjectType;
  readonly unknown: string[];
  readonly errors: DecodeError[];
}

/** @param types of definitions, and of the schemas in them */
export function decodeDefinition(
  value: unknown,
  types: { readonly definition: ObjectType; readonly schema: ObjectType },
): Decoded<CustomResourceDefinition> {
  const decoded = decode<CustomResourceDefinition>(types.definition, value);
  const report: Report = { type: types.schema, unknown: [...decoded.unknown], errors: [...decoded.errors] };
  if (decoded.errors.length > 0) return decoded;
  for (const [i, version] of (decoded.value.spec?.versions ?? []).entries()) {
    const schema = version.schema?.openAPIV3Schema as JSONSchemaProps | undefined;
    if (schema !== undefined) below(schema, `spec.versions[${i}].schema.openAPIV3Schema`, 0, report);
  }
  return { value: decoded.value, unknown: report.unknown, errors: report.errors };
}

/** The fields that hold a schema or something else. */
function below(schema: JSONSchemaProps, path: string, depth: number, report: Report): void {
  if (depth > MAX_DEPTH) {
    report.errors.push({ path, message: 'the schema is nested too deeply' });
    return;
  }
  for (const name of ['items', 'additionalProperties', 'additionalItems'] as const) {
    const value = schema[name] as unknown;
    if (value === undefined || (typeof value === 'boolean' && name !== 'items')) continue;
    // A list of schemas is refused by validation, with a better word.
    if (name === 'items' && Array.isArray(value)) continue;
    Object.assign(schema, { [name]: inner(value, `${path}.${name}`, depth, report) });
  }
  const maps = [schema.properties, schema.patternProperties, schema.definitions];
  for (const [i, map] of maps.entries()) {
    for (const [name, one] of Object.entries(map ?? {})) {
      below(one, `${path}.${['properties', 'patternProperties', 'definitions'][i]}[${name}]`, depth + 1, report);
    }
  }
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, one] of (schema[name] ?? []).entries()) below(one, `${path}.${name}[${i}]`, depth + 1, report);
  }
  if (schema.not !== undefined) below(schema.not, `${path}.not`, depth + 1, report);
}

function inner(value: unknown, path: string, depth: number, report: Report): JSONSchemaProps {
  const decoded = decode<JSONSchemaProps>(report.type, value);
  for (const name of decoded.unknown) report.unknown.push(`${path}.${name}`);
  for (const error of decoded.errors) report.errors.push({ path: `${path}.${error.path}`, message: error.message });
  if (decoded.errors.length > 0) return {};
  below(decoded.value, path, depth + 1, report);
  return decoded.value;
}
