/** Columns of custom resources whose paths nobody can read. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(() => server.stop());

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

it.each([
  ['routes', '.spec.hosts[0]', ['Name', 'Hosts']],
  ['paths', '.spec.http[].match.hosts', ['Name', 'Age']],
])('%s with a column %s are shown with %s', async (plural, jsonPath, shown) => {
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    additionalPrinterColumns: [{ name: 'Hosts', type: 'string', jsonPath }],
  };
  const definition = {
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', scope: 'Cluster', names: { plural, kind: `K${plural}` }, versions: [version] },
  };
  const made = await api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  expect(made.status).toBe(201);
  await expect.poll(async () => (await api.get(`/apis/example.com/v1/${plural}`)).status).toBe(200);
  const table = (await api.get(`/apis/example.com/v1/${plural}`, { accept: TABLE })).json;
  expect(table.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(shown);
});
