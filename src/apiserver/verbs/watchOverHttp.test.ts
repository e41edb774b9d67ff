/** WATCH as clients see it: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
const clock = new VirtualClock(Date.now());
beforeAll(async () => {
  server = await startTestServer({ clock });
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

let count = 0;
async function newNamespace(): Promise<string> {
  const name = `watch${++count}`;
  await api.send('POST', '/api/v1/namespaces', { metadata: { name } });
  return name;
}
const mapsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const add = (path: string, name: string, labels = {}) => api.send('POST', path, { metadata: { name, labels } });
const label = (path: string, name: string, labels: object) =>
  api.patch('merge', `${path}/${name}`, { metadata: { labels } });
const revisionOf = async (path: string): Promise<string> => (await api.get(path)).json.metadata.resourceVersion;

describe('from a revision', () => {
  test('every event after it, in order, the deleted object whole and with the revision of its deletion', async () => {
    const path = mapsOf(await newNamespace());
    await add(path, 'before');
    const from = await revisionOf(path);
    await add(path, 'a', { x: '1' });
    await label(path, 'a', { x: '2' });
    const last = (await api.get(`${path}/a`)).json;
    await api.send('DELETE', `${path}/a`);
    const watch = await api.watch(`${path}?watch=1&resourceVersion=${from}`);
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const deleted = watch.events[2]?.object;
    expect(deleted.metadata.labels).toEqual({ x: '2' });
    expect(Number(deleted.metadata.resourceVersion)).toBeGreaterThan(Number(last.metadata.resourceVersion));
    expect({ ...deleted.metadata, resourceVersion: '' }).toEqual({ ...last.metadata, resourceVersion: '' });
    // A watch from there goes on without a gap and without telling it again.
    const next = await api.watch(`${path}?watch=1&resourceVersion=${deleted.metadata.resourceVersion}`);
    await add(path, 'b');
    await expect.poll(() => next.seen).toEqual(['ADDED b']);
  });

  test.each(['', 'resourceVersion=0', 'resourceVersion='])('with ?%s the state comes first', async (query) => {
    const path = mapsOf(await newNamespace());
    await add(path, 'a');
    const watch = await api.watch(`${path}?watch=true&${query}`);
    await add(path, 'b');
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'ADDED b']);
  });

  test('that is not kept any more is told 410, and that is all', async () => {
    const watch = await api.watch('/api/v1/configmaps?watch=1&resourceVersion=1');
    await expect.poll(() => watch.ended).toBe(true);
    expect(watch.events).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 } },
    ]);
  });

  test('what is no revision is refused', async () => {
    for (const version of ['x', '-1', '1.5']) {
      const { status, json } = await api.get(`/api/v1/configmaps?watch=1&resourceVersion=${version}`);
      expect({ status, kind: json.kind }).toEqual({ status: 400, kind: 'Status' });
    }
  });
});

describe('what is watched', () => {
  test('one name, by path and by field; the old form of the path', async () => {
    const namespace = await newNamespace();
    const path = mapsOf(namespace);
    const watches = await Promise.all(
      [
        `${path}?watch=1&fieldSelector=metadata.name%3Db`,
        `${path}/b?watch=1`,
        `/api/v1/watch/namespaces/${namespace}/configmaps/b`,
      ].map((at) => api.watch(at)),
    );
    await add(path, 'a');
    await add(path, 'b');
    for (const watch of watches) await expect.poll(() => watch.seen).toEqual(['ADDED b']);
  });

  test('all namespaces', async () => {
    const [one, two] = [await newNamespace(), await newNamespace()];
    const from = await revisionOf('/api/v1/configmaps');
    const watch = await api.watch(`/api/v1/configmaps?watch=1&resourceVersion=${from}`);
    await add(mapsOf(one), 'a');
    await add(mapsOf(two), 'b');
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'ADDED b']);
    expect(watch.events.map((e) => e.object.metadata.namespace)).toEqual([one, two]);
  });

  test('what enters a selection is added, what leaves it is deleted, as it was', async () => {
    const path = mapsOf(await newNamespace());
    const watch = await api.watch(`${path}?watch=1&labelSelector=in%3Dyes`);
    await add(path, 'a', { in: 'no' });
    await label(path, 'a', { in: 'yes' });
    await api.patch('merge', `${path}/a`, { data: { n: '1' } });
    const out = await label(path, 'a', { in: 'no' });
    await api.send('DELETE', `${path}/a`);
    await add(path, 'end', { in: 'yes' });
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED end']);
    expect(watch.events[2]?.object.metadata).toMatchObject({
      labels: { in: 'yes' },
      resourceVersion: out.json.metadata.resourceVersion,
    });
  });

  test('so with fields of the object', async () => {
    const namespace = await newNamespace();
    await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const watch = await api.watch(`${path}?watch=1&fieldSelector=status.phase%3DPending`);
    const spec = { containers: [{ name: 'c', image: 'x' }] };
    expect((await api.send('POST', path, { metadata: { name: 'p' }, spec })).status).toBe(201);
    await api.patch('merge', `${path}/p/status`, { status: { phase: 'Running' } });
    await expect.poll(() => watch.seen).toEqual(['ADDED p', 'DELETED p']);
    expect(watch.events[1]?.object.status.phase).toBe('Pending');
  });
});

describe('a streaming list', () => {
  const INITIAL = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';

  test('ends with a bookmark that says so', async () => {
    const path = mapsOf(await newNamespace());
    await add(path, 'a');
    const at = await revisionOf(path);
    const watch = await api.watch(`${path}?${INITIAL}&allowWatchBookmarks=true`);
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'BOOKMARK']);
    expect(watch.events[1]?.object).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: at, annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    await add(path, 'b');
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'BOOKMARK', 'ADDED b']);
  });

  test('of what is selected; false: none of it', async () => {
    const path = mapsOf(await newNamespace());
    await add(path, 'a', { in: 'yes' });
    await add(path, 'b');
    const watch = await api.watch(`${path}?${INITIAL}&allowWatchBookmarks=true&labelSelector=in%3Dyes`);
    await expect.poll(() => watch.seen).toEqual(['ADDED a', 'BOOKMARK']);
    const none = await api.watch(`${path}?${INITIAL.replace('true', 'false')}`);
    await add(path, 'c');
    await expect.poll(() => none.seen).toEqual(['ADDED c']);
  });

  test.each([
    ['watch=1&sendInitialEvents=true', ['FieldValueForbidden']],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=Exact', ['FieldValueForbidden', 'FieldValueNotSupported']],
    ['watch=1&resourceVersionMatch=NotOlderThan', ['FieldValueForbidden']],
    ['watch=1&resourceVersionMatch=Exact&resourceVersion=1', ['FieldValueForbidden', 'FieldValueNotSupported']],
    [`${INITIAL}&continue=x`, ['FieldValueForbidden']],
  ])('?%s is refused', async (query, reasons) => {
    const { status, json } = await api.get(`/api/v1/configmaps?${query}`);
    expect(status).toBe(422);
    expect(json.details.causes.map((c: { reason: string }) => c.reason)).toEqual(reasons);
  });
});

test('bookmarks come while nothing happens, and the end when it was asked for', async () => {
  const path = mapsOf(await newNamespace());
  const watch = await api.watch(`${path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=150`);
  await add(mapsOf(await newNamespace()), 'elsewhere');
  const now = await revisionOf(path);
  await clock.advance(61_000);
  await expect.poll(() => watch.seen).toEqual(['BOOKMARK']);
  expect(watch.events[0]?.object).toEqual({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { resourceVersion: now },
  });
  await clock.advance(90_000);
  await expect.poll(() => watch.ended).toBe(true);
});

test('without a word on time a watch lasts between 30 and 60 minutes', async () => {
  const watch = await api.watch(`${mapsOf(await newNamespace())}?watch=1`);
  await clock.advance(29 * 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(watch.ended).toBe(false);
  await clock.advance(32 * 60_000);
  await expect.poll(() => watch.ended).toBe(true);
});
