/** Objects that were stored when the rules were others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const PATH = '/apis/apps/v1/namespaces/default/deployments';
const KEY = '/registry/apps/deployments/default/web';
let server: TestServer;
let api: OverHttp;

beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(() => server.stop());

/** A deployment whose container has a name that no container may have. */
beforeEach(async () => {
  await api.send('DELETE', `${PATH}/web`);
  const labels = { app: 'web' };
  const containers = [{ name: 'aaaaa', image: 'x' }];
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
  expect((await api.send('POST', PATH, { metadata: { name: 'web' }, spec })).status).toBe(201);
  const { kvs } = await server.storage.range({ key: KEY });
  const value = Buffer.from(String(kvs[0]?.value).replace('"aaaaa"', '"A_A_A"'));
  await server.storage.txn({ compare: [], success: [{ op: 'put', key: KEY, value }], failure: [] });
  await expect
    .poll(async () => (await api.get(`${PATH}/web`)).json.spec.template.spec.containers[0].name)
    .toBe('A_A_A');
});

describe('what was wrong before an update', () => {
  it('does not keep from changing the rest', async () => {
    const { status, json } = await api.patch('merge', `${PATH}/web`, { spec: { replicas: 3 } });
    expect([status, json.spec.replicas]).toEqual([200, 3]);
    expect((await api.patch('merge', `${PATH}/web/scale`, { spec: { replicas: 4 } })).status).toBe(200);
    expect((await api.patch('merge', `${PATH}/web`, { metadata: { labels: { a: 'b' } } })).status).toBe(200);
  });

  it('excuses nothing else', async () => {
    const { status, json } = await api.patch('merge', `${PATH}/web`, { spec: { replicas: -1 } });
    expect([status, json.details.causes.map(({ field }: { field: string }) => field)]).toEqual([
      422,
      ['spec.replicas'],
    ]);
    const image = { spec: { template: { spec: { containers: [{ name: 'B_B', image: 'x' }] } } } };
    expect((await api.patch('merge', `${PATH}/web`, image)).status).toBe(422);
  });

  it('can be put right', async () => {
    const name = { spec: { template: { spec: { containers: [{ name: 'good', image: 'x' }] } } } };
    expect((await api.patch('merge', `${PATH}/web`, name)).status).toBe(200);
    const back = { spec: { template: { spec: { containers: [{ name: 'A_A_A', image: 'x' }] } } } };
    expect((await api.patch('merge', `${PATH}/web`, back)).status).toBe(422);
  });
});
