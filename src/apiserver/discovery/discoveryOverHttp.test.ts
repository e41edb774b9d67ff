/** Discovery as clients see it: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '../../apis/registry.ts';
import { apiVersionOf } from '../../machinery/kind.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(() => server.stop());

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Subresource {
  subresource: string;
  verbs: string[];
}
interface Resource {
  resource: string;
  verbs: string[];
  responseKind: { kind: string };
  subresources?: Subresource[];
}
interface Group {
  metadata: { name?: string };
  versions: { version: string; freshness: string; resources: Resource[] }[];
}

test('the two forms tell the same of every kind', async () => {
  const groups: Group[] = [];
  for (const path of ['/api', '/apis']) groups.push(...(await api.get(path, { accept: AGGREGATED })).json.items);
  for (const { metadata, versions } of groups) {
    for (const { version, resources, freshness } of versions) {
      expect(freshness).toBe('Current');
      const gv = metadata.name === undefined ? `api/${version}` : `apis/${metadata.name}/${version}`;
      const legacy: { name: string; verbs: string[] }[] = (await api.get(`/${gv}`)).json.resources;
      const expected = resources.flatMap((r) => [
        [r.resource, r.verbs],
        ...(r.subresources ?? []).map((s) => [`${r.resource}/${s.subresource}`, s.verbs]),
      ]);
      expect(legacy.map((r) => [r.name, r.verbs])).toEqual(expected);
    }
  }
  const told = groups.flatMap(({ metadata: { name }, versions }) =>
    versions.flatMap(({ version, resources }) =>
      resources.map((r) => `${apiVersionOf({ group: name ?? '', version })} ${r.responseKind.kind}`),
    ),
  );
  const kinds = builtinKinds.filter((k) => !k.plural.includes('/')).map((k) => `${apiVersionOf(k)} ${k.kind}`);
  expect([...told].sort()).toEqual([...kinds].sort());
});

describe('aggregated documents', () => {
  test.each(['/api', '/apis'])('%s: who has the document is told so', async (path) => {
    const first = await api.get(path, { accept: AGGREGATED });
    expect(first.headers['content-type']).toBe(AGGREGATED);
    expect(first.headers.vary).toContain('Accept');
    const etag = String(first.headers.etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await api.get(path, { accept: AGGREGATED, 'if-none-match': known });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
    }
    expect((await api.get(path, { accept: AGGREGATED, 'if-none-match': '"other"' })).status).toBe(200);
  });

  test.each([
    [AGGREGATED, 'APIGroupDiscoveryList'],
    [AGGREGATED.replace('v=v2', 'v=v2beta1'), 'APIGroupDiscoveryList'],
    [AGGREGATED.replace('v=v2', 'v=v9'), 'APIGroupList'],
    [`${AGGREGATED.replace('v=v2', 'v=v9')},${AGGREGATED}`, 'APIGroupDiscoveryList'],
    ['application/json', 'APIGroupList'],
    ['*/*', 'APIGroupList'],
  ])('accept %s', async (accept, kind) => {
    expect((await api.get('/apis', { accept })).json.kind).toBe(kind);
  });

  test('change when a kind comes, and when it goes', async () => {
    const before = (await api.get('/apis', { accept: AGGREGATED })).headers.etag;
    const definition = {
      metadata: { name: 'cogs.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'cogs', kind: 'Cog', shortNames: ['cg'], categories: ['all'] },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await api.send('POST', path, definition)).status).toBe(201);
    await expect.poll(async () => (await api.get('/apis/example.com/v1')).status).toBe(200);
    expect((await api.get('/apis', { accept: AGGREGATED })).headers.etag).not.toBe(before);
    expect((await api.get('/apis/example.com/v1')).json.resources[0]).toMatchObject({
      name: 'cogs',
      kind: 'Cog',
      shortNames: ['cg'],
      categories: ['all'],
      namespaced: false,
    });
    const documents = async () => Object.keys((await api.get('/openapi/v3')).json.paths);
    expect(await documents()).toContain('apis/example.com/v1');
    await api.send('DELETE', `${path}/cogs.example.com`);
    await expect.poll(async () => (await api.get('/apis/example.com')).status).toBe(404);
    expect(await documents()).not.toContain('apis/example.com/v1');
  });
});

test.each(['/api/v2', '/api/v1/nothings', '/apis/none', '/apis/none/v1', '/apis/apps/v2', '/nowhere', '/'])(
  '%s is not there, or says what is',
  async (path) => {
    const { status, json } = await api.get(path);
    if (path === '/') {
      expect(status).toBe(200);
      expect(json.paths).toEqual(expect.arrayContaining(['/api/v1', '/apis/apps/v1', '/healthz/ping', '/openapi/v3']));
    } else expect(json).toMatchObject({ kind: 'Status', code: 404, reason: 'NotFound' });
  },
);

describe('OpenAPI', () => {
  test('version 3: each document under its hash is for ever, another hash leads to it', async () => {
    const { json, headers } = await api.get('/openapi/v3');
    expect(headers['content-type']).toBe('application/json');
    const paths: Record<string, { serverRelativeURL: string }> = json.paths;
    for (const [name, { serverRelativeURL: url }] of Object.entries(paths)) {
      expect(url).toMatch(new RegExp(`^/openapi/v3/${name}\\?hash=[0-9A-F]{128}$`));
    }
    const url = (paths['apis/apps/v1'] as { serverRelativeURL: string }).serverRelativeURL;
    const hashed = await api.get(url);
    expect(hashed.headers).toMatchObject({ 'cache-control': 'public, immutable', vary: 'Accept' });
    expect(Date.parse(String(hashed.headers.expires))).toBeGreaterThan(Date.now() + 300 * 86_400_000);
    expect((await api.get(url, { 'if-none-match': String(hashed.headers.etag) })).status).toBe(304);
    const plain = await api.get('/openapi/v3/apis/apps/v1');
    expect(plain.headers['cache-control']).toBe('no-cache, private');
    expect(plain.text).toBe(hashed.text);
    const moved = await api.get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect([moved.status, moved.headers.location]).toEqual([301, url]);
  });

  test('version 2: in JSON and in protobuf, each with an ETag of its own', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
    const [json, protobuf] = [await api.get('/openapi/v2'), await api.get('/openapi/v2', { accept })];
    expect(json.headers['content-type']).toBe('application/json');
    expect(protobuf.headers['content-type']).toBe(accept);
    expect(json.headers.etag).not.toBe(protobuf.headers.etag);
    for (const [answer, wanted] of [
      [json, {}],
      [protobuf, { accept }],
    ] as const) {
      const again = await api.get('/openapi/v2', { ...wanted, 'if-none-match': String(answer.headers.etag) });
      expect(again.status).toBe(304);
    }
  });
});
