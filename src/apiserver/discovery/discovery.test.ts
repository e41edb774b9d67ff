import { afterAll, beforeAll, expect, test } from 'vitest';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let port = 0;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) => http(server, port, path, { headers });

test('versions, groups and resources', async () => {
  expect((await get('/api')).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
  const { groups } = (await get('/apis')).json;
  expect(groups).toContainEqual({
    name: 'apps',
    versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
    preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
  });
  expect((await get('/apis/apps')).json).toMatchObject({ kind: 'APIGroup', name: 'apps' });
  const { resources } = (await get('/apis/apps/v1')).json;
  expect(resources.find((r: { name: string }) => r.name === 'deployments')).toMatchObject({
    singularName: 'deployment',
    namespaced: true,
    kind: 'Deployment',
    shortNames: ['deploy'],
    categories: ['all'],
  });
  expect(resources.find((r: { name: string }) => r.name === 'deployments/scale')).toMatchObject({
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    verbs: ['get', 'patch', 'update'],
  });
  expect((await get('/api/v1')).json.resources.map((r: { name: string }) => r.name)).toContain('pods/exec');
  for (const path of ['/apis/none', '/apis/apps/v9', '/apis/apps/v1/x/y/z/w'])
    expect((await get(path)).status).toBe(404);
});

test('all in one document, with an ETag', async () => {
  const accept = `${AGGREGATED},${AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json`;
  const answer = await get('/apis', { accept });
  expect(answer.headers['content-type']).toBe(AGGREGATED);
  const apps = answer.json.items.find((i: { metadata: { name: string } }) => i.metadata.name === 'apps');
  const deployments = apps.versions[0].resources.find((r: { resource: string }) => r.resource === 'deployments');
  expect(deployments).toMatchObject({
    scope: 'Namespaced',
    responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    subresources: expect.arrayContaining([expect.objectContaining({ subresource: 'status' })]),
  });
  const again = await get('/apis', { accept, 'if-none-match': String(answer.headers.etag) });
  expect([again.status, again.text]).toEqual([304, '']);
  expect((await get('/api', { accept })).json.items).toHaveLength(1);
});
