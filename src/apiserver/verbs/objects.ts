/** From a request's body to an object that can be stored: decode, default, and what is wrong with it. */
import type { FieldError } from '../../machinery/fieldError.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import type { ObjectMeta } from '../../machinery/meta.ts';
import { decodeApiProtobuf, openEnvelope } from '../../machinery/schema/apiProtobuf.ts';
import { type Decoded, decode } from '../../machinery/schema/decode.ts';
import { CborError, decodeCbor } from '../../machinery/schema/decodeCbor.ts';
import { applyDefaults } from '../../machinery/schema/defaults.ts';
import { JsonSyntaxError, parseJson } from '../../machinery/schema/parseJson.ts';
import { ProtobufError } from '../../machinery/schema/protobuf.ts';
import type { ObjectType } from '../../machinery/schema/types.ts';
import { apiError, badRequest, invalidObject } from '../../machinery/status.ts';
import type { RequestBody, RequestContext } from '../context.ts';

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', '*/*', '']);
const YAML_TYPES: ReadonlySet<string> = new Set([
  'application/yaml',
  'application/vnd.yaml',
  'text/yaml',
  'application/x-yaml',
]);

/** A value that was parsed, and the paths of fields that stood twice. It may be its sender's: decoding copies it. */
export interface ParsedBody {
  readonly value: unknown;
  readonly duplicates: readonly string[];
  /** what is said of keys that stood twice in YAML */
  readonly repeated?: string;
  /** an object in protobuf, of which `value` has apiVersion and kind only: what it says depends on its kind */
  readonly protobuf?: Buffer;
}

const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
const CBOR_TYPE = 'application/cbor';

/** @throws ApiError BadRequest, UnsupportedMediaType */
export async function parseBody(body: RequestBody): Promise<ParsedBody> {
  if (body.type === 'object') return { value: body.object, duplicates: [] };
  if (body.contentType === PROTOBUF_TYPE) return parseProtobuf(body.bytes);
  if (body.contentType === CBOR_TYPE) return parseCbor(body.bytes);
  if (YAML_TYPES.has(body.contentType)) return parseYaml(body);
  if (!JSON_TYPES.has(body.contentType)) {
    throw apiError(
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor',
    );
  }
  return parseJsonBody(body.bytes);
}

/** @throws ApiError BadRequest */
export function parseJsonBody(bytes: Buffer): ParsedBody {
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw badRequest(`the object provided is unrecognized: ${error.message}`);
    throw error;
  }
}

/** @throws ApiError BadRequest */
export function parseCbor(bytes: Buffer): ParsedBody {
  return readable(() => ({ value: decodeCbor(bytes), duplicates: [] }));
}

function parseProtobuf(bytes: Buffer): ParsedBody {
  return readable(() => {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    return { value: { apiVersion, kind }, duplicates: [], protobuf: raw };
  });
}

/**
 * The value of a body that is read as `type`, whatever form it came in.
 * @param unknown is given the fields that the type does not have, where the form itself depends on the type
 * @throws ApiError BadRequest
 */
export function bodyValue(parsed: ParsedBody, type: ObjectType, unknown: string[] = []): unknown {
  const { protobuf, value } = parsed;
  if (protobuf === undefined) return value;
  return readable(() => ({ ...decodeApiProtobuf(type, protobuf, unknown), ...(value as object) }));
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof CborError)
      throw badRequest(`the object provided is unrecognized: ${error.message}`);
    throw error;
  }
}

/** @throws ApiError BadRequest */
export async function parseYaml({ bytes, yaml }: Extract<RequestBody, { type: 'bytes' }>): Promise<ParsedBody> {
  try {
    return await yaml.read(bytes);
  } catch (error) {
    const { YamlError } = await import('./yamlBody.ts');
    if (error instanceof YamlError) throw badRequest(`error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** @throws ApiError Invalid */
export function fieldValidationOf(ctx: RequestContext): FieldValidation {
  const text = ctx.query.get('fieldValidation') ?? '';
  if (text === '') return 'Warn';
  if (text === 'Ignore' || text === 'Warn' || text === 'Strict') return text;
  throw apiError(
    'Invalid',
    `Options.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Strict", "Warn"`,
  );
}

/** A value that may be anything, for a message: an object's own `toString` is not asked. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * @param base the object before, with which the new one shares below its metadata what did not change: see `sharing`
 * @throws ApiError BadRequest for an object of another kind, of wrong types, or with unknown fields under Strict
 */
export function decodeObject(ctx: RequestContext, kind: Kind, parsed: ParsedBody, base?: KubeObject): KubeObject {
  const unknown: string[] = [];
  const value = bodyValue(parsed, kind.schema, unknown);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(`the object provided is unrecognized: it must be an object of the kind ${kind.kind}`);
  }
  const given = value as { apiVersion?: unknown; kind?: unknown };
  const wanted = apiVersionOf(kind);
  // What the client leaves out is taken from the path; what it says must fit.
  if (given.kind !== undefined && given.kind !== '' && given.kind !== kind.kind) {
    throw badRequest(
      `${textOf(given.kind)} in version ${JSON.stringify(given.apiVersion ?? kind.version)} cannot be handled as a ${kind.kind}`,
    );
  }
  if (given.apiVersion !== undefined && given.apiVersion !== '' && given.apiVersion !== wanted) {
    throw badRequest(
      `the API version in the data (${textOf(given.apiVersion)}) does not match the expected API version (${wanted})`,
    );
  }
  const decoded: Decoded<KubeObject> = kind.decode?.(value) ?? decode(kind.schema, value, base);
  const [error] = decoded.errors;
  if (error !== undefined) {
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.path}: ${error.message}`,
    );
  }
  const faults = [
    ...(parsed.repeated === undefined ? [] : [parsed.repeated]),
    ...[...unknown, ...decoded.unknown].map((path) => `unknown field ${JSON.stringify(path)}`),
    ...parsed.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ];
  if (faults.length > 0) {
    switch (fieldValidationOf(ctx)) {
      case 'Strict':
        throw badRequest(`strict decoding error: ${faults.join(', ')}`);
      case 'Warn':
        for (const fault of faults) ctx.warn(fault);
        break;
      case 'Ignore':
        break;
    }
  }
  const object = decoded.value === base ? { ...decoded.value } : decoded.value;
  object.apiVersion = wanted;
  object.kind = kind.kind;
  object.metadata = base !== undefined && object.metadata === base.metadata ? { ...base.metadata } : object.metadata;
  object.metadata ??= {};
  return object;
}

/** Defaults of the schema and of the kind. */
export function setDefaults(kind: Kind, object: KubeObject): void {
  applyDefaults(kind.schema, object);
  kind.setDefaults?.(object);
}

/** @throws ApiError Invalid where there is an error */
export function assertValid(kind: Kind, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject(kind, name, errors);
}

/** The metadata, which every decoded object has. */
export function metaOf(object: KubeObject): ObjectMeta {
  object.metadata ??= {};
  return object.metadata;
}

/** Whether `dryRun=All` is asked for. @throws ApiError Invalid for another value */
export function isDryRun(ctx: RequestContext, inBody?: readonly string[]): boolean {
  const values = inBody ?? ctx.query.getAll('dryRun');
  if (values.length === 0 || (values.length === 1 && values[0] === '')) return false;
  for (const value of values) {
    if (value !== 'All') {
      throw apiError(
        'Invalid',
        `Options.meta.k8s.io "" is invalid: dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`,
      );
    }
  }
  return true;
}

/** @throws ApiError BadRequest where the object says another name or namespace than the path */
export function assertMatchesPath(ctx: RequestContext, meta: ObjectMeta): void {
  const { info } = ctx;
  if (info.name !== '' && meta.name !== undefined && meta.name !== '' && meta.name !== info.name) {
    throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${info.name})`);
  }
  if (info.namespace !== undefined) {
    if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== info.namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    meta.namespace = info.namespace;
  }
}
