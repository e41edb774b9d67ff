/**
 * Discovery of a whole server, compared with what Kubernetes 1.36 says of itself. Nothing that is there by default is
 * left out. Versions that only a switch turns on (alpha, and since 1.24 beta, too) are not served: nothing that is
 * stored in them would be there in the next version.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ResourceFacts, resourceFacts } from '../testing/facts/facts.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

interface Discovered {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: string[];
  readonly shortNames?: string[];
  readonly categories?: string[];
  readonly storageVersionHash?: string;
}

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(() => server.stop());

const pathOf = (apiVersion: string) => (apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`);

/** What discovery has to say, in its own form, without the hash. */
function expected(facts: ResourceFacts): Discovered[] {
  const { apiVersion, resource, kind, singular, namespaced, verbs, shortNames, categories, subresources } = facts;
  const below = Object.entries(subresources ?? {}).map(([name, said]) => {
    const [response = '', ...allowed] = said.split(' ');
    const [of = '', version = '', group = ''] = response.split('/').reverse();
    const foreign = [group, version].join('/') !== (apiVersion.includes('/') ? apiVersion : `/${apiVersion}`);
    return {
      name: `${resource}/${name}`,
      singularName: '',
      namespaced,
      ...(foreign ? { group, version } : {}),
      kind: of,
      verbs: allowed,
    };
  });
  return [
    {
      name: resource,
      singularName: singular,
      namespaced,
      kind,
      verbs: verbs.split(' '),
      ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
      ...(categories === undefined ? {} : { categories: [...categories] }),
    },
    ...below,
  ];
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const versions = [...new Set(resourceFacts().map(({ apiVersion }) => apiVersion))];

describe('discovery is that of Kubernetes', () => {
  it.each(versions)('%s', async (apiVersion) => {
    const { resources } = (await api.get(pathOf(apiVersion))).json as { resources: Discovered[] };
    const told = resources.map(({ storageVersionHash: _, ...rest }) => rest).sort(byName);
    const facts = resourceFacts().filter((f) => f.apiVersion === apiVersion);
    expect(told).toEqual(facts.flatMap(expected).sort(byName));
  });

  it('no other group or version is there', async () => {
    const { groups } = (await api.get('/apis')).json as { groups: { versions: { groupVersion: string }[] }[] };
    const told = groups.flatMap((group) => group.versions.map(({ groupVersion }) => groupVersion));
    expect([...told, 'v1'].sort()).toEqual([...versions].sort());
  });

  /** Hashes as upstream's discovery has them: of the group, version and kind in which an object is stored. */
  it.each([
    ['v1', 'pods', 'xPOwRZ+Yhw8='],
    ['v1', 'events', 'r2yiGXH7wu8='],
    ['networking.k8s.io/v1', 'ingresses', '39NQlfNR+bo='],
    ['admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', 'B0wHjQmsGNk='],
    ['events.k8s.io/v1', 'events', 'r2yiGXH7wu8='],
    ['autoscaling/v1', 'horizontalpodautoscalers', 'qwQve8ut294='],
    ['autoscaling/v2', 'horizontalpodautoscalers', 'qwQve8ut294='],
    ['v1', 'bindings', undefined],
    ['v1', 'componentstatuses', undefined],
  ])('%s %s: the hash of the storage version', async (apiVersion, resource, hash) => {
    const { resources } = (await api.get(pathOf(apiVersion))).json as { resources: Discovered[] };
    expect(resources.find(({ name }) => name === resource)?.storageVersionHash).toBe(hash);
  });
});
