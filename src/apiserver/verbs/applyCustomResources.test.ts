/** Server-side apply of custom resources: as their structural schemas say. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Applier, type ApplyOptions, applier, type Json, ownersOf } from '../testing/apply.ts';
import { ADMIN, startTestServer, type TestServer } from '../testing/testServer.ts';

const GROUP = 'stable.example.com';
const PATH = `/apis/${GROUP}/v1/namespaces/default/things`;
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const v1 = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer', default: 1 },
        text: { type: 'string' },
        map: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            required: ['port'],
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              name: { type: 'string' },
            },
          },
        },
        set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        list: { type: 'array', items: { type: 'string' } },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        words: { type: 'object', additionalProperties: { type: 'string' } },
        free,
      },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, phase: { type: 'string' } } },
  },
};

const definition = (plural: string, kind: string, schema: Json): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v2',
      schema: { openAPIV3Schema: schema },
      subresources: {
        status: {},
        scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
      },
    })),
  },
});

let server: TestServer;
let send: Applier;
beforeAll(async () => {
  server = await startTestServer();
  send = applier(server);
  const transport = server.api.transport(ADMIN);
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await transport.request({ method: 'POST', path, body: definition('things', 'Thing', v1) });
  await transport.request({ method: 'POST', path, body: definition('blobs', 'Blob', free) });
});
afterAll(() => server.stop());

let names = 0;
const unique = () => `x${++names}`;
const thing = (name: string, spec: Json, more: Json = {}): Json => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Thing',
  metadata: { name },
  spec,
  ...more,
});
const apply = (config: Json, manager = 'me', options: ApplyOptions = {}) =>
  send(config, { path: PATH, manager, ...options });
const specOf = (answer: { object: unknown }) => (answer.object as { spec: Json }).spec;
const mine = (answer: { object: unknown }, manager = 'me') => ownersOf(answer.object)[`${manager} Apply ${GROUP}/v1`];

describe('lists', () => {
  test('of maps, with a key that has a default', async () => {
    const name = unique();
    await apply(thing(name, { map: [{ port: 1, name: 'a' }] }), 'one');
    const both = await apply(thing(name, { map: [{ port: 1, protocol: 'UDP' }, { port: 2 }] }), 'two');
    expect(specOf(both).map).toEqual([
      { port: 1, protocol: 'TCP', name: 'a' },
      { port: 1, protocol: 'UDP' },
      { port: 2, protocol: 'TCP' },
    ]);
    expect(mine(both, 'one')).toEqual([
      'spec.map[port=1,protocol="TCP"]',
      'spec.map[port=1,protocol="TCP"].name',
      'spec.map[port=1,protocol="TCP"].port',
    ]);
    await expect(apply(thing(name, { map: [{ port: 1, protocol: 'TCP', name: 'b' }] }), 'two')).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.map[port=1,protocol="TCP"].name',
    });
    expect(specOf(await apply(thing(name, {}), 'two')).map).toEqual([{ port: 1, protocol: 'TCP', name: 'a' }]);
  });

  test('that are sets, and lists that are atomic', async () => {
    const name = unique();
    await apply(thing(name, { set: ['a', 'b'], list: ['a'] }), 'one');
    const both = await apply(thing(name, { set: ['b', 'c'], list: ['a'] }), 'two');
    expect(specOf(both)).toMatchObject({ set: ['a', 'b', 'c'], list: ['a'] });
    expect(mine(both, 'two')).toEqual(['spec.list', 'spec.set[="b"]', 'spec.set[="c"]']);
    await expect(apply(thing(name, { list: ['a', 'b'] }), 'two')).rejects.toMatchObject({ code: 409 });
    expect(specOf(await apply(thing(name, {}), 'one'))).toMatchObject({ set: ['b', 'c'], list: ['a'] });
    await expect(apply(thing(name, { set: ['a', 'a'] }), 'two')).rejects.toMatchObject({
      message: expect.stringContaining('.spec.set: duplicate entries for key [="a"]'),
    });
  });
});

describe('maps', () => {
  test('granular by their keys, atomic as a whole', async () => {
    const name = unique();
    const first = await apply(thing(name, { words: { a: '1' }, whole: { a: '1' } }), 'one');
    expect(mine(first, 'one')).toEqual(['spec.whole', 'spec.words.a']);
    await expect(apply(thing(name, { whole: { b: '1' } }), 'two')).rejects.toMatchObject({
      message: expect.stringContaining('.spec.whole'),
    });
    const forced = await apply(thing(name, { words: { b: '2' }, whole: { b: '1' } }), 'two', { force: true });
    expect(specOf(forced)).toMatchObject({ words: { a: '1', b: '2' }, whole: { b: '1' } });
    expect(mine(forced, 'one')).toEqual(['spec.words.a']);
  });

  test('of unknown structure: objects by field, lists as a whole', async () => {
    const name = unique();
    const first = await apply(thing(name, { free: { a: { b: 1 }, l: [{ x: 1 }] } }), 'one');
    expect(mine(first, 'one')).toEqual(['spec.free.a', 'spec.free.l', 'spec.free.a.b']);
    const second = await apply(thing(name, { free: { a: { c: 2 } } }), 'two');
    expect(specOf(second).free).toEqual({ a: { b: 1, c: 2 }, l: [{ x: 1 }] });
    await expect(apply(thing(name, { free: { l: [] } }), 'two')).rejects.toMatchObject({
      message: expect.stringContaining('.spec.free.l'),
    });
    // From an object to something else and back.
    const other = await apply(thing(name, { free: { a: 'text' } }), 'two', { force: true });
    expect(specOf(other).free).toMatchObject({ a: 'text' });
    const back = await apply(thing(name, { free: { a: { d: 1 } } }), 'two', { force: true });
    expect(specOf(back).free).toMatchObject({ a: { d: 1 } });
    expect(specOf(await apply(thing(name, {}), 'two')).free).not.toHaveProperty('a.d');
  });

  test('without any schema', async () => {
    const name = unique();
    const blob = (more: Json): Json => ({ apiVersion: `${GROUP}/v1`, kind: 'Blob', metadata: { name }, ...more });
    const options = { path: PATH.replace('things', 'blobs') };
    const first = await apply(blob({ a: { b: 1 }, list: [1], labels: null }), 'one', options);
    expect(first.object).toMatchObject({ a: { b: 1 }, list: [1] });
    // What says of which kind it is belongs to nobody.
    for (const paths of Object.values(ownersOf(first.object))) {
      expect(paths).toContain('a.b');
      expect(paths).not.toContain('apiVersion');
      expect(paths).not.toContain('kind');
    }
    const second = await apply(blob({ a: { c: 1 }, list: [1] }), 'two', options);
    expect(second.object).toMatchObject({ a: { b: 1, c: 1 }, list: [1] });
    const third = await apply(blob({}), 'one', options);
    expect((third.object as Json).a).toEqual({ c: 1 });
    await expect(apply(blob({ list: [2] }), 'one', options)).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "two": .list',
    });
  });
});

describe('versions', () => {
  const v2 = (config: Json): Json => ({ ...config, apiVersion: `${GROUP}/v2` });
  const path = PATH.replace('/v1/', '/v2/');

  test('of one manager who applies are one owner, others conflict across them', async () => {
    const name = unique();
    await apply(thing(name, { text: 'a', words: { a: '1' } }));
    const moved = await apply(v2(thing(name, { text: 'b' })), 'me', { path });
    expect(specOf(moved)).toEqual({ text: 'b', replicas: 1 });
    expect(Object.keys(ownersOf(moved.object))).toEqual([`me Apply ${GROUP}/v2`]);
    await expect(apply(thing(name, { text: 'c' }), 'other')).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "me": .spec.text',
    });
  });

  test('are what is in the path', async () => {
    await expect(apply(v2(thing(unique(), {})))).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining(`invalid object type: ${GROUP}/v2, Kind=Thing`),
    });
  });
});

describe('subresources', () => {
  test('status: only the status is applied, and owned apart', async () => {
    const name = unique();
    await apply(thing(name, { text: 'a' }, { status: { phase: 'ignored' } }));
    const { object } = await apply(thing(name, { text: 'ignored' }, { status: { phase: 'Up' } }), 'ctl', {
      subresource: 'status',
    });
    expect(object).toMatchObject({ spec: { text: 'a' }, status: { phase: 'Up' } });
    expect(ownersOf(object)).toEqual({
      [`me Apply ${GROUP}/v1`]: ['spec.text'],
      [`ctl Apply ${GROUP}/v1 status`]: ['status.phase'],
    });
    const kept = await apply(thing(name, {}));
    expect(kept.object).toMatchObject({ status: { phase: 'Up' } });
    const gone = await apply(thing(name, {}), 'ctl', { subresource: 'status' });
    expect(gone.object).not.toHaveProperty('status.phase');
  });

  test('scale', async () => {
    const name = unique();
    await apply(thing(name, { replicas: 1 }), 'one');
    const scale = (replicas: number): Json => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name, namespace: 'default' },
      spec: { replicas },
    });
    await expect(apply(scale(3), 'auto', { subresource: 'scale' })).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
    });
    const { object } = await apply(scale(3), 'auto', { subresource: 'scale', force: true });
    expect(object).toMatchObject({ kind: 'Scale', spec: { replicas: 3 } });
    const now = await apply(thing(name, {}), 'one');
    expect(specOf(now)).toMatchObject({ replicas: 3 });
    expect(ownersOf(now.object)).toEqual({
      [`auto Apply ${GROUP}/v1 scale`]: ['spec.replicas'],
      [`one Apply ${GROUP}/v1`]: ['spec'],
    });
  });
});
