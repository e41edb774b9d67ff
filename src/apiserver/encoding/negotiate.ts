/**
 * How a client wants its answer.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology and #receiving-resources-as-tables
 */

import { apiError } from '../../machinery/status.ts';
import type { IncludeObject } from '../../machinery/table.ts';
import { PROTOBUF_TYPE } from './protobufAnswer.ts';

export type Form = 'object' | 'table' | 'metadata';

export interface Wanted {
  readonly form: Form;
  /** the version of the Table or PartialObjectMetadata */
  readonly metaVersion: string;
  readonly includeObject: IncludeObject;
  readonly pretty: boolean;
  readonly yaml: boolean;
  readonly protobuf: boolean;
}

const PLAIN: Wanted = {
  form: 'object',
  metaVersion: 'v1',
  includeObject: 'Metadata',
  pretty: false,
  yaml: false,
  protobuf: false,
};
const PROTOBUF: Wanted = { ...PLAIN, protobuf: true };

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
const YAML_TYPE = 'application/yaml';
const FORMS: Readonly<Record<string, Form>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};

/**
 * The first of the client's wishes that can be met. A hot path.
 * @param inProtobuf whether what is answered has a form in protobuf
 * @throws ApiError NotAcceptable
 */
export function negotiate(accept: string | undefined, query: URLSearchParams, inProtobuf: boolean): Wanted {
  const pretty = isPretty(query);
  if ((accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') && !pretty)
    return PLAIN;
  const includeObject = includeOf(query);
  for (const clause of (accept ?? '*/*').split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (type === PROTOBUF_TYPE && inProtobuf && !parameters.some((p) => p.startsWith('as='))) return PROTOBUF;
    const yaml = type === YAML_TYPE;
    if (!JSON_TYPES.has(type) && !yaml) continue;
    const named = new Map(parameters.map((p) => p.split('=', 2) as [string, string]));
    const as = named.get('as');
    if (as === undefined) return { ...PLAIN, pretty, yaml };
    const form = FORMS[as];
    const version = named.get('v') ?? '';
    if (form === undefined || named.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    return { form, metaVersion: version, includeObject, pretty, yaml, protobuf: false };
  }
  const accepted = ['application/json', 'application/yaml', ...(inProtobuf ? [PROTOBUF_TYPE] : [])];
  throw apiError('NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

function isPretty(query: URLSearchParams): boolean {
  const text = query.get('pretty');
  return text !== null && text !== 'false' && text !== '0';
}

function includeOf(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') ?? '';
  if (text === 'None' || text === 'Object' || text === 'Metadata') return text;
  return 'Metadata';
}
