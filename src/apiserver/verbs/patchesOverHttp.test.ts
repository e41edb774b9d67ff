/** Patches: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(() => server.stop());

const PATH = '/apis/apps/v1/namespaces/default/deployments';
let count = 0;
/** A deployment to be patched, by its path. */
async function deployed(): Promise<string> {
  const name = `d${++count}`;
  const { status, json } = await api.send('POST', PATH, {
    metadata: { name, labels: { a: '1', b: '2' }, finalizers: ['example.com/one', 'example.com/two'] },
    spec: {
      selector: { matchLabels: { app: name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            { name: 'web', image: 'nginx:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] },
            { name: 'side', image: 'busybox' },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }],
          tolerations: [{ key: 'x', operator: 'Exists' }],
        },
      },
    },
  });
  if (status !== 201) throw new Error(json.message);
  return `${PATH}/${name}`;
}

describe('strategic merge patch', () => {
  const pod = (spec: object) => ({ spec: { template: { spec } } });
  type Seen = (spec: {
    strategy: unknown;
    template: { spec: { containers: { name: string; [f: string]: unknown }[]; [f: string]: unknown } };
  }) => unknown;
  const containers: Seen = ({ template }) => template.spec.containers.map((c) => `${c.name} ${c.image}`);
  test.each<[string, object, Seen, unknown]>([
    [
      'merges a list by its key',
      pod({ containers: [{ name: 'web', image: 'nginx:2' }] }),
      containers,
      ['web nginx:2', 'side busybox'],
    ],
    [
      'adds an element in front, as nobody said otherwise',
      pod({ containers: [{ name: 'new', image: 'x' }] }),
      containers,
      ['new x', 'web nginx:1', 'side busybox'],
    ],
    [
      'orders elements',
      pod({
        '$setElementOrder/containers': [{ name: 'side' }, { name: 'web' }, { name: 'new' }],
        containers: [{ name: 'new', image: 'x' }],
      }),
      containers,
      ['side busybox', 'web nginx:1', 'new x'],
    ],
    ['deletes an element', pod({ containers: [{ name: 'side', $patch: 'delete' }] }), containers, ['web nginx:1']],
    [
      'replaces a list',
      pod({ containers: [{ name: 'only', image: 'x' }, { $patch: 'replace' }] }),
      containers,
      ['only x'],
    ],
    [
      'goes into the elements of lists in lists',
      pod({ containers: [{ name: 'web', env: [{ name: 'B', value: '2' }] }] }),
      ({ template }) => template.spec.containers[0]?.env,
      [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    ],
    [
      'replaces the list where an element says so, with those that say nothing',
      pod({
        containers: [
          { name: 'web', image: 'a', $patch: 'replace' },
          { name: 'b', image: 'b' },
        ],
      }),
      containers,
      ['b b'],
    ],
    [
      'replaces lists without a key',
      pod({ tolerations: [{ key: 'y', operator: 'Exists' }] }),
      ({ template }) => template.spec.tolerations,
      [{ key: 'y', operator: 'Exists' }],
    ],
    [
      'keeps the fields of a union that are named',
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      ({ strategy }) => strategy,
      { type: 'Recreate' },
    ],
    [
      'keeps the fields of a volume that are named',
      pod({ volumes: [{ name: 'tmp', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/tmp' } }] }),
      ({ template }) => template.spec.volumes,
      [{ name: 'tmp', hostPath: { path: '/tmp', type: '' } }],
    ],
    [
      'takes out what is null',
      pod({ volumes: null, tolerations: null }),
      ({ template }) => [template.spec.volumes, template.spec.tolerations],
      [undefined, undefined],
    ],
    [
      'replaces a map',
      { spec: { template: { spec: { nodeSelector: { $patch: 'replace', z: '1' } } } } },
      ({ template }) => template.spec.nodeSelector,
      { z: '1' },
    ],
  ])('%s', async (_what, patch, seen, expected) => {
    const { status, json } = await api.patch('strategic', await deployed(), patch);
    expect(json.message ?? status).toBe(200);
    expect(seen(json.spec)).toEqual(expected);
  });

  test('adds to lists of words, takes from them, and orders them', async () => {
    const path = await deployed();
    const added = await api.patch('strategic', path, { metadata: { finalizers: ['example.com/three'] } });
    expect(added.json.metadata.finalizers).toEqual(['example.com/three', 'example.com/one', 'example.com/two']);
    const taken = await api.patch('strategic', path, {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/two'] },
    });
    expect(taken.json.metadata.finalizers).toEqual(['example.com/three', 'example.com/one']);
    const ordered = await api.patch('strategic', path, {
      metadata: { '$setElementOrder/finalizers': ['example.com/one', 'example.com/three'] },
    });
    expect(ordered.json.metadata.finalizers).toEqual(['example.com/one', 'example.com/three']);
  });

  test.each([
    [{ spec: { $patch: 'explode' } }, 400],
    [{ spec: { template: { spec: { containers: [{ image: 'without a name' }] } } } }, 400],
    [{ spec: { template: { spec: { containers: {} } } } }, 400],
    [{ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate', rollingUpdate: {} } } }, 400],
    [[], 400],
    ['null', 400],
    [{ spec: { replicas: 'many' } }, 400],
    [{ spec: { replicas: -1 } }, 422],
  ])('%j is refused', async (patch, code) => {
    const { status, json } = await api.patch('strategic', await deployed(), patch);
    expect({ status, kind: json.kind }).toEqual({ status: code, kind: 'Status' });
  });
});

describe('JSON patch', () => {
  const op = (name: string, path: string, more: object = {}) => ({ op: name, path, ...more });
  test.each<[string, object[], (json: { metadata: { labels: object } }) => unknown, unknown]>([
    ['add', [op('add', '/metadata/labels/c', { value: '3' })], (j) => j.metadata.labels, { a: '1', b: '2', c: '3' }],
    ['replace', [op('replace', '/metadata/labels/a', { value: '9' })], (j) => j.metadata.labels, { a: '9', b: '2' }],
    ['remove', [op('remove', '/metadata/labels/a')], (j) => j.metadata.labels, { b: '2' }],
    [
      'move',
      [op('move', '/metadata/labels/c', { from: '/metadata/labels/a' })],
      (j) => j.metadata.labels,
      { b: '2', c: '1' },
    ],
    [
      'copy',
      [op('copy', '/metadata/labels/c', { from: '/metadata/labels/a' })],
      (j) => j.metadata.labels,
      { a: '1', b: '2', c: '1' },
    ],
    [
      'test, with an escaped key',
      [op('add', '/metadata/labels/x~1y', { value: 'z' }), op('test', '/metadata/labels/x~1y', { value: 'z' })],
      (j) => j.metadata.labels,
      { a: '1', b: '2', 'x/y': 'z' },
    ],
  ])('%s', async (_what, patch, seen, expected) => {
    const { status, json } = await api.patch('json', await deployed(), patch);
    expect(json.message ?? status).toBe(200);
    expect(seen(json)).toEqual(expected);
  });

  test.each<[unknown, number]>([
    [[op('test', '/metadata/labels/a', { value: 'no' })], 422],
    [[op('remove', '/metadata/labels/none')], 422],
    [[op('replace', '/spec/none/x', { value: 1 })], 422],
    [[op('explode', '/spec')], 422],
    [{ op: 'add' }, 400],
    [[op('add', '/spec/replicas', { value: 'x' })], 400],
    [[op('replace', '/metadata/name', { value: 'other' })], 400],
    [Array.from({ length: 10_001 }, () => op('test', '/kind', { value: 'Deployment' })), 413],
  ])('refused (%#)', async (patch, code) => {
    const path = await deployed();
    const before = (await api.get(path)).json;
    const { status, json } = await api.patch('json', path, patch);
    expect({ status, kind: json.kind }).toEqual({ status: code, kind: 'Status' });
    expect((await api.get(path)).json).toEqual(before);
  });
});

describe('merge patch', () => {
  test('merges maps, replaces lists, takes out what is null', async () => {
    const { json } = await api.patch('merge', await deployed(), {
      metadata: { labels: { a: null, c: '3' }, finalizers: ['example.com/three'] },
      spec: { template: { spec: { containers: [{ name: 'only', image: 'x' }] } } },
    });
    expect(json.metadata.labels).toEqual({ b: '2', c: '3' });
    expect(json.metadata.finalizers).toEqual(['example.com/three']);
    expect(json.spec.template.spec.containers).toHaveLength(1);
  });

  test('of what is not there is no create', async () => {
    const { json } = await api.patch('merge', `${PATH}/none`, {});
    expect(json).toMatchObject({ code: 404, message: 'deployments.apps "none" not found' });
  });
});

test('what is no kind of patch is refused with the kinds that there are', async () => {
  const { status, json } = await api.send('PATCH', await deployed(), {});
  expect(status).toBe(415);
  for (const type of ['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml']) {
    expect(json.message).toContain(`application/${type}`);
  }
});

test('patches that meet each other are each done', async () => {
  const path = await deployed();
  const keys = Array.from({ length: 12 }, (_, i) => `k${i}`);
  const answers = await Promise.all(
    keys.map((key) => api.patch('merge', path, { metadata: { annotations: { [key]: 'x' } } })),
  );
  expect(answers.map((a) => a.status)).toEqual(keys.map(() => 200));
  expect(Object.keys((await api.get(path)).json.metadata.annotations).sort()).toEqual([...keys].sort());
});

test('a JSON patch may speak of what Go always writes, though nothing is in it', async () => {
  const claims = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
  const requests = [{ name: 'r', exactly: { deviceClassName: 'c' } }];
  await api.send('POST', claims, { metadata: { name: 'bare' }, spec: { devices: { requests } } });
  const classes = '/apis/resource.k8s.io/v1/deviceclasses';
  await api.send('POST', classes, { metadata: { name: 'bare' } });
  const patched = (path: string, ...operations: object[]) =>
    api.send('PATCH', path, operations, { 'content-type': 'application/json-patch+json' });
  const allocation = { devices: {} };
  const claim = await patched(`${claims}/bare/status`, { op: 'add', path: '/status/allocation', value: allocation });
  expect(claim.json).toMatchObject({ status: { allocation } });
  const selectors = [{ cel: { expression: 'true' } }];
  const test = { op: 'test', path: '/spec', value: {} };
  const made = await patched(`${classes}/bare`, test, { op: 'add', path: '/spec/selectors', value: selectors });
  expect(made.json).toMatchObject({ spec: { selectors } });
  // What is a pointer, or a map, is there or not.
  for (const path of ['/spec/extendedResourceName/x', '/metadata/labels/x', '/nothing/x', '/spec/selectors/0/y/z'])
    expect((await patched(`${classes}/bare`, { op: 'add', path, value: 'x' })).status).toBe(422);
});
