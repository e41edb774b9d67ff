/** LIST as clients see it: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { type OverHttp, overHttp, whileTimePasses } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
const clock = new VirtualClock(Date.now());
beforeAll(async () => {
  server = await startTestServer({ clock });
  api = await overHttp(server);
});
afterAll(() => server.stop());

let count = 0;
/** A namespace of its own, with config maps in it; gives the path of the collection and the revision of each. */
async function filled(names: readonly string[], labels: Record<string, Record<string, string>> = {}) {
  const namespace = `list${++count}`;
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const revisions: string[] = [];
  for (const name of names) {
    const { json } = await api.send('POST', path, { metadata: { name, labels: labels[name] ?? {} } });
    revisions.push(json.metadata.resourceVersion);
  }
  return { path, revisions };
}
const add = (path: string, name: string) => api.send('POST', path, { metadata: { name } });
const namesOf = (json: { items: { metadata: { name: string } }[] }) => json.items.map((i) => i.metadata.name);

describe('the table of resourceVersion and resourceVersionMatch', () => {
  // What stands behind => is what a list finds: `now`, `then` (at exactly that revision), or why it is refused.
  test.each([
    ['', 'now'],
    ['resourceVersion=0', 'now'],
    ['resourceVersion=THEN', 'now'],
    ['resourceVersion=THEN&resourceVersionMatch=NotOlderThan', 'now'],
    ['resourceVersion=0&resourceVersionMatch=NotOlderThan', 'now'],
    ['resourceVersion=THEN&resourceVersionMatch=Exact', 'then'],
    ['resourceVersion=0&resourceVersionMatch=Exact', 'Forbidden'],
    ['resourceVersionMatch=Exact', 'Forbidden'],
    ['resourceVersionMatch=NotOlderThan', 'Forbidden'],
    ['resourceVersion=THEN&resourceVersionMatch=Sometimes', 'NotSupported'],
    ['limit=1', 'now'],
    ['limit=1&resourceVersion=0', 'now'],
    ['limit=1&resourceVersion=THEN', 'then'],
    ['limit=1&resourceVersion=THEN&resourceVersionMatch=NotOlderThan', 'now'],
    ['limit=1&resourceVersion=0&resourceVersionMatch=NotOlderThan', 'now'],
    ['limit=1&resourceVersion=THEN&resourceVersionMatch=Exact', 'then'],
    ['limit=1&resourceVersion=0&resourceVersionMatch=Exact', 'Forbidden'],
    ['limit=1&resourceVersionMatch=Exact', 'Forbidden'],
    ['sendInitialEvents=true', 'Forbidden'],
  ])('?%s => %s', async (query, expected) => {
    const { path, revisions } = await filled(['a', 'b', 'c']);
    const then = revisions[1] as string;
    const { status, json } = await api.get(`${path}?${query.replace('THEN', then)}`);
    if (expected !== 'now' && expected !== 'then') {
      expect({ status, reason: json.reason, kind: json.details.kind }).toEqual({
        status: 422,
        reason: 'Invalid',
        kind: 'ListOptions',
      });
      expect(json.details.causes[0].reason).toBe(`FieldValue${expected}`);
      return;
    }
    expect(status).toBe(200);
    const all = [...namesOf(json)];
    let token = json.metadata.continue;
    while (token !== undefined) {
      const page = await api.get(`${path}?limit=1&continue=${token}`);
      expect(page.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
      all.push(...namesOf(page.json));
      token = page.json.metadata.continue;
    }
    expect(all).toEqual(expected === 'now' ? ['a', 'b', 'c'] : ['a', 'b']);
    if (expected === 'then') expect(json.metadata.resourceVersion).toBe(then);
    else expect(Number(json.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(revisions[2]));
  });

  test('a revision that is still to come is waited for, and then told of with how long to wait', async () => {
    const { path, revisions } = await filled(['a']);
    const next = String(Number(revisions[0]) + 1);
    const coming = api.get(`${path}?resourceVersion=${next}`);
    await add(path, 'b');
    expect(namesOf((await coming).json)).toContain('b');
    const { status, json } = await whileTimePasses(clock, api.get(`${path}?resourceVersion=999999999`));
    expect(status).toBe(504);
    expect(json).toMatchObject({
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
    });
    expect(json.message).toMatch(/^Too large resource version: 999999999, current: \d+$/);
  });

  test('a single object, not older than a revision', async () => {
    const { path, revisions } = await filled(['a']);
    for (const version of ['', '0', revisions[0]]) {
      expect((await api.get(`${path}/a?resourceVersion=${version}`)).status).toBe(200);
    }
    const late = await whileTimePasses(clock, api.get(`${path}/a?resourceVersion=999999999`));
    expect(late.json.reason).toBe('Timeout');
    expect((await api.get(`${path}/a?resourceVersion=x`)).status).toBe(400);
  });
});

describe('pages', () => {
  test('fit together while objects come, go and change', async () => {
    const { path } = await filled(['a', 'b', 'c', 'd', 'e']);
    const first = await api.get(`${path}?limit=2`);
    expect(first.json.metadata.remainingItemCount).toBe(3);
    await add(path, 'aa');
    await add(path, 'cc');
    await api.send('DELETE', `${path}/d`);
    await api.patch('merge', `${path}/e`, { data: { changed: 'yes' } });
    const second = await api.get(`${path}?limit=2&continue=${first.json.metadata.continue}`);
    expect(second.json.metadata.remainingItemCount).toBe(1);
    const third = await api.get(`${path}?limit=2&continue=${second.json.metadata.continue}`);
    expect(third.json.metadata.continue).toBeUndefined();
    expect(third.json.metadata.remainingItemCount).toBeUndefined();
    expect([first, second, third].flatMap((p) => namesOf(p.json))).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(third.json.items[0].data).toBeUndefined();
  });

  test('that are too old are Expired, with a token to go on from here', async () => {
    const { path } = await filled(['a', 'b', 'c']);
    const first = await api.get(`${path}?limit=1`);
    const { json: last } = await add(path, 'd');
    await server.storage.compact(Number(last.metadata.resourceVersion));
    const expired = await api.get(`${path}?limit=1&continue=${first.json.metadata.continue}`);
    expect(expired.status).toBe(410);
    expect(expired.json.reason).toBe('Expired');
    const rest = await api.get(`${path}?continue=${expired.json.metadata.continue}`);
    expect(namesOf(rest.json)).toEqual(['b', 'c', 'd']);
    const exact = await api.get(`${path}?resourceVersionMatch=Exact&resourceVersion=2`);
    expect(exact.json).toMatchObject({ code: 410, reason: 'Expired' });
  });

  test.each([
    ['limit=1&continue=nonsense', 400, /continue key is not valid/],
    ['limit=x', 400, /limit/],
    ['limit=-1', 400, /limit/],
    ['limit=1e3', 400, /limit/],
    ['timeoutSeconds=x', 400, /timeoutSeconds/],
  ])('?%s is refused with %i', async (query, code, message) => {
    const { status, json } = await api.get(`/api/v1/configmaps?${query}`);
    expect(status).toBe(code);
    expect(json.message).toMatch(message);
  });

  test('a token says at which revision it goes on, nobody else may', async () => {
    const { path } = await filled(['a', 'b']);
    const { json } = await api.get(`${path}?limit=1`);
    const token = json.metadata.continue;
    const both = await api.get(`${path}?continue=${token}&resourceVersion=5`);
    expect(both.json.message).toBe('specifying resource version is not allowed when using continue');
    const matched = await api.get(`${path}?continue=${token}&resourceVersion=0&resourceVersionMatch=NotOlderThan`);
    expect(matched.json.message).toContain('resourceVersionMatch is forbidden when continue is provided');
    expect((await api.get(`/api/v1/secrets?continue=${token}`)).status).toBe(400);
  });
});

describe('selectors', () => {
  const labels = { a: { tier: 'x', n: '1' }, b: { tier: 'y', n: '5' }, c: { n: '9' } };
  test.each([
    ['labelSelector=tier%3Dx', ['a']],
    ['labelSelector=tier%3D%3Dx', ['a']],
    ['labelSelector=tier!%3Dx', ['b', 'c']],
    ['labelSelector=tier+in+(x,y)', ['a', 'b']],
    ['labelSelector=tier+notin+(x)', ['b', 'c']],
    ['labelSelector=tier', ['a', 'b']],
    ['labelSelector=!tier', ['c']],
    ['labelSelector=n>4', ['b', 'c']],
    ['labelSelector=n<4,tier', ['a']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db', ['a', 'c']],
    ['fieldSelector=metadata.name%3Db&labelSelector=tier%3Dx', []],
  ])('?%s', async (query, expected) => {
    const { path } = await filled(['a', 'b', 'c'], labels);
    expect(namesOf((await api.get(`${path}?${query}`)).json)).toEqual(expected);
  });

  test('that cannot be read, or are of no field, are refused', async () => {
    const labelled = await api.get('/api/v1/configmaps?labelSelector=a+in+(');
    expect(labelled.json).toMatchObject({ code: 400, reason: 'BadRequest' });
    const field = await api.get('/api/v1/configmaps?fieldSelector=data.x%3D1');
    expect(field.json).toMatchObject({ code: 400, message: 'field label not supported: data.x' });
  });

  test('say nothing of what remains', async () => {
    const { path } = await filled(['a', 'b', 'c'], labels);
    const { json } = await api.get(`${path}?limit=1&labelSelector=n`);
    expect(json.metadata.remainingItemCount).toBeUndefined();
    expect(json.metadata.continue).toBeDefined();
  });
});

test('a version that is not stored is listed as itself, whole and in pages', async () => {
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'views' } });
  const old = '/api/v1/namespaces/views/events';
  const newer = '/apis/events.k8s.io/v1/namespaces/views/events';
  for (const name of ['a', 'b']) {
    const involvedObject = { kind: 'Pod', name, namespace: 'views' };
    await api.send('POST', old, { metadata: { name }, involvedObject, message: `of ${name}` });
  }
  const { json: whole } = await api.send('GET', newer);
  expect(whole).toMatchObject({ kind: 'EventList', apiVersion: 'events.k8s.io/v1' });
  expect(whole.items).toMatchObject(
    ['a', 'b'].map((name) => ({ apiVersion: 'events.k8s.io/v1', regarding: { name }, note: `of ${name}` })),
  );
  const { json: first } = await api.send('GET', `${newer}?limit=1`);
  const { json: rest } = await api.send('GET', `${newer}?continue=${first.metadata.continue}`);
  const { json: selected } = await api.send('GET', `${newer}?fieldSelector=regarding.name%3Db`);
  expect([...first.items, ...rest.items]).toEqual(whole.items);
  expect(selected.items).toEqual(whole.items.slice(1));
  expect(rest.apiVersion).toBe('events.k8s.io/v1');
});
