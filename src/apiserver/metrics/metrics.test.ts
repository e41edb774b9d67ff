import { afterAll, beforeAll, expect, test } from 'vitest';
import { exposition, Histogram } from '../../lib/exposition.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

const MAPS = '/api/v1/namespaces/default/configmaps';
/** Which the server itself makes none of. */
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
/** The value of the sample that has all of these labels. */
async function sample(name: string, labels: Record<string, string>): Promise<number | undefined> {
  const { text } = await api.get('/metrics');
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    if (Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`))) {
      return Number(line.slice(line.lastIndexOf(' ') + 1));
    }
  }
  return undefined;
}

test('requests are counted by what they ask for and how they are answered', async () => {
  for (const name of ['a', 'b', 'a']) await api.send('POST', ACCOUNTS, { metadata: { name } });
  await api.send('POST', `${ACCOUNTS}?dryRun=All`, { metadata: { name: 'c' } });
  await api.get(`${ACCOUNTS}/a`);
  const of = { resource: 'serviceaccounts', group: '', version: 'v1', component: 'apiserver' };
  const total = (labels: Record<string, string>) => sample('apiserver_request_total', { ...of, ...labels });
  expect(await total({ verb: 'POST', code: '201', dry_run: '', scope: 'resource' })).toBe(2);
  expect(await total({ verb: 'POST', code: '409' })).toBe(1);
  expect(await total({ verb: 'POST', code: '201', dry_run: 'All' })).toBe(1);
  expect(await total({ verb: 'GET', code: '200' })).toBe(1);
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  await api.send('PATCH', `${ACCOUNTS}/a?fieldManager=me`, { apiVersion: 'v1', kind: 'ServiceAccount' }, apply);
  expect(await total({ verb: 'APPLY', code: '200' })).toBe(1);
  const duration = await sample('apiserver_request_duration_seconds_count', { ...of, verb: 'POST', dry_run: '' });
  expect(duration).toBe(3);
  expect(await sample('apiserver_resource_objects', { group: '', resource: 'serviceaccounts' })).toBe(2);
});

test('watches are there while they are open, and their events are counted', async () => {
  const watching = () => sample('apiserver_longrunning_requests', { verb: 'WATCH', resource: 'secrets' });
  const watch = await api.watch('/api/v1/namespaces/default/secrets?watch=1');
  expect(await watching()).toBe(1);
  await api.send('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
  await expect.poll(() => watch.seen).toEqual(['ADDED s']);
  expect(await sample('apiserver_watch_events_total', { resource: 'secrets' })).toBe(1);
  watch.close();
  await expect.poll(watching).toBe(0);
});

test('what clients make up is not counted by itself', async () => {
  for (let i = 0; i < 20; i++) {
    await api.get(`/api/v1/nothings${i}`);
    await api.get(`/nowhere/${i}`);
    await api.get(`${MAPS}/a/made-up-${i}`);
    await api.send('LINK', `${MAPS}/a`);
  }
  const { text, headers } = await api.get('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).not.toMatch(/nothings|nowhere|made-up/);
  expect(text).toContain('kubernetes_build_info{major="1",minor="36"');
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'apiserver_current_inflight_requests',
  ]) {
    expect(text).toContain(`# TYPE ${name} `);
  }
});

test('the text is as Prometheus reads it', () => {
  const durations = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) durations.observe(value);
  const text = exposition([
    { name: 'a', help: 'A.', type: 'histogram', samples: [{ labels: { x: 'quo"te\\\n' }, value: durations }] },
    { name: 'none', help: 'Nothing.', type: 'gauge', samples: [] },
    { name: 'b', help: 'B.', type: 'counter', samples: [{ labels: {}, value: 3 }] },
  ]);
  expect(text).toBe(
    [
      '# HELP a A.',
      '# TYPE a histogram',
      'a_bucket{x="quo\\"te\\\\\\n",le="0.1"} 2',
      'a_bucket{x="quo\\"te\\\\\\n",le="1"} 3',
      'a_bucket{x="quo\\"te\\\\\\n",le="+Inf"} 4',
      'a_sum{x="quo\\"te\\\\\\n"} 7.65',
      'a_count{x="quo\\"te\\\\\\n"} 4',
      '# HELP b B.',
      '# TYPE b counter',
      'b 3',
      '',
    ].join('\n'),
  );
});
