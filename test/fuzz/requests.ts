/** Requests of every kind: what clients send, what careless ones send, and what attackers send. */
import fc from 'fast-check';
import { builtinKinds, subresourceKinds } from '../../src/apis/registry.ts';
import { arbitraryOf } from '../../src/apis/testing/arbitrary.ts';
import type { Kind } from '../../src/machinery/kind.ts';
import type { Type } from '../../src/machinery/schema/types.ts';
import { type Body, baseOf, bodyOf, type Encoding } from './bodies.ts';
import { gadgetDefinition, gadgets } from './customKind.ts';
import { patchOf } from './patches.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** the kind that the path is of, where it is the path of an object or a collection itself */
  readonly kind?: Kind;
  /** of a subresource: the object that it changes */
  readonly parent?: { readonly kind: Kind; readonly path: string };
  /** what is served only after this request, and is waited for */
  readonly serves?: string;
}

const CONTENT_TYPES: Readonly<Record<Encoding | 'text', string>> = {
  json: 'application/json',
  text: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
  cbor: 'application/cbor',
};

/** Words of paths, escaped as they are sent. */
const oddWord = fc.constantFrom(
  ...['default', 'kubernetes', 'x', 'y', '', '.', '..', 'status', 'scale', 'log', 'exec', 'proxy', 'binding', 'token'],
  ...['%2e%2e', '%2F', '%00', 'a%20b', '%E2%82%AC', '%ff', '%', 'namespaces', 'watch', 'system:x', '__proto__'],
  ...['constructor', 'toString', 'x'.repeat(300), 'finalize', 'ephemeralcontainers', 'eviction', 'resize', 'approval'],
  ...['api', 'apis', 'v1', 'apps', 'pods', 'healthz', 'readyz', 'openapi', 'v2', 'v3', 'version', 'metrics', 'logs'],
  ...['livez', 'ping', 'etcd', 'autoscaling', 'events.k8s.io', 'fuzz.example.com', 'gadgets', '.well-known', 'openid'],
);

const selector = fc.constantFrom(
  ...['', 'a=b', 'app=web', 'app!=web', 'a in (b,c)', 'a in (', '!a', 'a>1', 'a', ',', '==', 'a=b=c', '__proto__=x'],
  ...[
    'metadata.name=x',
    'metadata.name!=x',
    'status.phase=Pending',
    'spec.nodeName=',
    'x.y=z',
    'a\\,b=c',
    '('.repeat(500),
  ],
);
const numeric = fc.constantFrom('0', '1', '-1', '5', '1e9', '99999999999999999999', 'x', '', '1.5', '٣');
const truth = fc.constantFrom('true', 'false', '1', '0', '', 'TRUE', 'x');
const PARAMETERS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  limit: numeric,
  continue: fc.constantFrom('', 'x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJ4In0', 'e30', '=='),
  resourceVersion: fc.oneof(numeric, fc.constantFrom('2', '3')),
  resourceVersionMatch: fc.constantFrom('Exact', 'NotOlderThan', '', 'x'),
  labelSelector: selector,
  fieldSelector: selector,
  dryRun: fc.constantFrom('All', 'All,All', '', 'x'),
  fieldValidation: fc.constantFrom('Strict', 'Warn', 'Ignore', '', 'x'),
  fieldManager: fc.constantFrom('me', 'you', '', 'x'.repeat(200), '\u0000', 'kubectl-client-side-apply'),
  force: truth,
  pretty: truth,
  sendInitialEvents: truth,
  allowWatchBookmarks: truth,
  propagationPolicy: fc.constantFrom('Orphan', 'Background', 'Foreground', '', 'x'),
  orphanDependents: truth,
  gracePeriodSeconds: numeric,
  ignoreStoreReadErrorWithClusterBreakingPotential: truth,
  includeObject: fc.constantFrom('None', 'Metadata', 'Object', '', 'x'),
  timeoutSeconds: fc.constantFrom('1', '0', '-1', 'x'),
  timeout: fc.constantFrom('1s', '0', '-1s', 'x', '30s'),
  watch: truth,
  __proto__x: truth,
  container: fc.constantFrom('c', '', '../x'),
  tailLines: numeric,
  command: fc.constantFrom('ls', ''),
  verbose: truth,
  exclude: fc.constantFrom('ping', 'none', ''),
  hash: fc.constantFrom('x', ''),
  ports: numeric,
};
const parameter = fc
  .constantFrom(...Object.keys(PARAMETERS))
  .chain((name) => (PARAMETERS[name] as fc.Arbitrary<string>).map((value) => [name, value] as const));
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.array(parameter, { minLength: 1, maxLength: 3 }).map((all) => Object.fromEntries(all)) },
);

const AS = ';v=v1;g=meta.k8s.io;as=';
const accept = fc.oneof(
  { weight: 4, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['*/*', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor', 'text/html', ';;,', ''],
      ...[`application/json${AS}Table`, `application/json${AS}PartialObjectMetadata`, `application/json;as=Table;v=v2`],
      ...[`application/json${AS}PartialObjectMetadataList`, `application/vnd.kubernetes.protobuf${AS}Table`],
      ...[`application/vnd.kubernetes.protobuf${AS}PartialObjectMetadata`, 'application/json;stream=watch'],
      ...['application/vnd.kubernetes.protobuf;stream=watch,application/json', 'application/cbor-seq,application/json'],
      ...['application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', 'application/json;q=x,,,'],
    ),
  },
);
const oddHeaders = fc.record(
  {
    'accept-encoding': fc.constantFrom('gzip', 'br', '*', 'gzip;q=0'),
    'impersonate-user': fc.constantFrom('', 'x', 'system:serviceaccount:default:default', 'system:node:x'),
    'impersonate-group': fc.constantFrom('', 'system:masters'),
    'impersonate-extra-a%': fc.constant('x'),
    'if-none-match': fc.constantFrom('*', '"x"'),
    authorization: fc.constantFrom('Bearer x', 'Basic eDp5', 'Bearer a.b.c', ''),
    'content-type': fc.constantFrom('text/plain', '', 'application/json;charset=x', 'multipart/form-data', '*/*'),
  },
  { requiredKeys: [] },
);
const headers = fc
  .tuple(accept, fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddHeaders }))
  .map(([a, odd]) => ({ accept: a, ...odd }) as Record<string, string>);

export const rootOf = (kind: Kind) =>
  kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;

export function collectionOf(kind: Kind, namespace: string): string {
  return kind.namespaced ? `${rootOf(kind)}/namespaces/${namespace}/${kind.plural}` : `${rootOf(kind)}/${kind.plural}`;
}

const namespace = fc.oneof(
  { weight: 12, arbitrary: fc.constant('default') },
  { weight: 1, arbitrary: fc.constantFrom('none', 'kube-system', '%20', '..', '__proto__') },
);

/** Those that dial what an object names are asked of objects that are not there. */
const DIALS: ReadonlySet<string> = new Set(['proxy', 'log', 'exec', 'attach', 'portforward']);

const withBody = (method: string, path: string, body: Body, kind?: Kind) => ({ method, path, body, kind });
const without = (method: string, path: string, kind?: Kind) => ({ method, path, kind });
type Core = Pick<FuzzRequest, 'method' | 'path' | 'body' | 'kind' | 'parent'> & { readonly contentType?: string };

/** Requests for one kind, which meet each other on few names. */
function coreOf(kind: Kind): fc.Arbitrary<Core> {
  const { name } = (baseOf(kind) as { metadata: { name: string } }).metadata;
  const names = fc.oneof(
    { weight: 12, arbitrary: fc.constant(name) },
    { weight: 1, arbitrary: fc.constantFrom('y', 'kubernetes', '%2e', '__proto__', 'default', 'X', 'a_b') },
  );
  const collection = namespace.map((ns) => collectionOf(kind, ns));
  const item = fc.tuple(collection, names).map(([c, n]) => `${c}/${n}`);
  const body = bodyOf(kind);
  const patch = patchOf(kind);
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(collection, body).map(([p, b]): Core => withBody('POST', p, b, kind)) },
    { weight: 4, arbitrary: fc.tuple(item, body).map(([p, b]): Core => withBody('PUT', p, b, kind)) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(item, patch)
        .map(([path, { contentType, body: b }]): Core => ({ method: 'PATCH', path, body: b, contentType, kind })),
    },
    { weight: 1, arbitrary: item.map((p): Core => without('DELETE', p, kind)) },
    { weight: 1, arbitrary: fc.tuple(item, deleteOptions).map(([p, b]): Core => withBody('DELETE', p, b, kind)) },
    { weight: 1, arbitrary: collection.map((p): Core => without('DELETE', p, kind)) },
    { weight: 1, arbitrary: item.map((p): Core => without('GET', p, kind)) },
    { weight: 1, arbitrary: collection.map((p): Core => without('GET', p, kind)) },
    { weight: 1, arbitrary: fc.constant(without('GET', `${rootOf(kind)}/${kind.plural}`, kind)) },
    ...subresourcesOf(kind).map((sub) => ({ weight: 1, arbitrary: subresourceRequest(kind, sub, item) })),
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('HEAD', 'OPTIONS', 'TRACE', 'LINK'), item).map(([m, p]) => without(m, p)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('POST', 'PUT', 'PATCH'),
          item,
          oddWord.filter((word) => !DIALS.has(word)),
          body,
        )
        .map(([m, p, w, b]) => withBody(m, `${p}/${w}`, b)),
    },
  );
}

const deleteOptions: fc.Arbitrary<Body> = fc
  .record(
    {
      apiVersion: fc.constantFrom('v1', 'meta.k8s.io/v1', 'x'),
      kind: fc.constantFrom('DeleteOptions', 'Pod'),
      gracePeriodSeconds: fc.constantFrom<unknown>(0, 1, -1, 'x', null, 1e30),
      propagationPolicy: fc.constantFrom('Orphan', 'Background', 'Foreground', 'x'),
      preconditions: fc.constantFrom<unknown>({ uid: 'x' }, { resourceVersion: '1' }, {}, null, 'x', []),
      dryRun: fc.constantFrom<unknown>(['All'], ['x'], 'All', []),
      orphanDependents: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .map((value) => ({ encoding: 'json' as const, value }));

function subresourcesOf(kind: Kind): string[] {
  return [
    ...(kind.status === undefined ? [] : ['status']),
    ...(kind.scale === undefined ? [] : ['scale']),
    ...Object.keys(kind.subresources ?? {}),
  ];
}

function subresourceRequest(kind: Kind, sub: string, item: fc.Arbitrary<string>): fc.Arbitrary<Core> {
  const path = DIALS.has(sub)
    ? fc.constant(`${collectionOf(kind, 'default')}/absent/${sub}`)
    : item.map((at) => `${at}/${sub}`);
  const sent = subresourceKinds.find(
    (k) => k.kind === kind.subresources?.[sub]?.kind || (sub === 'scale' && k.kind === 'Scale'),
  );
  const own = sent === undefined ? fc.oneof(statusOf(kind), bodyOf(kind)) : bodyOf(sent);
  const of = (core: Core): Core => {
    if (DIALS.has(sub) || kind.stored === false) return core;
    return { ...core, parent: { kind, path: core.path.slice(0, -sub.length - 1) } };
  };
  return fc.oneof(
    { weight: 1, arbitrary: path.map((p): Core => without('GET', p)) },
    { weight: 2, arbitrary: fc.tuple(path, own).map(([p, b]): Core => of(withBody('PUT', p, b))) },
    { weight: 2, arbitrary: fc.tuple(path, own).map(([p, b]): Core => of(withBody('POST', p, b))) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(path, patchOf(sent ?? kind))
        .map(([p, { contentType, body }]): Core => of({ method: 'PATCH', path: p, body, contentType })),
    },
  );
}

/** The example with a status of its own. */
function statusOf(kind: Kind): fc.Arbitrary<Body> {
  const status = (kind.schema.fields as Record<string, { type: Type } | undefined>).status;
  if (status === undefined) return bodyOf(kind);
  return arbitraryOf(status.type, 5).map((value) => ({
    encoding: 'json' as const,
    value: { ...baseOf(kind), status: value },
    kind,
  }));
}

const anywhere: fc.Arbitrary<Core> = fc
  .tuple(
    fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
    fc.array(oddWord, { maxLength: 8 }).map((words) => `/${words.join('/')}`),
    fc.constantFrom<Body>({ encoding: 'json', value: {} }, { encoding: 'text', text: '' }),
  )
  .map(([method, path, body]) =>
    method === 'GET' || method === 'HEAD' ? without(method, path) : withBody(method, path, body),
  );

function requestOf(core: fc.Arbitrary<Core>): fc.Arbitrary<FuzzRequest> {
  return fc.tuple(core, query, headers).map(([{ contentType, ...rest }, q, h]) => ({
    ...rest,
    query: q,
    headers: {
      ...(rest.body === undefined ? {} : { 'content-type': contentType ?? CONTENT_TYPES[rest.body.encoding] }),
      ...h,
    },
  }));
}

/** The object first, so that what follows meets it. */
function openingOf(kind: Kind): FuzzRequest {
  return {
    method: 'POST',
    path: collectionOf(kind, 'default'),
    query: {},
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: { encoding: 'json', value: baseOf(kind), kind },
    kind,
  };
}

/** Makes the custom kind, and waits until it is served. */
const defining: FuzzRequest = {
  method: 'POST',
  path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  query: {},
  headers: { accept: 'application/json', 'content-type': 'application/json' },
  body: { encoding: 'json', value: gadgetDefinition },
  serves: collectionOf(gadgets, 'default'),
};

/** Several requests that meet each other's objects. */
export function scenario(kinds: readonly Kind[] = builtinKinds): fc.Arbitrary<FuzzRequest[]> {
  const perKind = new Map<Kind, fc.Arbitrary<FuzzRequest[]>>();
  const of = (kind: Kind) => {
    let found = perKind.get(kind);
    if (found === undefined) {
      const requests = fc.array(requestOf(coreOf(kind)), { minLength: 1, maxLength: 5 });
      const before = kind === gadgets ? [defining] : [];
      found = fc.oneof(
        { weight: 1, arbitrary: requests.map((rest) => [...before, ...rest]) },
        { weight: 2, arbitrary: requests.map((rest) => [...before, openingOf(kind), ...rest]) },
      );
      perKind.set(kind, found);
    }
    return found;
  };
  return fc.oneof(
    { weight: 20, arbitrary: fc.nat(kinds.length - 1).chain((i) => of(kinds[i] as Kind)) },
    { weight: 1, arbitrary: fc.array(requestOf(anywhere), { minLength: 1, maxLength: 4 }) },
  );
}

/** A request as a person reads it, and can send it again. */
export function shown({ method, path, query: q, headers: h, body }: FuzzRequest): string {
  const search = new URLSearchParams(q).toString();
  const lines = [`${method} ${path}${search === '' ? '' : `?${search}`}`];
  for (const [name, value] of Object.entries(h)) lines.push(`  ${name}: ${value}`);
  if (body !== undefined) {
    const text = body.encoding === 'text' ? body.text : (JSON.stringify(body.value) ?? 'undefined');
    lines.push(
      `  ${body.encoding}: ${text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length} characters)` : text}`,
    );
  }
  return lines.join('\n');
}
