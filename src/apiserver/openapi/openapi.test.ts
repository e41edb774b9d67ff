import { afterAll, beforeAll, expect, test } from 'vitest';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let port = 0;

beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) => http(server, port, path, { headers });

test('an index leads to documents that never change', async () => {
  const { paths } = (await get('/openapi/v3')).json;
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['api/v1', 'apis/apps/v1']));
  const url = paths['apis/apps/v1'].serverRelativeURL;
  const answer = await get(url);
  expect(answer.headers['cache-control']).toBe('public, immutable');
  expect((await get(url, { 'if-none-match': String(answer.headers.etag) })).status).toBe(304);
  expect((await get('/openapi/v3/apis/apps/v1?hash=OLD')).headers.location).toBe(url);
  expect((await get('/openapi/v3/apis/none/v1')).status).toBe(404);
  expect((await get(url, { accept: 'text/html' })).status).toBe(406);
});

test('every reference leads somewhere, and every operation has a name of its own', async () => {
  const { paths } = (await get('/openapi/v3')).json;
  for (const path of Object.keys(paths)) {
    const { text, json } = await get(`/openapi/v3/${path}`);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      expect(json.components.schemas, `${path} refers to it`).toHaveProperty([name as string]);
    }
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((m) => m[1]);
    expect(new Set(ids).size, path).toBe(ids.length);
  }
});

test.each([
  ['api/v1', '/api/v1/pods', 'get', 'listCoreV1PodForAllNamespaces'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods', 'get', 'listCoreV1NamespacedPod'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods', 'delete', 'deleteCoreV1CollectionNamespacedPod'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods/{name}', 'get', 'readCoreV1NamespacedPod'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods/{name}/status', 'put', 'replaceCoreV1NamespacedPodStatus'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods/{name}/exec', 'get', 'connectCoreV1GetNamespacedPodExec'],
  ['api/v1', '/api/v1/namespaces/{namespace}/pods/{name}/eviction', 'post', 'createCoreV1NamespacedPodEviction'],
  ['api/v1', '/api/v1/nodes', 'delete', 'deleteCoreV1CollectionNode'],
  [
    'apis/apps/v1',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale',
    'patch',
    'patchAppsV1NamespacedDeploymentScale',
  ],
  [
    'apis/rbac.authorization.k8s.io/v1',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    'post',
    'createRbacAuthorizationV1ClusterRole',
  ],
])('generated clients have their functions under the names of Kubernetes: %s %s %s', async (doc, path, method, id) => {
  const { paths } = (await get(`/openapi/v3/${doc}`)).json;
  expect(paths[path][method].operationId).toBe(id);
});

test('kubectl finds what it looks for: the kind of a patch, and whether fields are validated', async () => {
  const { paths, components } = (await get('/openapi/v3/api/v1')).json;
  const { patch } = paths['/api/v1/namespaces/{namespace}/pods/{name}'];
  expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: '', version: 'v1', kind: 'Pod' });
  const names = patch.parameters.map((p: { name: string }) => p.name);
  expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']));
  expect(components.schemas['io.k8s.api.core.v1.Pod']['x-kubernetes-group-version-kind']).toEqual([
    { group: '', version: 'v1', kind: 'Pod' },
  ]);
  expect(components.schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-list-map-keys': ['name'],
  });
});

test('version 2 is one document, in JSON and in protobuf', async () => {
  const { json, text } = await get('/openapi/v2');
  expect(json.swagger).toBe('2.0');
  for (const [, name] of text.matchAll(/"\$ref":"([^"]+)"/g)) {
    expect(name).toMatch(/^#\/definitions\//);
    expect(json.definitions).toHaveProperty([(name as string).slice('#/definitions/'.length)]);
  }
  const { post } = json.paths['/apis/apps/v1/namespaces/{namespace}/deployments'];
  expect(post.parameters[0]).toMatchObject({ name: 'body', in: 'body', required: true });
  expect(post.parameters.find((p: { name: string }) => p.name === 'dryRun').type).toBe('string');
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const protobuf = await get('/openapi/v2', { accept });
  expect(protobuf.status).toBe(200);
  // Field 1, `swagger`.
  expect(protobuf.text.startsWith('\n\u00032.0')).toBe(true);
  for (const name of Object.keys(json.definitions)) expect(protobuf.text).toContain(name);
  expect((await get('/openapi/v2', { accept: 'text/html' })).status).toBe(406);
});

test('clients are told how custom resources are patched, and how others', async () => {
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'tests.lab.example.com' },
    spec: {
      group: 'lab.example.com',
      scope: 'Cluster',
      names: { plural: 'tests', kind: 'Test' },
      versions: [version],
    },
  };
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const headers = { 'content-type': 'application/json' };
  const made = await http(server, port, path, { method: 'POST', headers, body: JSON.stringify(definition) });
  expect(made.status).toBe(201);
  const typesOf = async (gv: string, at: string) => {
    const { paths } = (await get(`/openapi/v3/apis/${gv}`)).json;
    return Object.keys(paths[`/apis/${gv}/${at}`].patch.requestBody.content);
  };
  const strategic = 'application/strategic-merge-patch+json';
  expect(await typesOf('lab.example.com/v1', 'tests/{name}')).not.toContain(strategic);
  expect(await typesOf('lab.example.com/v1', 'tests/{name}')).toContain('application/merge-patch+json');
  expect(await typesOf('apps/v1', 'namespaces/{namespace}/deployments/{name}')).toContain(strategic);
});

test('version 2 says nothing of the fields of custom resources that keep everything at their root', async () => {
  const schema = (keeps: boolean) => ({
    type: 'object',
    description: 'Anything.',
    properties: { spec: { type: 'object', default: {} } },
    ...(keeps ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  });
  for (const [plural, keeps] of Object.entries({ opens: true, closeds: false })) {
    const body = JSON.stringify({
      metadata: { name: `${plural}.lab.example.com` },
      spec: {
        group: 'lab.example.com',
        scope: 'Cluster',
        names: { plural, kind: plural },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema(keeps) } }],
      },
    });
    const headers = { 'content-type': 'application/json' };
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await http(server, port, path, { method: 'POST', headers, body })).status).toBe(201);
  }
  const { definitions } = (await get('/openapi/v2')).json;
  const { 'x-kubernetes-group-version-kind': _kind, ...open } = definitions['com.example.lab.v1.opens'];
  expect(open).toEqual({ type: 'object' });
  expect(definitions['com.example.lab.v1.closeds']).toMatchObject({
    description: 'Anything.',
    properties: { spec: { type: 'object' }, metadata: {}, apiVersion: {}, kind: {} },
  });
  const { components } = (await get('/openapi/v3/apis/lab.example.com/v1')).json;
  expect(components.schemas['com.example.lab.v1.opens']).toMatchObject({ description: 'Anything.' });
});
