/** What an API service has, as it told when it was last asked: in the one form or in the other. */
import type { RemoteApi } from './remoteApi.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const ACCEPT = `${AGGREGATED},application/json;q=0.9`;
const TIMEOUT_MS = 5_000;

/** Resources in the form of apidiscovery.k8s.io/v2. */
export interface RemoteResources {
  readonly resources: readonly object[];
  /** 'Stale': it did not answer when it was last asked */
  readonly freshness: 'Current' | 'Stale';
}

export const NOTHING_KNOWN: RemoteResources = { resources: [], freshness: 'Stale' };

/** @param before what is told on where it does not answer */
export async function discover(api: RemoteApi, before: RemoteResources, signal: AbortSignal): Promise<RemoteResources> {
  try {
    const resources = (await fromAggregated(api, signal)) ?? (await fromLegacy(api, signal));
    return { resources, freshness: 'Current' };
  } catch {
    return { ...before, freshness: 'Stale' };
  }
}

/** Undefined where the server knows only the old form, or does not tell of the group in the new one. */
async function fromAggregated(api: RemoteApi, signal: AbortSignal): Promise<readonly object[] | undefined> {
  const { status, contentType, body } = await ask(api, '/apis', ACCEPT, signal);
  if (status !== 200 || !contentType.includes('as=APIGroupDiscoveryList')) return undefined;
  const { items } = JSON.parse(body.toString('utf8')) as { items?: unknown };
  const group = listOf(items).find((g) => (g.metadata as Fields | undefined)?.name === api.groupVersion.group);
  const version = listOf(group?.versions).find((v) => v.version === api.groupVersion.version);
  return version === undefined ? undefined : listOf(version.resources);
}

async function fromLegacy(api: RemoteApi, signal: AbortSignal): Promise<readonly object[]> {
  const { group, version } = api.groupVersion;
  const { status, body } = await ask(api, `/apis/${group}/${version}`, 'application/json', signal);
  if (status !== 200) throw new Error(`it answered ${status}`);
  const { resources } = JSON.parse(body.toString('utf8')) as { resources?: unknown };
  return aggregatedForm(api, listOf(resources));
}

const ask = (api: RemoteApi, path: string, accept: string, signal: AbortSignal) =>
  api.ask({ path, headers: { accept }, timeoutMs: TIMEOUT_MS, signal });

type Fields = Record<string, unknown>;

const listOf = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.filter((v): v is Fields => typeof v === 'object' && v !== null) : [];

/** Resources of an APIResourceList; `pods/log` becomes a subresource of `pods`. */
function aggregatedForm(api: RemoteApi, list: readonly Fields[]): object[] {
  const main = new Map<string, Fields & { subresources?: object[] }>();
  const kindOf = ({ group, version, kind }: Fields) => ({
    group: group || api.groupVersion.group,
    version: version || api.groupVersion.version,
    kind,
  });
  const named = list.map((resource) => ({ resource, path: String(resource.name ?? '').split('/') }));
  for (const { resource, path } of named) {
    const [name = '', subresource] = path;
    if (subresource !== undefined || name === '') continue;
    const { singularName = '', namespaced, verbs = [], shortNames, categories } = resource;
    main.set(name, {
      resource: name,
      responseKind: kindOf(resource),
      scope: namespaced === true ? 'Namespaced' : 'Cluster',
      singularResource: singularName,
      verbs,
      ...(shortNames === undefined ? {} : { shortNames }),
      ...(categories === undefined ? {} : { categories }),
    });
  }
  for (const { resource, path } of named) {
    const [name = '', ...rest] = path;
    const of = main.get(name);
    if (rest.length === 0 || of === undefined) continue;
    const subresource = { subresource: rest.join('/'), responseKind: kindOf(resource), verbs: resource.verbs ?? [] };
    of.subresources = [...(of.subresources ?? []), subresource];
  }
  return [...main.values()];
}
