/**
 * A structural schema in our own schema language, for field ownership and the documents of OpenAPI. Decoding,
 * defaults and validation go by the structural schema itself, which says more.
 */

import { ObjectMeta } from '../../machinery/meta.ts';
import { API_VERSION_DOC, KIND_DOC } from '../../machinery/schema/openapi.ts';
import {
  any,
  bool,
  double,
  type Field,
  intOrString,
  type JsonObject,
  list,
  map,
  type ObjectType,
  object,
  opt,
  req,
  str,
  type Type,
} from '../../machinery/schema/types.ts';
import type { JSONSchemaProps } from './customResourceDefinition.ts';
import { itemsOf, valuesOf } from './structuralSchema.ts';

/** The type of a resource. @param name of its OpenAPI definition */
export function resourceType(name: string, schema: JSONSchemaProps): ObjectType {
  return objectType(name, schema, true, (version) => resourceOpenApi(schema, version));
}

/** @param keys of a list of such objects: what they default to tells items apart */
function objectType(
  name: string,
  schema: JSONSchemaProps,
  root: boolean,
  openApi?: ObjectType['openApi'],
  keys: readonly string[] = [],
): ObjectType {
  return object(
    name,
    () => {
      const fields: Record<string, Field> = {};
      for (const [field, property] of Object.entries(schema.properties ?? {})) {
        const type = typeOf(`${name}.${field}`, property);
        const preset = keys.includes(field) ? property.default : undefined;
        const options = preset === undefined ? {} : { default: preset };
        Object.defineProperty(fields, field, {
          value: (schema.required ?? []).includes(field)
            ? req(undefined, type, options)
            : opt(undefined, type, options),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      if (!root) return fields;
      return {
        ...fields,
        apiVersion: opt(undefined, str),
        kind: opt(undefined, str),
        metadata: opt(undefined, ObjectMeta),
      };
    },
    {
      atomic: schema['x-kubernetes-map-type'] === 'atomic',
      preserveUnknownFields: schema['x-kubernetes-preserve-unknown-fields'] === true,
      ...(openApi === undefined ? {} : { openApi }),
    },
  );
}

function typeOf(name: string, schema: JSONSchemaProps): Type {
  if (schema['x-kubernetes-int-or-string'] === true) return intOrString;
  switch (schema.type) {
    case 'string':
      return str;
    case 'boolean':
      return bool;
    case 'integer':
    case 'number':
      return double;
    case 'array': {
      const items = itemsOf(schema);
      const type = schema['x-kubernetes-list-type'];
      const keys = schema['x-kubernetes-list-map-keys'];
      const of = items?.type === 'object' && type === 'map' ? itemType(name, items, keys) : undefined;
      return list(of ?? (items === undefined ? any : typeOf(`${name}.items`, items)), {
        ...(type === 'set' || type === 'map' ? { type } : {}),
        ...(keys === undefined ? {} : { keys }),
      });
    }
    case 'object': {
      const values = valuesOf(schema);
      if (values !== undefined) {
        return map(typeOf(`${name}.values`, values), { atomic: schema['x-kubernetes-map-type'] === 'atomic' });
      }
      if (schema.additionalProperties === true)
        return map(any, { atomic: schema['x-kubernetes-map-type'] === 'atomic' });
      return objectType(name, schema, schema['x-kubernetes-embedded-resource'] === true);
    }
    default:
      return schema['x-kubernetes-preserve-unknown-fields'] === true ? objectType(name, schema, false) : any;
  }
}

function itemType(list: string, items: JSONSchemaProps, keys: readonly string[] | undefined): Type {
  return objectType(`${list}.items`, items, items['x-kubernetes-embedded-resource'] === true, undefined, keys);
}

const PREFIX = { v2: '#/definitions/', v3: '#/components/schemas/' } as const;
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The schema as clients are shown it. */
function resourceOpenApi(schema: JSONSchemaProps, version: 'v2' | 'v3'): JsonObject {
  // Whoever checks by version 2 would refuse every field beside the ones that are named.
  if (version === 'v2' && schema['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object' };
  const shown = version === 'v3' ? (structuredClone(schema) as unknown as JsonObject) : lenient(schema);
  const metadata: JsonObject = {
    description: "Standard object's metadata.",
    ...(version === 'v3' ? { allOf: [{ $ref: `${PREFIX.v3}${META}` }] } : { $ref: `${PREFIX.v2}${META}` }),
  };
  const properties = (shown.properties ?? {}) as JsonObject;
  return {
    ...shown,
    type: 'object',
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: API_VERSION_DOC },
      kind: { type: 'string', description: KIND_DOC },
      metadata,
    },
  };
}

/**
 * Version 2 says less: no combinations, no null, nothing for what may be several types; else clients would refuse
 * what the server takes.
 */
function lenient(schema: JSONSchemaProps): JsonObject {
  const {
    allOf,
    anyOf,
    oneOf,
    not,
    nullable,
    properties,
    items,
    additionalProperties,
    default: preset,
    ...rest
  } = schema;
  void [allOf, anyOf, oneOf, not, preset];
  const beside = { ...rest } as unknown as JsonObject;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true || nullable === true) {
    // A list or an object that may be null or anything: its type would be taken at its word.
    const { description } = schema;
    const kept: JsonObject = description === undefined ? {} : { description };
    if (schema['x-kubernetes-preserve-unknown-fields'] === true) kept['x-kubernetes-preserve-unknown-fields'] = true;
    if (schema['x-kubernetes-preserve-unknown-fields'] === true && schema.type === 'object' && nullable !== true)
      kept.type = 'object';
    return kept;
  }
  if (properties !== undefined) {
    beside.properties = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, lenient(one)]));
  }
  if (items !== undefined && !Array.isArray(items)) beside.items = lenient(items);
  if (typeof additionalProperties === 'object') beside.additionalProperties = lenient(additionalProperties);
  else if (additionalProperties !== undefined) beside.additionalProperties = additionalProperties;
  return beside;
}
