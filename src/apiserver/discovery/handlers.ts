/** /api, /apis and what is below them that is no resource. */
import { createHash } from 'node:crypto';
import { apiError } from '../../machinery/status.ts';
import type { Aggregation } from '../aggregation/aggregation.ts';
import type { RawAnswer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import type { Handler } from '../stage.ts';
import { aggregated, CORE_GROUP, coreVersions, groupList, oneGroup, resourceList } from './documents.ts';
import { type DiscoveredGroup, groupsOf } from './groups.ts';

const AGGREGATED_VERSIONS = ['v2', 'v2beta1'];
const VARY = { Vary: 'Accept' };

/**
 * @param address this server's `host:port`, as others reach it
 * @param served all paths that are no resources; one that ends in `/*` stands for everything below
 */
export function discoveryPaths(
  registry: Registry,
  aggregation: Aggregation,
  address: () => string,
  served: () => Iterable<string>,
): [string, Handler][] {
  const { kinds } = registry;
  const all = () => groupsOf(kinds, aggregation);
  const root =
    (which: 'api' | 'apis', legacy: () => object): Handler =>
    (ctx) => {
      const version = aggregatedVersion(ctx.header('accept'));
      if (version === undefined) return answer(ctx, legacy(), 'application/json', VARY);
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return answer(
        ctx,
        aggregated(kinds, which === 'api' ? [CORE_GROUP] : all(), `apidiscovery.k8s.io/${version}`),
        type,
        VARY,
      );
    };
  return [
    ['/', (ctx) => answer(ctx, { paths: index(all(), served()) })],
    ['/api', root('api', () => coreVersions(address()))],
    ['/apis', root('apis', () => groupList(all()))],
    ['/api/v1', (ctx) => answer(ctx, resourceList(kinds, { group: '', version: 'v1' }))],
    ['/apis/*', (ctx) => below(registry, all(), ctx)],
  ];
}

/** What can be asked for below `/`, as somebody who has only the address finds it. */
function index(groups: readonly DiscoveredGroup[], served: Iterable<string>): string[] {
  const paths = new Set<string>();
  for (const path of served) if (!path.endsWith('*') && path !== '/') paths.add(path);
  for (const { name, versions } of groups) {
    paths.add(`/apis/${name}`);
    for (const { version } of versions) paths.add(`/apis/${name}/${version}`);
  }
  return [...paths].sort();
}

/** `/apis/<group>` and `/apis/<group>/<version>`. */
function below(registry: Registry, groups: readonly DiscoveredGroup[], ctx: RequestContext): RawAnswer {
  const [, , group = '', version, ...rest] = ctx.info.path.replace(/\/$/, '').split('/');
  const { kinds } = registry;
  if (rest.length === 0) {
    if (version === undefined) {
      const found = oneGroup(groups, group);
      if (found !== undefined) return answer(ctx, found);
    } else if (kinds.groupVersions().some((gv) => gv.group === group && gv.version === version)) {
      return answer(ctx, resourceList(kinds, { group, version }));
    }
  }
  throw apiError('NotFound', 'the server could not find the requested resource');
}

/** The first version of the aggregated form that the client accepts. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((p) => p.trim());
    if (type !== 'application/json' || !parameters.includes('as=APIGroupDiscoveryList')) continue;
    const version = AGGREGATED_VERSIONS.find((v) => parameters.includes(`v=${v}`));
    if (version !== undefined && parameters.includes('g=apidiscovery.k8s.io')) return version;
  }
  return undefined;
}

/** With an ETag, so that a client that knows the document is answered 304. */
function answer(
  ctx: RequestContext,
  document: object,
  contentType = 'application/json',
  headers: Record<string, string> = {},
): RawAnswer {
  const body = Buffer.from(JSON.stringify(document));
  const etag = `"${createHash('sha256').update(body).digest('hex').toUpperCase()}"`;
  const known = (ctx.header('if-none-match') ?? '').split(',').map((e) => e.trim().replace(/^W\//, ''));
  const all = { ...headers, Etag: etag, 'Cache-Control': 'public' };
  if (known.includes(etag)) return { type: 'raw', status: 304, contentType, body: Buffer.alloc(0), headers: all };
  return { type: 'raw', status: 200, contentType, body, headers: all };
}
