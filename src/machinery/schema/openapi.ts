/**
 * OpenAPI schemas of the types of the API, from their one definition: version 3 for `/openapi/v3`,
 * version 2 for `/openapi/v2`. They differ in where definitions stand and in how unions are said.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
 */
import type { Kind } from '../kind.ts';
import { ListMeta, ObjectMeta } from '../meta.ts';
import {
  type Field,
  type JsonObject,
  type ListType,
  list,
  type MapType,
  type ObjectType,
  object,
  opt,
  req,
  type ScalarTypes,
  str,
  type Type,
} from './types.ts';

export type OpenApiVersion = 'v2' | 'v3';

const REFERENCE_PREFIX: Record<OpenApiVersion, string> = { v2: '#/definitions/', v3: '#/components/schemas/' };

/** Scalars that have a name of their own in Kubernetes' documents. */
const NAMED_SCALARS: Partial<Record<keyof ScalarTypes, { name: string; v2: JsonObject; v3: JsonObject }>> = {
  // A schema that says nothing at all would be none for kubectl explain.
  any: {
    name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
    v2: { description: 'Any JSON value.' },
    v3: { description: 'Any JSON value.' },
  },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  intOrString: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  time: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
    v2: { type: 'string', format: 'date-time' },
    v3: { type: 'string', format: 'date-time' },
  },
  microTime: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
    v2: { type: 'string', format: 'date-time' },
    v3: { type: 'string', format: 'date-time' },
  },
  duration: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration',
    v2: { type: 'string' },
    v3: { type: 'string' },
  },
};

const PLAIN_SCALARS: Partial<Record<keyof ScalarTypes, JsonObject>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  rawObject: { type: 'object' },
};

/** What a type is, or one of its fields. */
export type Describe = (type: ObjectType, field?: string) => string | undefined;

/** Collects the definitions that a document needs: those of the types added, and of all that they refer to. */
export class OpenApiDefinitions {
  readonly #version: OpenApiVersion;
  readonly #definitions = new Map<string, JsonObject>();
  readonly #describe: Describe;

  /** @param describe what is said of types and fields that say nothing themselves */
  constructor(version: OpenApiVersion, describe: Describe = () => undefined) {
    this.#version = version;
    this.#describe = describe;
  }

  /** The kind's object and its list. @returns references to both */
  addKind(kind: Kind): { object: JsonObject; list: JsonObject } {
    const reference = this.add(kind.schema);
    const name = kind.schema.name;
    const listName = `${name.slice(0, name.lastIndexOf('.') + 1)}${kind.listKind}`;
    this.#mark(name, kind, kind.kind);
    if (!kind.verbs.includes('list')) return { object: reference, list: reference };
    const listReference = this.add(listTypeOf(listName, kind.schema));
    this.#mark(listName, kind, kind.listKind);
    return { object: reference, list: listReference };
  }

  /** @returns a reference to the definition of `type` */
  add(type: ObjectType): JsonObject {
    return this.#reference(type.name, () => this.#object(type));
  }

  /** All definitions by name, in alphabetical order. */
  all(): JsonObject {
    return Object.fromEntries([...this.#definitions].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #mark(name: string, { group, version }: Kind, kind: string): void {
    const definition = this.#definitions.get(name);
    if (definition !== undefined) definition['x-kubernetes-group-version-kind'] = [{ group, kind, version }];
  }

  #reference(name: string, make: () => JsonObject): JsonObject {
    if (!this.#definitions.has(name)) {
      const definition: JsonObject = {};
      // There before its fields are, which may refer back to it.
      this.#definitions.set(name, definition);
      Object.assign(definition, make());
    }
    return { $ref: REFERENCE_PREFIX[this.#version] + name };
  }

  #schema(type: Type): JsonObject {
    switch (type.kind) {
      case 'scalar':
        return this.#scalar(type.scalar);
      case 'list':
        return this.#list(type);
      case 'map':
        return this.#map(type);
      case 'object':
        return this.add(type);
    }
  }

  #scalar(scalar: keyof ScalarTypes): JsonObject {
    const named = NAMED_SCALARS[scalar];
    if (named === undefined) return { ...PLAIN_SCALARS[scalar] };
    return this.#reference(named.name, () => ({ ...named[this.#version] }));
  }

  #list(type: ListType): JsonObject {
    return {
      type: 'array',
      items: this.#schema(type.of),
      'x-kubernetes-list-type': type.type,
      ...(type.keys === undefined ? {} : { 'x-kubernetes-list-map-keys': [...type.keys] }),
      ...(type.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': type.mergeKey }),
      ...(type.patch === undefined ? {} : { 'x-kubernetes-patch-strategy': type.patch }),
    };
  }

  #map(type: MapType): JsonObject {
    return {
      type: 'object',
      additionalProperties: this.#schema(type.of),
      ...(type.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  #object(type: ObjectType): JsonObject {
    if (type.openApi !== undefined) {
      // What it refers to is a definition, too.
      for (const { type: of } of Object.values(type.fields))
        if (of.kind === 'object' && of === ObjectMeta) this.add(of);
      return type.openApi(this.#version);
    }
    const properties: JsonObject = {};
    const required: string[] = [];
    for (const [name, field] of Object.entries(type.fields)) {
      const said = described(name, field);
      properties[name] = this.#field(said, said.doc ?? this.#describe(type, name));
      if (field.required) required.push(name);
    }
    const description = type.description ?? this.#describe(type);
    return {
      ...(description === undefined ? {} : { description }),
      type: 'object',
      ...(required.length === 0 ? {} : { required }),
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(type.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(type.preserveUnknownFields ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    };
  }

  #field(field: Field, description: string | undefined): JsonObject {
    const schema = this.#schema(field.type);
    const beside: JsonObject = {
      ...(description === undefined ? {} : { description }),
      ...(field.default === undefined ? {} : { default: field.default }),
      ...(field.enum === undefined ? {} : { enum: [...field.enum] }),
      ...(field.patch === undefined ? {} : { 'x-kubernetes-patch-strategy': field.patch }),
    };
    if (Object.keys(beside).length === 0) return schema;
    // In version 3.0 nothing that stands beside a reference counts.
    return '$ref' in schema && this.#version === 'v3' ? { ...beside, allOf: [schema] } : { ...schema, ...beside };
  }
}

/** What every object says of itself. */
export const API_VERSION_DOC =
  'APIVersion defines what the fields are: the group and the version that they are written in.';
export const KIND_DOC = 'The type of the object.';
const TYPE_DOCS: ReadonlyMap<string, string> = new Map([
  ['apiVersion', API_VERSION_DOC],
  ['kind', KIND_DOC],
]);
const META_DOCS: ReadonlyMap<Type, string> = new Map<Type, string>([
  [ObjectMeta, "Standard object's metadata."],
  [ListMeta, "Standard list's metadata."],
]);

/** The same field, with a description where it has none and is one that objects have in common. */
function described(name: string, field: Field): Field {
  if (field.doc !== undefined) return field;
  const doc =
    field.wire === undefined ? TYPE_DOCS.get(name) : name === 'metadata' ? META_DOCS.get(field.type) : undefined;
  return doc === undefined ? field : { ...field, doc };
}

function listTypeOf(name: string, items: ObjectType): ObjectType {
  return object(name, () => ({
    apiVersion: opt(undefined, str),
    items: req(2, list(items)),
    kind: opt(undefined, str),
    metadata: opt(1, ListMeta),
  }));
}
