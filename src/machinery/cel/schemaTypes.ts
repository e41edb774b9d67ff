/** The types of CEL that the types of the API are. */
import type { ObjectType, ScalarType, Type } from '../schema/types.ts';
import {
  BOOL,
  BYTES,
  type CelField,
  type CelObjectType,
  type CelType,
  DOUBLE,
  DYN,
  escapeIdentifier,
  INT,
  listOf,
  mapOf,
  STRING,
  TIMESTAMP,
} from './types.ts';

const SCALARS: Readonly<Record<ScalarType['scalar'], CelType>> = {
  string: STRING,
  boolean: BOOL,
  int32: INT,
  int64: INT,
  double: DOUBLE,
  bytes: BYTES,
  quantity: STRING,
  intOrString: DYN,
  time: TIMESTAMP,
  microTime: TIMESTAMP,
  duration: STRING,
  rawObject: DYN,
  any: DYN,
};

const made = new WeakMap<ObjectType, CelObjectType>();

/** What an expression may expect of a value of this type: its fields are known, whatever else it keeps. */
export function celTypeOf(type: Type): CelType {
  switch (type.kind) {
    case 'scalar':
      return SCALARS[type.scalar];
    case 'list':
      return listOf(celTypeOf(type.of));
    case 'map':
      return mapOf(STRING, celTypeOf(type.of));
    case 'object':
      return celObjectOf(type);
  }
}

/** Types refer to each other in circles: fields are worked out when they are asked for. */
function celObjectOf(type: ObjectType): CelObjectType {
  const before = made.get(type);
  if (before !== undefined) return before;
  let fields: Map<string, CelField> | undefined;
  const object: CelObjectType = {
    kind: 'object',
    name: type.name,
    field(name) {
      fields ??= fieldsOf(type);
      return fields.get(name);
    },
  };
  made.set(type, object);
  return object;
}

function fieldsOf(type: ObjectType): Map<string, CelField> {
  const fields = new Map<string, CelField>();
  for (const [json, field] of Object.entries(type.fields)) {
    const name = escapeIdentifier(json);
    if (name !== undefined) fields.set(name, { type: celTypeOf(field.type), json });
  }
  return fields;
}
