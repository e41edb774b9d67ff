/** Server-side apply of built-in kinds, in process. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployments } from '../../apis/apps/deployment.ts';
import { configMaps } from '../../apis/core/configMap.ts';
import { services } from '../../apis/core/service.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { type Applier, applier, type Json, ownersOf } from '../testing/apply.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let apply: Applier;
beforeAll(async () => {
  server = await startTestServer();
  apply = applier(server);
  await server.client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'default' } });
});
afterAll(() => server.stop());

let names = 0;
const unique = () => `x${++names}`;
const configMap = (name: string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  ...more,
});
const get = async (name: string) => server.client.get(configMaps, { namespace: 'default', name });
const dataOf = async (name: string) => (await get(name)).data;

const web = (name: string, spec: Json = {}, container: Json = {}): Json => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'nginx', ...container }] },
    },
    ...spec,
  },
});

describe('an apply', () => {
  test('creates, says 201, and owns what it named; what it does not name any more goes', async () => {
    const name = unique();
    const created = await apply(configMap(name, { data: { a: '1', b: '2' } }));
    expect(created.status).toBe(201);
    expect(ownersOf(created.object)).toEqual({
      'me Apply v1': ['data.a', 'data.b'],
    });
    const again = await apply(configMap(name, { data: { b: '2', c: '3' } }));
    expect(again.status).toBe(200);
    expect(again.object).toMatchObject({ data: { b: '2', c: '3' } });
    expect(await dataOf(name)).toEqual({ b: '2', c: '3' });
    expect(ownersOf(again.object)).toEqual({ 'me Apply v1': ['data.b', 'data.c'] });
    const nothing = await apply(configMap(name));
    expect(nothing.object).not.toHaveProperty('data');
    expect(ownersOf(nothing.object)).toEqual({});
  });

  test('of the same again changes nothing, not even the revision', async () => {
    const name = unique();
    const first = await apply(web(name));
    const again = await apply(web(name));
    expect(again.object).toEqual(first.object);
  });

  test('leaves alone what others own, and defaults', async () => {
    const name = unique();
    const created = await apply(web(name, { replicas: 2 }));
    expect(created.object).toMatchObject({ spec: { revisionHistoryLimit: 10, strategy: { type: 'RollingUpdate' } } });
    await server.client.patch(deployments, { namespace: 'default', name }, 'merge', {
      metadata: { labels: { theirs: 'x' } },
      spec: { minReadySeconds: 5 },
    });
    const { object } = await apply(web(name));
    expect(object).toMatchObject({
      metadata: { labels: { theirs: 'x' }, generation: 3 },
      spec: { minReadySeconds: 5, replicas: 1 },
    });
  });

  test('hands a field over: apply it as well, or leave it out', async () => {
    const name = unique();
    await apply(configMap(name, { data: { a: '1', b: '1' } }), { manager: 'one' });
    const shared = await apply(configMap(name, { data: { a: '1' } }), { manager: 'two' });
    expect(ownersOf(shared.object)).toEqual({ 'one Apply v1': ['data.a', 'data.b'], 'two Apply v1': ['data.a'] });
    const left = await apply(configMap(name, { data: { b: '1' } }), { manager: 'one' });
    expect(left.object).toMatchObject({ data: { a: '1', b: '1' } });
    expect(ownersOf(left.object)).toEqual({ 'one Apply v1': ['data.b'], 'two Apply v1': ['data.a'] });
    await apply(configMap(name), { manager: 'two' });
    expect(await dataOf(name)).toEqual({ b: '1' });
  });

  test('of an object that was created as a whole takes nothing from its creator', async () => {
    const name = unique();
    await server.client.create(configMaps, { metadata: { name, namespace: 'default' }, data: { a: '1', b: '2' } });
    await apply(configMap(name, { data: { a: '1' } }));
    await apply(configMap(name));
    expect(await dataOf(name)).toEqual({ a: '1', b: '2' });
  });

  test.each([{}, { metadata: { name: '' } }, { metadata: { name: 'other' } }])('%j', async (more) => {
    const name = unique();
    const sent = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' }, ...more };
    const answer = apply(sent as Json, { name });
    if (!JSON.stringify(more).includes('other')) expect((await answer).object).toMatchObject({ metadata: { name } });
    else await expect(answer).rejects.toMatchObject({ code: 400 });
  });

  test('dry run: tells what would be, and keeps nothing', async () => {
    const name = unique();
    const dry = await apply(configMap(name, { data: { a: '1' } }), { dryRun: 'All' });
    expect(dry.object).toMatchObject({ data: { a: '1' } });
    await expect(get(name)).rejects.toMatchObject({ code: 404 });
    await apply(configMap(name, { data: { a: '1' } }));
    expect((await apply(configMap(name, { data: { a: '2' } }), { dryRun: 'All' })).object).toMatchObject({
      data: { a: '2' },
    });
    await expect(apply(configMap(name, { data: { a: '2' } }), { dryRun: 'All', manager: 'two' })).rejects.toMatchObject(
      { code: 409 },
    );
    expect(await dataOf(name)).toEqual({ a: '1' });
  });
});

describe('a conflict', () => {
  test('names the manager and the field', async () => {
    const name = unique();
    await apply(configMap(name, { data: { a: '1' } }), { manager: 'one' });
    await expect(apply(configMap(name, { data: { a: '2' } }), { manager: 'two' })).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      status: {
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }] },
      },
    });
    expect(await dataOf(name)).toEqual({ a: '1' });
  });

  test('names all managers and all fields, and who updated in which version and by which subresource', async () => {
    const name = unique();
    const path = { namespace: 'default', name };
    await apply(web(name, {}, { env: [{ name: 'A', value: '1' }] }), { manager: 'one' });
    await server.client.patch(deployments, path, 'merge', { spec: { replicas: 3 } }, { fieldManager: 'hand' });
    await server.client.patch(
      deployments,
      path,
      'merge',
      { metadata: { annotations: { by: 'status' } }, status: { replicas: 3 } },
      { fieldManager: 'ctl', subresource: 'status' },
    );
    const wanted = {
      ...web(name, { replicas: 4 }, { image: 'httpd', env: [{ name: 'A', value: '2' }] }),
      metadata: { name, namespace: 'default', annotations: { by: 'me' } },
    };
    const failure = apply(wanted, { manager: 'two' });
    await expect(failure).rejects.toMatchObject({
      message: [
        'Apply failed with 4 conflicts: conflicts with "ctl" with subresource "status" using apps/v1:',
        '- .metadata.annotations.by',
        'conflicts with "hand" using apps/v1:',
        '- .spec.replicas',
        'conflicts with "one":',
        '- .spec.template.spec.containers[name="main"].image',
        '- .spec.template.spec.containers[name="main"].env[name="A"].value',
      ].join('\n'),
    });
    const forced = await apply(wanted, { manager: 'two', force: true });
    expect(forced.object).toMatchObject({ spec: { replicas: 4 }, metadata: { annotations: { by: 'me' } } });
    const owners = ownersOf(forced.object);
    expect(owners['hand Update apps/v1']).toBeUndefined();
    expect(owners['one Apply apps/v1']).not.toContain('spec.template.spec.containers[name="main"].image');
    expect(owners['two Apply apps/v1']).toContain('spec.template.spec.containers[name="main"].image');
    // The first does not come back without force either.
    await expect(apply(web(name), { manager: 'one' })).rejects.toMatchObject({ code: 409 });
  });

  test('is none where the value is the same, nor for who owns the field', async () => {
    const name = unique();
    await apply(configMap(name, { data: { a: '1' } }), { manager: 'one' });
    await apply(configMap(name, { data: { a: '1' } }), { manager: 'two' });
    await expect(apply(configMap(name, { data: { a: '2' } }), { manager: 'two' })).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
    });
    await apply(configMap(name), { manager: 'one' });
    expect((await apply(configMap(name, { data: { a: '2' } }), { manager: 'two' })).object).toMatchObject({
      data: { a: '2' },
    });
  });
});

describe('lists', () => {
  const ports = (...list: Json[]) => ({ ports: list });

  test('of maps: items by their keys, of which one has a default', async () => {
    const name = unique();
    await apply(web(name, {}, ports({ containerPort: 53, name: 'tcp' })), { manager: 'one' });
    const two = web(name, {}, ports({ containerPort: 53, protocol: 'UDP', name: 'udp' }, { containerPort: 80 }));
    const { object } = await apply(two, { manager: 'two' });
    expect(portsOf(object)).toEqual([
      { containerPort: 53, protocol: 'TCP', name: 'tcp' },
      { containerPort: 53, protocol: 'UDP', name: 'udp' },
      { containerPort: 80, protocol: 'TCP' },
    ]);
    const base = 'spec.template.spec.containers[name="main"].ports';
    expect(ownersOf(object)['one Apply apps/v1']).toEqual(
      expect.arrayContaining([
        `${base}[containerPort=53,protocol="TCP"]`,
        `${base}[containerPort=53,protocol="TCP"].containerPort`,
        `${base}[containerPort=53,protocol="TCP"].name`,
      ]),
    );
    await expect(
      apply(web(name, {}, ports({ containerPort: 53, protocol: 'TCP', name: 'other' })), { manager: 'two' }),
    ).rejects.toMatchObject({
      message: `Apply failed with 1 conflict: conflict with "one": .${base}[containerPort=53,protocol="TCP"].name`,
    });
    const gone = await apply(web(name), { manager: 'two' });
    expect(portsOf(gone.object)).toEqual([{ containerPort: 53, protocol: 'TCP', name: 'tcp' }]);
  });

  const portsOf = (object: unknown) =>
    (object as { spec: { template: { spec: { containers: { ports: unknown }[] } } } }).spec.template.spec.containers[0]
      ?.ports;

  test('of maps: an item stays while somebody owns it, and goes with its last owner', async () => {
    const name = unique();
    const env = (...list: Json[]) => ({ env: list });
    await apply(web(name, {}, env({ name: 'A', value: '1' }, { name: 'B', value: '2' })), { manager: 'one' });
    await apply(web(name, {}, env({ name: 'B', value: '2' }, { name: 'C', value: '3' })), { manager: 'two' });
    const { object } = await apply(web(name, {}, env({ name: 'A', value: '1' })), { manager: 'one' });
    expect(JSON.stringify(object)).toContain(
      '"env":[{"name":"A","value":"1"},{"name":"B","value":"2"},{"name":"C","value":"3"}]',
    );
    const last = await apply(web(name), { manager: 'two' });
    expect(JSON.stringify(last.object)).toContain('"env":[{"name":"A","value":"1"}]');
  });

  test('with the same item twice are refused', async () => {
    const twice = web(unique(), {}, { env: [{ name: 'A' }, { name: 'A', value: '1' }] });
    await expect(apply(twice)).rejects.toMatchObject({
      message: expect.stringMatching(/env: duplicate entries for key \[name="A"\]/),
    });
    await expect(apply(web(unique(), {}, { env: [{ value: '1' }] }))).rejects.toMatchObject({
      message: expect.stringContaining('associative list with keys has an element that omits all key fields'),
    });
  });

  test('that are sets: each owns its members', async () => {
    const name = unique();
    const held = (...finalizers: string[]) => configMap(name, { metadata: { name, namespace: 'default', finalizers } });
    await apply(held('example.com/a', 'example.com/b'), { manager: 'one' });
    const both = await apply(held('example.com/b', 'example.com/c'), { manager: 'two' });
    expect(both.object).toMatchObject({
      metadata: { finalizers: ['example.com/a', 'example.com/b', 'example.com/c'] },
    });
    expect(ownersOf(both.object)['two Apply v1']).toEqual([
      'metadata.finalizers[="example.com/b"]',
      'metadata.finalizers[="example.com/c"]',
    ]);
    const { object } = await apply(held(), { manager: 'one' });
    expect(object).toMatchObject({ metadata: { finalizers: ['example.com/b', 'example.com/c'] } });
    expect((await apply(held(), { manager: 'two' })).object).not.toHaveProperty('metadata.finalizers.0');
  });

  test('and maps that are atomic have one owner as a whole', async () => {
    const name = unique();
    const service = (spec: Json): Json => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { ports: [{ port: 80 }], ...spec },
    });
    await apply(service({ selector: { a: '1', b: '1' } }), { manager: 'one' });
    await expect(apply(service({ selector: { c: '1' } }), { manager: 'two' })).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.selector',
    });
    await apply(service({ selector: { c: '1' } }), { manager: 'two', force: true });
    expect((await server.client.get(services, { namespace: 'default', name })).spec?.selector).toEqual({ c: '1' });
    const command = await apply(web(unique(), {}, { command: ['a', 'b'] }));
    const { name: other } = (command.object as { metadata: { name: string } }).metadata;
    await expect(apply(web(other, {}, { command: ['a'] }), { manager: 'two' })).rejects.toMatchObject({
      message: expect.stringContaining('.command'),
    });
  });
});

describe('what cannot be applied', () => {
  const name = unique();
  const full = configMap(name);
  test.each([
    ['no field manager', full, { manager: '' }, 422, /fieldManager: Required value: is required for apply patch/],
    ['a field manager that is too long', full, { manager: 'x'.repeat(129) }, 422, /fieldManager: Too long/],
    ['one that cannot be printed', full, { manager: 'a\u0007' }, 422, /invalid character U\+0007 \(at position 1\)/],
    ['another kind', { ...full, kind: 'Secret' }, {}, 400, /invalid object type: \/v1, Kind=Secret/],
    ['no kind', { metadata: {} }, {}, 400, /invalid object type: \/, Kind=;/],
    ['another version', { ...full, apiVersion: 'apps/v1' }, {}, 400, /invalid object type: apps\/v1, Kind=ConfigMap/],
    [
      'managed fields',
      configMap(name, { metadata: { name, managedFields: [{}] } }),
      {},
      400,
      /managedFields must be nil/,
    ],
    ['an unknown field', { ...full, dada: 1 }, {}, 400, /\.dada: field not declared in schema/],
    ['a wrong type', { ...full, data: 'x' }, {}, 400, /data/],
    ['a list', [full], {}, 400, /object/],
    ['another namespace', configMap(name, { metadata: { name, namespace: 'other' } }), {}, 400, /namespace/],
    ['a uid that is not there', configMap(name, { metadata: { name, uid: 'x' } }), {}, 409, /uid mismatch/],
    [
      'a revision of what is not there',
      configMap(name, { metadata: { name, resourceVersion: '5' } }),
      {},
      409,
      /Operation cannot be fulfilled/,
    ],
  ] as const)('%s', async (_what, config, options, code, message) => {
    await expect(apply(config as unknown as Json, { name, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    await expect(get(name)).rejects.toMatchObject({ code: 404 });
  });

  test('a generated name', async () => {
    await expect(apply(configMap('', { metadata: { generateName: 'x-' } }), { name: '' })).rejects.toMatchObject({
      code: 405,
    });
  });

  test('over a revision or an object that is not there any more', async () => {
    const there = unique();
    const { object } = await apply(configMap(there, { data: { a: '1' } }));
    const { resourceVersion, uid } = (object as { metadata: { resourceVersion: string; uid: string } }).metadata;
    const at = (meta: Json, a: string) =>
      configMap(there, { metadata: { name: there, namespace: 'default', ...meta }, data: { a } });
    const changed = await apply(at({ resourceVersion, uid }, '2'));
    expect(changed.object).toMatchObject({ data: { a: '2' } });
    await expect(apply(at({ resourceVersion }, '3'))).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining('the object has been modified'),
    });
    await expect(apply(at({ uid: 'other' }, '3'))).rejects.toMatchObject({ code: 409 });
    // No matter who is forced: this is not about fields.
    await expect(apply(at({ resourceVersion }, '3'), { force: true })).rejects.toMatchObject({ code: 409 });
  });
});
