/** The paths of a group version, with an operation for each verb. */
import { apiVersionOf, type GroupVersion, type Kind, type Verb } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import { PARAMETERS, PRETTY, pathParameter } from './parameters.ts';

type Json = { [key: string]: unknown };
type GroupVersionKind = Pick<Kind, 'group' | 'version' | 'kind'>;

export const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
export const STATUS = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
export const PATCH = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

/** Where a definition stands in a document of version 3. */
const schemaRef = (name: string) => `#/components/schemas/${name}`;

/** The definition of a kind's list. */
const listSchemaName = ({ schema, listKind }: Kind) =>
  schema.name.slice(0, schema.name.lastIndexOf('.') + 1) + listKind;

const JSON_TYPE = 'application/json';
const STRATEGIC_TYPE = 'application/strategic-merge-patch+json';
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  STRATEGIC_TYPE,
  'application/apply-patch+yaml',
];
/** Clients decide by these how they patch. */
const PATCH_TYPES_OF_CUSTOM = PATCH_TYPES.filter((type) => type !== STRATEGIC_TYPE);
/** Subresources that are connections: any method, no schema. */
const CONNECTING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);

const NAME = (kind: Kind) => pathParameter('name', `name of the ${kind.kind}`);
const NAMESPACE = pathParameter('namespace', 'the namespace');

export function pathsOf(
  registry: KindRegistry,
  kinds: readonly Kind[],
  extra: readonly Kind[],
  gv: GroupVersion,
): Json {
  const root = gv.group === '' ? `/api/${gv.version}/` : `/apis/${gv.group}/${gv.version}/`;
  const paths: Json = {
    [root]: {
      get: {
        description: 'The resources of this group and version.',
        operationId: `get${camel(gv.group)}${camel(gv.version)}APIResources`,
        responses: { 200: { description: 'OK' } },
      },
    },
  };
  for (const kind of kinds) {
    const inNamespace = kind.namespaced ? `${root}namespaces/{namespace}/${kind.plural}` : `${root}${kind.plural}`;
    const shared = kind.namespaced ? [NAMESPACE, PRETTY] : [PRETTY];
    const collection = operations(kind, [
      ['get', 'list', 'list'],
      ['post', 'create', 'post'],
      ['delete', 'deletecollection', 'deletecollection'],
    ]);
    paths[inNamespace] = { ...collection, parameters: shared };
    const item = operations(kind, [
      ['get', 'get', 'get'],
      ['put', 'update', 'put'],
      ['patch', 'patch', 'patch'],
      ['delete', 'delete', 'delete'],
    ]);
    if (Object.keys(item).length > 0) paths[`${inNamespace}/{name}`] = { ...item, parameters: [NAME(kind), ...shared] };
    if (kind.namespaced && kind.verbs.includes('list')) {
      const all = operation(kind, 'list', 'list', { allNamespaces: true });
      paths[`${root}${kind.plural}`] = { get: all, parameters: [PRETTY] };
    }
    for (const [name, sub] of subresources(registry, kind, extra)) {
      paths[`${inNamespace}/{name}/${name}`] = { ...sub, parameters: [NAME(kind), ...shared] };
    }
  }
  return Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function operations(kind: Kind, rows: readonly (readonly [method: string, verb: Verb, action: string])[]): Json {
  return Object.fromEntries(
    rows
      .filter(([, verb]) => kind.verbs.includes(verb))
      .map(([method, verb, action]) => [method, operation(kind, verb, action)]),
  );
}

function* subresources(registry: KindRegistry, kind: Kind, extra: readonly Kind[]): Generator<[string, Json]> {
  const rows: [name: string, gvk: GroupVersionKind, kind: Kind | undefined, verbs: readonly Verb[]][] = [];
  const scale = extra.find((k) => k.kind === 'Scale');
  if (kind.status !== undefined) rows.push(['status', kind, kind, ['get', 'patch', 'update']]);
  if (kind.scale !== undefined && scale !== undefined) rows.push(['scale', scale, scale, ['get', 'patch', 'update']]);
  for (const [name, { kind: of, group, version, verbs }] of Object.entries(kind.subresources ?? {})) {
    const gv = { group: group ?? kind.group, version: version ?? kind.version };
    const found =
      registry.byKind(apiVersionOf(gv), of) ??
      extra.find((k) => k.kind === of && k.group === gv.group && k.version === gv.version);
    rows.push([name, { ...gv, kind: of }, found, verbs]);
  }
  for (const [name, gvk, of, verbs] of rows) {
    const methods: Json = {};
    for (const verb of verbs) {
      const [method, action] = METHOD_OF[verb];
      methods[method] = operation(kind, verb, CONNECTING.has(name) ? 'connect' : action, {
        subresource: name,
        of,
        gvk,
      });
    }
    yield [name, methods];
  }
}

const METHOD_OF: Readonly<Record<Verb, readonly [method: string, action: string]>> = {
  get: ['get', 'get'],
  list: ['get', 'list'],
  watch: ['get', 'list'],
  create: ['post', 'post'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
  deletecollection: ['delete', 'deletecollection'],
};

interface Place {
  readonly allNamespaces?: boolean;
  readonly subresource?: string;
  /** the kind that a subresource takes and answers; absent for connections */
  readonly of?: Kind | undefined;
  /** what is sent or answered, named even where it has no schema */
  readonly gvk?: GroupVersionKind;
}

const VERB_WORD: Readonly<Record<string, string>> = {
  get: 'read',
  list: 'list',
  create: 'create',
  update: 'replace',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};

function operation(kind: Kind, verb: Verb, action: string, place: Place = {}): Json {
  const of = place.subresource === undefined ? kind : place.of;
  const shown = of ?? kind;
  const gvk = place.gvk ?? shown;
  const connects = action === 'connect';
  const word = connects ? 'connect' : (VERB_WORD[verb] ?? verb);
  // Clients are generated with these names for functions: the method of a connection stands behind the version.
  const how = connects ? camel(METHOD_OF[verb][0]) : verb === 'deletecollection' ? 'Collection' : '';
  const scope = kind.namespaced && !place.allNamespaces ? 'Namespaced' : '';
  const suffix = `${camel(place.subresource ?? '')}${place.allNamespaces ? 'ForAllNamespaces' : ''}`;
  const group = camel(kind.group === '' ? 'core' : kind.group.replace(/\.k8s\.io$/, ''));
  return {
    tags: [`${kind.group === '' ? 'core' : kind.group.replace(/\.k8s\.io$/, '')}_${kind.version}`],
    description: `${word} ${kind.kind}${place.subresource === undefined ? '' : ` ${place.subresource}`}`,
    operationId: `${word}${group}${camel(kind.version)}${how}${scope}${kind.kind}${suffix}`,
    parameters: PARAMETERS[action] ?? [],
    ...(connects ? {} : requestBody(shown, action, kind.withoutStrategicMerge === true)),
    responses: responses(shown, action, connects || of === undefined),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: gvk.group, version: gvk.version, kind: gvk.kind },
  };
}

function requestBody(kind: Kind, action: string, isCustom: boolean): Json {
  const of = (name: string, types: readonly string[], required: boolean): Json => ({
    requestBody: {
      content: Object.fromEntries(types.map((type) => [type, { schema: { $ref: schemaRef(name) } }])),
      ...(required ? { required } : {}),
    },
  });
  switch (action) {
    case 'post':
    case 'put':
      return of(kind.schema.name, [JSON_TYPE, 'application/yaml'], true);
    case 'patch':
      return of(PATCH, isCustom ? PATCH_TYPES_OF_CUSTOM : PATCH_TYPES, true);
    case 'delete':
    case 'deletecollection':
      return of(DELETE_OPTIONS, [JSON_TYPE], false);
    default:
      return {};
  }
}

function responses(kind: Kind, action: string, isText: boolean): Json {
  const content = (name: string, types: readonly string[]) => ({
    description: 'OK',
    content: Object.fromEntries(types.map((type) => [type, { schema: { $ref: schemaRef(name) } }])),
  });
  const types = [JSON_TYPE, 'application/yaml'];
  const refused = { 401: { description: 'Unauthorized' } };
  if (isText) return { 200: { description: 'OK', content: { '*/*': { schema: { type: 'string' } } } }, ...refused };
  switch (action) {
    case 'list':
      return { 200: content(listSchemaName(kind), [...types, 'application/json;stream=watch']), ...refused };
    case 'delete':
      return { 200: content(STATUS, types), 202: content(STATUS, types), ...refused };
    case 'deletecollection':
      return { 200: content(STATUS, types), ...refused };
    case 'post':
      return { 200: content(kind.schema.name, types), 201: content(kind.schema.name, types), ...refused };
    case 'put':
    case 'patch':
      return { 200: content(kind.schema.name, types), 201: content(kind.schema.name, types), ...refused };
    default:
      return { 200: content(kind.schema.name, types), ...refused };
  }
}

/** `apps` to `Apps`, `v1` to `V1`, `rbac.authorization` to `RbacAuthorization`. */
function camel(text: string): string {
  return text
    .split(/[^A-Za-z0-9]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
