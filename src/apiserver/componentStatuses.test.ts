import { afterAll, beforeAll, expect, test } from 'vitest';
import { http, startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;
let port = 0;
const PATH = '/api/v1/componentstatuses';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

beforeAll(async () => {
  server = await startTestServer({
    components: [
      { name: 'scheduler', async check() {} },
      {
        name: 'controller-manager',
        async check() {
          throw new Error('controller-manager is not running');
        },
      },
    ],
  });
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const get = (path: string, accept = 'application/json', method = 'GET') =>
  http(server, port, path, { headers: { accept }, method });

test('each component is asked, by name', async () => {
  const answer = await get(PATH);
  expect(answer.headers.warning).toContain('v1 ComponentStatus is deprecated in v1.19+');
  expect(answer.json).toMatchObject({ kind: 'ComponentStatusList', apiVersion: 'v1' });
  expect(answer.json.items).toMatchObject([
    {
      metadata: { name: 'controller-manager' },
      conditions: [{ type: 'Healthy', status: 'False', error: 'controller-manager is not running' }],
    },
    { metadata: { name: 'etcd-0' }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
    { metadata: { name: 'scheduler' }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
  ]);
  const { rows } = (await get(PATH, TABLE)).json;
  expect(rows.map((row: { cells: unknown }) => row.cells)).toEqual([
    ['controller-manager', 'Unhealthy', '', 'controller-manager is not running'],
    ['etcd-0', 'Healthy', 'ok', ''],
    ['scheduler', 'Healthy', 'ok', ''],
  ]);
});

test('one of them, or those that are selected', async () => {
  expect((await get(`${PATH}/etcd-0`)).json).toMatchObject({ kind: 'ComponentStatus', metadata: { name: 'etcd-0' } });
  expect((await get(`${PATH}/none`)).status).toBe(404);
  expect((await get(`${PATH}?fieldSelector=metadata.name%3Dscheduler`)).json.items).toHaveLength(1);
  expect((await get(`${PATH}?labelSelector=a%3Db`)).json.items).toEqual([]);
  expect((await get(`${PATH}?fieldSelector=nothing%3Dx`)).status).toBe(400);
});

test('nobody writes or watches them', async () => {
  for (const [method, path] of [
    ['POST', PATH],
    ['DELETE', PATH],
    ['DELETE', `${PATH}/etcd-0`],
    ['PUT', `${PATH}/etcd-0`],
    ['GET', `${PATH}?watch=1`],
  ] as const)
    expect((await get(path, 'application/json', method)).status, `${method} ${path}`).toBe(405);
});
