/**
 * The OpenAPI 2.0 document: all group versions in one. Its paths are those of version 3 in the older form.
 * Source: https://swagger.io/specification/v2/
 */
import type { Kind } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import { commonDefinitions, describedDefinitions } from './document.ts';
import { pathsOf } from './paths.ts';

type Json = { [key: string]: unknown };

export function openApiVersion2(registry: KindRegistry, extra: readonly Kind[], version: string): object {
  const kinds = registry.all().filter((k) => !k.plural.includes('/'));
  const definitions = describedDefinitions('v2');
  for (const kind of [...kinds, ...extra]) definitions.addKind(kind);
  const paths: Json = {};
  for (const gv of registry.groupVersions()) {
    const served = kinds.filter((k) => k.group === gv.group && k.version === gv.version);
    for (const [path, item] of Object.entries(pathsOf(registry, served, extra, gv)))
      paths[path] = pathItem(item as Json);
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths,
    definitions: older(commonDefinitions(definitions, registry.groupVersions())),
    securityDefinitions: {
      BearerToken: { type: 'apiKey', in: 'header', name: 'authorization', description: 'Bearer token authentication' },
    },
    security: [{ BearerToken: [] }],
  };
}

function pathItem(item: Json): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(item)) {
    out[key] = key === 'parameters' ? (value as Json[]).map(parameter) : operation(value as Json);
  }
  return out;
}

/** A parameter's type stands in itself, not in a schema. */
function parameter({ schema, ...rest }: Json): Json {
  return { ...rest, ...(schema as Json) };
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
  readonly required?: boolean;
}

/** What is sent is a parameter called `body`. */
function operation({ requestBody, responses, parameters, ...rest }: Json): Json {
  const sent = requestBody as Content | undefined;
  const own = ((parameters as Json[] | undefined) ?? []).map(parameter);
  const body = schemaIn(sent);
  const produces = new Set<string>();
  const answers: Json = {};
  for (const [code, answer] of Object.entries(responses as Record<string, Json & Content>)) {
    for (const type of Object.keys(answer.content ?? {})) produces.add(type);
    const schema = schemaIn(answer);
    answers[code] = { description: answer.description, ...(schema === undefined ? {} : { schema }) };
  }
  return {
    ...rest,
    consumes: Object.keys(sent?.content ?? { '*/*': {} }),
    produces: [...produces],
    parameters: [
      ...(body === undefined
        ? []
        : [{ name: 'body', in: 'body', schema: body, ...(sent?.required ? { required: true } : {}) }]),
      ...own,
    ],
    responses: answers,
  };
}

function schemaIn(from: Content | undefined): Json | undefined {
  const [first] = Object.values(from?.content ?? {});
  return first === undefined ? undefined : (older(first.schema) as Json);
}

const NEWER = '#/components/schemas/';
const OLDER = '#/definitions/';

/** References lead to where definitions stand in this version. */
function older(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(`"$ref":"${NEWER}`, `"$ref":"${OLDER}`));
}
