/** Writes as clients make them: https://kubernetes.io/docs/reference/using-api/api-concepts/ */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
  await api.send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
});
afterAll(() => server.stop());

const MAPS = '/api/v1/namespaces/default/configmaps';
let count = 0;
const fresh = () => `w${++count}`;
const create = async (metadata: object = {}, path = MAPS, more: object = {}) =>
  (await api.send('POST', path, { metadata: { name: fresh(), ...metadata }, ...more })).json;
const at = (object: { metadata: { name: string } }, path = MAPS) => `${path}/${object.metadata.name}`;

describe('names that the server makes', () => {
  test('begin as asked, and differ', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => api.send('POST', MAPS, { metadata: { generateName: 'g-' } })),
    );
    const names = made.map(({ status, json }) => {
      expect(status).toBe(201);
      expect(json.metadata).toMatchObject({ generateName: 'g-', name: expect.stringMatching(/^g-[a-z0-9]{5}$/) });
      return json.metadata.name;
    });
    expect(new Set(names).size).toBe(20);
  });

  test('stay away where there is a name; without either there is none', async () => {
    const { json } = await api.send('POST', MAPS, { metadata: { name: 'own', generateName: 'g-' } });
    expect(json.metadata.name).toBe('own');
    const none = await api.send('POST', MAPS, { metadata: {} });
    expect(none.json).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    });
  });
});

describe('conditions', () => {
  test('a name is taken once', async () => {
    const made = await create();
    const { json } = await api.send('POST', MAPS, { metadata: { name: made.metadata.name } });
    expect(json).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: `configmaps "${made.metadata.name}" already exists`,
      details: { name: made.metadata.name, kind: 'configmaps' },
    });
  });

  test('an update of another revision, or of another object of that name, is a conflict', async () => {
    const made = await create();
    const changed = await api.send('PUT', at(made), { ...made, data: { a: '1' } });
    expect(changed.status).toBe(200);
    const stale = await api.send('PUT', at(made), { ...made, data: { a: '2' } });
    expect(stale.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on configmaps "${made.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
    });
    const other = { metadata: { name: made.metadata.name, uid: 'another' } };
    expect((await api.send('PUT', at(made), other)).json).toMatchObject({ code: 409, reason: 'Conflict' });
    const unconditional = await api.send('PUT', at(made), { metadata: { name: made.metadata.name }, data: { a: '3' } });
    expect(unconditional.json.data).toEqual({ a: '3' });
    const patched = await api.patch('merge', at(made), {
      metadata: { resourceVersion: made.metadata.resourceVersion },
      data: { a: '4' },
    });
    expect(patched.json).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  test('of two updates of one revision one wins', async () => {
    const made = await create();
    const answers = await Promise.all(['x', 'y', 'z'].map((a) => api.send('PUT', at(made), { ...made, data: { a } })));
    expect(answers.map((a) => a.status).sort()).toEqual([200, 409, 409]);
  });

  test('a delete may name which object it means', async () => {
    const made = await create();
    const refused = (preconditions: object) => api.send('DELETE', at(made), { preconditions });
    const { uid } = made.metadata;
    expect((await refused({ uid: 'another' })).json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining(
        `the UID in the precondition (another) does not match the UID in record (${uid})`,
      ),
    });
    expect((await refused({ resourceVersion: '1' })).status).toBe(409);
    expect((await refused({ uid, resourceVersion: made.metadata.resourceVersion })).json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: made.metadata.name, kind: 'configmaps', uid },
    });
    expect((await api.get(at(made))).json).toMatchObject({ code: 404, reason: 'NotFound' });
  });

  test.each([
    ['/apis/coordination.k8s.io/v1/namespaces/default/leases', {}, 201],
    ['/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {}, 201],
    ['/apis/rbac.authorization.k8s.io/v1/clusterroles', {}, 201],
    ['/api/v1/namespaces/default/endpoints', {}, 201],
    ['/api/v1/namespaces/default/services', { spec: { ports: [{ port: 80 }] } }, 201],
    [MAPS, {}, 404],
    ['/api/v1/namespaces/default/secrets', {}, 404],
  ])('PUT to %s of what is not there', async (path, more, expected) => {
    const name = fresh();
    const { status } = await api.send('PUT', `${path}/${name}`, { metadata: { name }, ...more });
    expect(status).toBe(expected);
  });

  test.each([
    ['POST', MAPS, { metadata: { name: 'x', resourceVersion: '1' } }, 400, /resourceVersion should not be set/],
    ['POST', MAPS, { metadata: { name: 'x', namespace: 'other' } }, 400, /namespace of the provided object does not/],
    ['PUT', `${MAPS}/x`, { metadata: { name: 'y' } }, 400, /name of the object \(y\) does not match/],
    ['PUT', `${MAPS}/x`, { metadata: {} }, 400, /name must be provided/],
    ['POST', MAPS, { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'x' } }, 400, /Secret in version/],
    [
      'POST',
      MAPS,
      { kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'x' } },
      400,
      /does not match the expected/,
    ],
    ['POST', MAPS, '{"a":', 400, /unrecognized/],
    ['POST', '/api/v1/namespaces/none/configmaps', { metadata: { name: 'x' } }, 404, /namespaces "none" not found/],
    ['POST', `${MAPS}/x`, { metadata: { name: 'x' } }, 405, /does not allow this method/],
    ['PUT', MAPS, { metadata: { name: 'x' } }, 405, /does not allow this method/],
    ['DELETE', '/api/v1/configmaps', undefined, 405, /does not allow this method/],
    ['POST', '/api/v1/configmaps', { metadata: { name: 'x' } }, 405, /does not allow this method/],
  ])('%s %s %j', async (method, path, body, code, message) => {
    const { status, json } = await api.send(method, path, body);
    expect({ status, message: json.message }).toEqual({ status: code, message: expect.stringMatching(message) });
  });
});

describe('a dry run', () => {
  test('answers as if, and changes nothing', async () => {
    const made = await create({ labels: { dry: 'yes' } });
    const before = (await api.get(at(made))).json;
    const created = await api.send('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'dry' }, data: { a: '1' } });
    expect(created).toMatchObject({ status: 201, json: { metadata: { name: 'dry', uid: expect.any(String) } } });
    expect((await api.get(`${MAPS}/dry`)).status).toBe(404);
    const taken = await api.send('POST', `${MAPS}?dryRun=All`, { metadata: { name: made.metadata.name } });
    expect(taken.status).toBe(409);
    const updated = await api.send('PUT', `${at(made)}?dryRun=All`, { ...made, data: { a: '1' } });
    expect(updated.json.data).toEqual({ a: '1' });
    const patched = await api.patch('merge', `${at(made)}?dryRun=All`, { data: { a: '2' } });
    const { resourceVersion } = made.metadata;
    for (const { json } of [updated, patched]) expect(json.metadata.resourceVersion).toBe(resourceVersion);
    expect(patched.json.data).toEqual({ a: '2' });
    expect((await api.send('DELETE', `${at(made)}?dryRun=All`)).json.status).toBe('Success');
    expect((await api.send('DELETE', at(made), { dryRun: ['All'] })).json.status).toBe('Success');
    expect((await api.send('DELETE', `${MAPS}?dryRun=All&labelSelector=dry%3Dyes`)).json.items).toHaveLength(1);
    expect((await api.get(at(made))).json).toEqual(before);
  });

  test('of any other kind is refused', async () => {
    for (const query of ['dryRun=Some', 'dryRun=All&dryRun=x']) {
      const { json } = await api.send('POST', `${MAPS}?${query}`, { metadata: { name: 'x' } });
      expect(json).toMatchObject({ code: 422, reason: 'Invalid', message: expect.stringContaining('"All"') });
    }
  });
});

describe('fields that are not known, or stand twice', () => {
  const BODY = '{"metadata":{"name":"NAME","nmae":"x"},"dta":{},"data":{"a":"1"},"data":{"a":"2"}}';
  const post = (query: string) => api.send('POST', `${MAPS}?${query}`, BODY.replace('NAME', fresh()));
  const FAULTS = ['unknown field "metadata.nmae"', 'unknown field "dta"', 'duplicate field "data"'];

  test.each(['', 'fieldValidation=Warn'])('with ?%s are warned of', async (query) => {
    const { status, headers } = await post(query);
    expect(status).toBe(201);
    for (const fault of FAULTS) expect(headers.warning).toContain(`299 - ${JSON.stringify(fault)}`);
  });

  test('under Strict are refused, under Ignore not spoken of', async () => {
    const strict = await post('fieldValidation=Strict');
    expect(strict.json).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(strict.json.message).toMatch(/strict decoding error: /);
    for (const fault of FAULTS) expect(strict.json.message).toContain(fault);
    const ignored = await post('fieldValidation=Ignore');
    expect(ignored.status).toBe(201);
    expect(ignored.headers.warning).toBeUndefined();
    expect((await post('fieldValidation=Perhaps')).json).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  test('in patches, too', async () => {
    const made = await create();
    const warned = await api.patch('merge', at(made), { dta: {} });
    expect(warned.headers.warning).toBe('299 - "unknown field \\"dta\\""');
    expect((await api.patch('strategic', `${at(made)}?fieldValidation=Strict`, { dta: {} })).status).toBe(400);
  });
});

test('what is deprecated is warned of', async () => {
  const { headers } = await api.get('/api/v1/namespaces/default/endpoints');
  expect(headers.warning).toBe('299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"');
});

describe('deletion', () => {
  test('waits for finalizers, and what is being deleted gets no new ones', async () => {
    const made = await create({ finalizers: ['example.com/a', 'example.com/b'] });
    const marked = await api.send('DELETE', at(made));
    expect(marked).toMatchObject({
      status: 200,
      json: {
        kind: 'ConfigMap',
        metadata: {
          deletionTimestamp: expect.any(String),
          deletionGracePeriodSeconds: 0,
          finalizers: made.metadata.finalizers,
        },
      },
    });
    const again = await api.send('DELETE', at(made));
    expect(again.json.metadata.resourceVersion).toBe(marked.json.metadata.resourceVersion);
    const added = await api.patch('merge', at(made), { metadata: { finalizers: ['example.com/a', 'example.com/c'] } });
    expect(added.json).toMatchObject({
      code: 422,
      message: expect.stringContaining(
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted',
      ),
    });
    await api.patch('merge', at(made), { metadata: { finalizers: ['example.com/a'] } });
    expect((await api.get(at(made))).status).toBe(200);
    const gone = await api.patch('merge', at(made), { metadata: { finalizers: null } });
    expect(gone.json.metadata.finalizers).toBeUndefined();
    expect((await api.get(at(made))).status).toBe(404);
  });

  test.each([
    ['propagationPolicy=Background', undefined],
    ['propagationPolicy=Foreground', ['foregroundDeletion']],
    ['propagationPolicy=Orphan', ['orphan']],
    ['orphanDependents=true', ['orphan']],
    ['orphanDependents=false', undefined],
  ])('?%s', async (query, finalizers) => {
    const made = await create();
    const { json } = await api.send('DELETE', `${at(made)}?${query}`);
    if (finalizers === undefined) expect(json.status).toBe('Success');
    else expect(json.metadata).toMatchObject({ finalizers, deletionTimestamp: expect.any(String) });
  });

  test.each([
    { propagationPolicy: 'Sometimes' },
    { propagationPolicy: 'Orphan', orphanDependents: true },
    { dryRun: ['x'] },
  ])('%j is refused', async (options) => {
    const made = await create();
    const { json } = await api.send('DELETE', at(made), options);
    expect(json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect((await api.get(at(made))).status).toBe(200);
  });

  test('of a pod that runs has a time of grace, which can be made shorter, and ends when the node says so', async () => {
    const PODS = '/api/v1/namespaces/default/pods';
    const spec = { nodeName: 'n', terminationGracePeriodSeconds: 40, containers: [{ name: 'c', image: 'x' }] };
    const made = await create({}, PODS, { spec });
    const marked = await api.send('DELETE', at(made, PODS));
    expect(marked.json.metadata.deletionGracePeriodSeconds).toBe(40);
    const sooner = await api.send('DELETE', `${at(made, PODS)}?gracePeriodSeconds=10`);
    expect(sooner.json.metadata.deletionGracePeriodSeconds).toBe(10);
    const later = await api.send('DELETE', at(made, PODS), { gracePeriodSeconds: 60 });
    expect(later.json.metadata.deletionGracePeriodSeconds).toBe(10);
    expect((await api.send('DELETE', at(made, PODS), { gracePeriodSeconds: 0 })).status).toBe(200);
    expect((await api.get(at(made, PODS))).status).toBe(404);
    const waiting = await create({}, PODS, { spec: { containers: spec.containers } });
    await api.send('DELETE', at(waiting, PODS));
    expect((await api.get(at(waiting, PODS))).status).toBe(404);
  });

  test('of a collection takes what is selected', async () => {
    for (const name of ['c1', 'c2', 'c3']) await create({ name, labels: { set: name === 'c3' ? 'b' : 'a' } });
    const { json } = await api.send('DELETE', `${MAPS}?labelSelector=set%3Da`);
    expect(json.kind).toBe('ConfigMapList');
    expect(json.items.map((i: { metadata: { name: string } }) => i.metadata.name).sort()).toEqual(['c1', 'c2']);
    expect((await api.get(`${MAPS}/c3`)).status).toBe(200);
    await api.send('DELETE', `${MAPS}?fieldSelector=metadata.name%3Dc3`);
    expect((await api.get(`${MAPS}/c3`)).status).toBe(404);
  });
});

test('a change of what is wanted counts, one of metadata or status does not', async () => {
  const path = '/apis/apps/v1/namespaces/default/deployments';
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
  const made = await create({}, path, { spec: { selector: { matchLabels: { a: 'b' } }, template } });
  const generation = async () => (await api.get(at(made, path))).json.metadata.generation;
  expect(await generation()).toBe(1);
  await api.patch('merge', at(made, path), { metadata: { labels: { x: 'y' } } });
  await api.patch('merge', `${at(made, path)}/status`, { status: { replicas: 3 }, spec: { replicas: 7 } });
  expect(await generation()).toBe(1);
  await api.patch('merge', at(made, path), { spec: { replicas: 3 }, status: { replicas: 9 } });
  expect(await generation()).toBe(2);
  const { json } = await api.get(at(made, path));
  expect([json.spec.replicas, json.status.replicas]).toEqual([3, 3]);
  await api.patch('merge', `${at(made, path)}/scale`, { spec: { replicas: 5 } });
  expect(await generation()).toBe(3);
  const same = await api.patch('merge', at(made, path), { spec: { replicas: 5 } });
  expect(same.json.metadata.generation).toBe(3);
});

test('a write that changes nothing keeps the revision', async () => {
  const made = await create({}, MAPS, { data: { a: '1' } });
  const answers = [
    await api.send('PUT', at(made), made),
    await api.patch('merge', at(made), { data: { a: '1' } }),
    await api.patch('json', at(made), [{ op: 'replace', path: '/data/a', value: '1' }]),
    await api.patch('strategic', at(made), { data: { a: '1' } }),
  ];
  for (const { json } of answers) expect(json.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
});
