/**
 * The OpenAPI 2.0 document in protobuf, which kubectl asks for: before 1.27 to check every object, since then
 * for kinds that version 3 does not know.
 *
 * Source: https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto
 */
import { BYTES, FIXED64, VARINT, Writer } from '../../machinery/schema/protobuf.ts';

type Json = Readonly<Record<string, unknown>>;

/** Writes a value as field `number`; values that are absent never come here. */
type Field = (writer: Writer, number: number, value: unknown) => void;

/** The fields of a message by the names that they have in JSON; `x-` stands for all extensions. */
type Message = Readonly<Record<string, readonly [number: number, field: Field]>>;

const text: Field = (writer, number, value) => {
  writer.tag(number, BYTES);
  writer.block(Buffer.from(String(value)));
};
const flag: Field = (writer, number, value) => {
  writer.tag(number, VARINT);
  writer.varint(value === true ? 1 : 0);
};
const count: Field = (writer, number, value) => {
  writer.tag(number, VARINT);
  writer.varint(Number(value));
};
const double: Field = (writer, number, value) => {
  writer.tag(number, FIXED64);
  writer.double(Number(value));
};

function nested(write: (inner: Writer, value: unknown) => void): Field {
  return (writer, number, value) => {
    const inner = new Writer();
    write(inner, value);
    writer.tag(number, BYTES);
    writer.block(inner.bytes());
  };
}

/** Anything, as YAML: JSON is that. */
const any = nested((inner, value) => text(inner, 2, JSON.stringify(value)));

function message(fields: () => Message): Field {
  return nested((inner, value) => writeFields(inner, fields(), value as Json));
}

/** One for each item. */
function each(field: Field): Field {
  return (writer, number, value) => {
    for (const item of value as unknown[]) field(writer, number, item);
  };
}

/** A message whose one field `inside` is the value. */
function inside(at: number, field: Field): Field {
  return nested((inner, value) => field(inner, at, value));
}

/** One message of name and value for each member of a map. */
function named(field: Field): Field {
  const entry = nested((inner, value) => {
    const [name, member] = value as [string, unknown];
    text(inner, 1, name);
    field(inner, 2, member);
  });
  return (writer, number, value) => {
    for (const member of Object.entries(value as Json)) entry(writer, number, member);
  };
}

function writeFields(writer: Writer, fields: Message, value: Json): void {
  const extensions: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name.startsWith('x-')) {
      extensions[name] = member;
      continue;
    }
    const known = fields[name];
    if (known === undefined) throw new Error(`OpenAPI 2.0 in protobuf has no place for ${JSON.stringify(name)}`);
    if (member !== undefined) known[1](writer, known[0], member);
  }
  const place = fields['x-'];
  if (place !== undefined) place[1](writer, place[0], extensions);
}

const extensions = named(any);
const schema: Field = message(() => SCHEMA);
const strings = each(text);

const additionalProperties = nested((inner, value) => {
  if (typeof value === 'boolean') flag(inner, 2, value);
  else schema(inner, 1, value);
});
const type = nested((inner, value) => strings(inner, 1, [value].flat()));

const SCHEMA: Message = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  maximum: [7, double],
  minimum: [9, double],
  maxLength: [11, count],
  minLength: [12, count],
  pattern: [13, text],
  maxItems: [14, count],
  minItems: [15, count],
  uniqueItems: [16, flag],
  maxProperties: [17, count],
  minProperties: [18, count],
  required: [19, strings],
  enum: [20, each(any)],
  additionalProperties: [21, additionalProperties],
  type: [22, type],
  items: [23, inside(1, schema)],
  allOf: [24, each(schema)],
  properties: [25, inside(1, named(schema))],
  readOnly: [27, flag],
  example: [30, any],
  'x-': [31, extensions],
};

const BODY_PARAMETER: Message = {
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, schema],
  'x-': [6, extensions],
};

const HEADER_OR_PATH_PARAMETER: Message = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  format: [6, text],
  default: [9, any],
  maximum: [10, double],
  minimum: [12, double],
  pattern: [16, text],
  uniqueItems: [19, flag],
  enum: [20, each(any)],
  'x-': [22, extensions],
};

const QUERY_PARAMETER: Message = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  allowEmptyValue: [5, flag],
  type: [6, text],
  format: [7, text],
  default: [10, any],
  maximum: [11, double],
  minimum: [13, double],
  pattern: [17, text],
  uniqueItems: [20, flag],
  enum: [21, each(any)],
  'x-': [23, extensions],
};

const bodyParameter = message(() => BODY_PARAMETER);
const headerOrPathParameter = message(() => HEADER_OR_PATH_PARAMETER);
const queryParameter = message(() => QUERY_PARAMETER);

const nonBodyParameter = nested((inner, value) => {
  switch ((value as Json).in) {
    case 'header':
      return headerOrPathParameter(inner, 1, value);
    case 'path':
      return headerOrPathParameter(inner, 4, value);
    default:
      return queryParameter(inner, 3, value);
  }
});
const parameter = inside(
  1,
  nested((inner, value) => {
    if ((value as Json).in === 'body') bodyParameter(inner, 1, value);
    else nonBodyParameter(inner, 2, value);
  }),
);

const RESPONSE: Message = { description: [1, text], schema: [2, inside(1, schema)], 'x-': [5, extensions] };
const responses = inside(
  1,
  named(
    inside(
      1,
      message(() => RESPONSE),
    ),
  ),
);
const security = each(inside(1, named(nested((inner, value) => strings(inner, 1, value)))));

const OPERATION: Message = {
  tags: [1, strings],
  summary: [2, text],
  description: [3, text],
  operationId: [5, text],
  produces: [6, strings],
  consumes: [7, strings],
  parameters: [8, each(parameter)],
  responses: [9, responses],
  schemes: [10, strings],
  deprecated: [11, flag],
  security: [12, security],
  'x-': [13, extensions],
};
const operation = message(() => OPERATION);

const PATH_ITEM: Message = {
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  options: [6, operation],
  head: [7, operation],
  patch: [8, operation],
  parameters: [9, each(parameter)],
  'x-': [10, extensions],
};

const INFO: Message = { title: [1, text], version: [2, text], description: [3, text] };
const API_KEY: Message = { type: [1, text], name: [2, text], in: [3, text], description: [4, text] };

const DOCUMENT: Message = {
  swagger: [1, text],
  info: [2, message(() => INFO)],
  paths: [8, inside(2, named(message(() => PATH_ITEM)))],
  definitions: [9, inside(1, named(schema))],
  security: [12, security],
  securityDefinitions: [
    13,
    inside(
      1,
      named(
        inside(
          2,
          message(() => API_KEY),
        ),
      ),
    ),
  ],
};

/** @param document as `openApiVersion2` makes it @throws Error for a field that the protobuf form lacks */
export function encodeOpenApiVersion2(document: object): Buffer {
  const writer = new Writer();
  writeFields(writer, DOCUMENT, document as Json);
  return writer.bytes();
}
