/**
 * How a client wants its answer.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology and #receiving-resources-as-tables
 */
import type { Kind } from '../../machinery/kind.ts';
import { type ApiError, apiError } from '../../machinery/status.ts';
import type { IncludeObject } from '../../machinery/table.ts';

export type Form = 'object' | 'table' | 'metadata';
export type Encoding = 'json' | 'yaml' | 'protobuf' | 'cbor';

export interface Wanted {
  readonly form: Form;
  /** the version of the Table or PartialObjectMetadata */
  readonly metaVersion: string;
  readonly includeObject: IncludeObject;
  readonly pretty: boolean;
  readonly encoding: Encoding;
}

export const PLAIN: Wanted = {
  form: 'object',
  metaVersion: 'v1',
  includeObject: 'Metadata',
  pretty: false,
  encoding: 'json',
};

/** In the order in which they are offered to whoever takes anything. */
const ENCODINGS: readonly Encoding[] = ['json', 'yaml', 'protobuf', 'cbor'];
export const MEDIA_TYPES: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  cbor: 'application/cbor',
};
/** YAML has no watches. */
const STREAM_TYPES: Readonly<Record<Encoding, string | undefined>> = {
  json: 'application/json',
  yaml: undefined,
  protobuf: `${MEDIA_TYPES.protobuf};stream=watch`,
  cbor: 'application/cbor-seq',
};
const FORMS: Readonly<Record<string, Form>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};

/** What is asked for: an answer or a watch, of which kind. A Status has none. */
export interface Asked {
  readonly watch: boolean;
  readonly kind: Kind | undefined;
}

/** The type that the events of a watch have. */
export function streamTypeOf(encoding: Encoding): string {
  // What has no streams was not negotiated for one.
  return STREAM_TYPES[encoding] ?? MEDIA_TYPES.json;
}

/** Whether objects of a kind have a form in protobuf; those of kinds that are defined at run time have none. */
export function hasProtobuf(kind: Kind | undefined): boolean {
  return kind?.withoutStrategicMerge !== true;
}

/** What is only ever asked, such as a review, is no row of anything. */
function hasTable(kind: Kind): boolean {
  return kind.verbs.includes('get') || kind.verbs.includes('list');
}

/** The first of the client's wishes that can be met. A hot path. @throws ApiError NotAcceptable */
export function negotiate(accept: string | undefined, query: URLSearchParams, asked: Asked): Wanted {
  const pretty = isPretty(query);
  if ((accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') && !pretty)
    return PLAIN;
  for (const clause of clausesOf(accept || '*/*')) {
    for (const encoding of ENCODINGS) {
      const wanted = matches(clause.type, encoding) ? wantedOf(clause, encoding, asked) : undefined;
      if (wanted === undefined) continue;
      // The first that fits is the one, though there be no watches in it.
      if (asked.watch && STREAM_TYPES[encoding] === undefined) throw notAcceptable(asked);
      const named = clause.parameters.get('pretty') === '1';
      return { ...wanted, pretty: pretty || named, includeObject: includeOf(query) };
    }
  }
  throw notAcceptable(asked);
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** No client has more wishes. */
const MAX_CLAUSES = 64;

/** What is wished most comes first; of equals, what is said most exactly. */
function clausesOf(accept: string): readonly Clause[] {
  const clauses = accept.split(',', MAX_CLAUSES).map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map<string, string>();
    for (const part of rest) {
      const at = part.indexOf('=');
      if (at > 0) parameters.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
    }
    const quality = parameters.has('q') ? Number(parameters.get('q')) || 0 : 1;
    return { type: type.toLowerCase(), parameters, quality };
  });
  if (clauses.length === 1) return clauses;
  return clauses.sort((a, b) => b.quality - a.quality || vagueness(a.type) - vagueness(b.type));
}

function vagueness(type: string): number {
  if (type.startsWith('*')) return 2;
  return type.endsWith('/*') ? 1 : 0;
}

function matches(type: string, encoding: Encoding): boolean {
  if (type === MEDIA_TYPES[encoding] || type === 'application/*' || type === '*/*' || type === '*') return true;
  return encoding === 'cbor' && type === 'application/cbor-seq';
}

/** Undefined for what cannot be had in this encoding. */
function wantedOf({ parameters }: Clause, encoding: Encoding, { kind }: Asked): Wanted | undefined {
  const stream = parameters.get('stream') ?? '';
  if (stream !== '' && (stream !== 'watch' || STREAM_TYPES[encoding] === undefined)) return undefined;
  const as = parameters.get('as');
  if (as === undefined && !parameters.has('g') && !parameters.has('v')) {
    return encoding === 'protobuf' && !hasProtobuf(kind) ? undefined : { ...PLAIN, encoding };
  }
  const form = Object.hasOwn(FORMS, as ?? '') ? FORMS[as ?? ''] : undefined;
  const version = parameters.get('v') ?? '';
  if (form === undefined || parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1'))
    return undefined;
  // There is nothing to make other forms of.
  if (kind === undefined || (form === 'table' && (encoding === 'protobuf' || !hasTable(kind)))) return undefined;
  return { ...PLAIN, form, metaVersion: version, encoding };
}

function notAcceptable({ watch, kind }: Asked): ApiError {
  const encodings = ENCODINGS.filter((e) => (e !== 'protobuf' || hasProtobuf(kind)) && !(watch && e === 'yaml'));
  const types = encodings.map((e) =>
    !watch ? MEDIA_TYPES[e] : e === 'json' ? `${MEDIA_TYPES.json};stream=watch` : STREAM_TYPES[e],
  );
  return apiError('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
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
