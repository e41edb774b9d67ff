/** Definitions that make much of little. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let port: number;
beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const send = (method: string, path: string, body: object, type = 'application/json') =>
  http(server, port, path, { method, headers: { 'content-type': type }, body: JSON.stringify(body) });

const define = (plural: string, element: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.x.example.com` },
  spec: {
    group: 'x.example.com',
    scope: 'Namespaced',
    names: { plural, singular: plural.slice(0, -1), kind: plural.slice(0, -1), listKind: `${plural}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { list: { type: 'array', items: { type: 'object', properties: { d: element } } } },
          },
        },
      },
    ],
  },
});
const presetOf = (size: number) => ({ type: 'string', default: 'x'.repeat(size) });
const of = (kind: string, elements: number) => ({
  apiVersion: 'x.example.com/v1',
  kind,
  metadata: { name: 'a' },
  list: Array.from({ length: elements }, () => ({})),
});
const created = (plural: string, body: object) =>
  expect.poll(async () => (await send('POST', `/apis/x.example.com/v1/namespaces/default/${plural}`, body)).status, {
    timeout: 10_000,
  });

it('defaults that would fill the memory are not filled in', async () => {
  expect((await send('POST', CRDS, define('bombs', presetOf(100_000)))).status).toBe(201);
  await created('bombs', of('bomb', 2)).toBe(201);
  const answer = await send('POST', '/apis/x.example.com/v1/namespaces/default/bombs', of('bomb', 300_000));
  expect(answer.status).toBe(413);
});

it('what is stored can be read, whatever its definition becomes', async () => {
  expect((await send('POST', CRDS, define('mines', { type: 'string' }))).status).toBe(201);
  await created('mines', of('mine', 100_000)).toBe(201);
  const replace = [
    {
      op: 'replace',
      path: '/spec/versions/0/schema',
      value: define('mines', presetOf(100_000)).spec.versions[0]?.schema,
    },
  ];
  const changed = await send('PATCH', `${CRDS}/mines.x.example.com`, replace, 'application/json-patch+json');
  expect(changed.status).toBe(200);
  const path = '/apis/x.example.com/v1/namespaces/default/mines/a';
  await expect
    .poll(async () => (await http(server, port, path)).json?.list?.[0]?.d?.length, { timeout: 10_000 })
    .toBe(100_000);
});
