import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployments } from '../../apis/apps/deployment.ts';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { namespaces } from '../../apis/core/namespace.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { services } from '../../apis/core/service.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Transport } from '../../client/transport.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import { ADMIN, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let transport: Transport;
beforeAll(async () => {
  server = await startTestServer();
  transport = server.api.transport(ADMIN);
  await server.client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'default' } });
});
afterAll(() => server.stop());

let names = 0;
const unique = () => `x${++names}`;
const configMap = (name = unique(), more: Partial<ConfigMap> = {}): ConfigMap => ({
  metadata: { name, namespace: 'default' },
  data: { a: '1' },
  ...more,
});
const pod = (name = unique()): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
});
const refOf = (object: KubeObject) => ({ namespace: 'default', name: object.metadata?.name ?? '' });
const at = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;

describe('what a change shares with the object before', () => {
  test('is all that it leaves as it was, in each way of changing', async () => {
    const made = (await server.client.create(pods, pod())) as Stored<Pod>;
    const spec = (of: KubeObject) => (of as Pod).spec;
    const labeled = await server.client.patch(pods, refOf(made), 'strategic', { metadata: { labels: { a: '1' } } });
    expect(spec(labeled)).toBe(spec(made));
    const merged = await server.client.patch(pods, refOf(made), 'merge', { metadata: { labels: { a: '2' } } });
    expect(spec(merged)).toBe(spec(made));
    const put = await server.client.update(
      pods,
      JSON.parse(JSON.stringify({ ...merged, metadata: { ...merged.metadata, labels: {} } })),
    );
    expect(put.metadata.labels).toBeUndefined();
    expect(spec(put)).toBe(spec(made));
  });

  test('is copied where something on its way changes it', async () => {
    const service = (type: string) => ({
      metadata: { name: 'shared', namespace: 'default' },
      spec: { type, ports: [{ port: 80 }] },
    });
    const made = await server.client.create(services, service('ClusterIP'));
    const before = JSON.stringify(made);
    const changed = await server.client.patch(services, refOf(made), 'merge', { spec: { type: 'NodePort' } });
    expect(changed.spec?.ports?.[0]?.nodePort).toBeGreaterThan(0);
    expect(JSON.stringify(made)).toBe(before);
  });
});

describe('create', () => {
  test('gives an identity and a time, and nothing that the client may not set', async () => {
    const created = await server.client.create(configMaps, {
      ...configMap('created'),
      metadata: {
        name: 'created',
        namespace: 'default',
        uid: 'mine',
        creationTimestamp: '2000-01-01T00:00:00Z',
        deletionTimestamp: '2000-01-01T00:00:00Z',
        selfLink: '/x',
      },
    });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created.metadata.creationTimestamp).not.toBe('2000-01-01T00:00:00Z');
    expect(created.metadata).not.toHaveProperty('deletionTimestamp');
    expect(created.metadata).not.toHaveProperty('selfLink');
    expect(Number(created.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(Object.isFrozen(created.metadata)).toBe(true);
  });

  test('makes a name from generateName', async () => {
    const { metadata } = await server.client.create(configMaps, {
      metadata: { generateName: 'gen-', namespace: 'default' },
    });
    expect(metadata.name).toMatch(/^gen-[a-z0-9]{5}$/);
    expect(metadata.generateName).toBe('gen-');
  });

  test('refuses what is there already, what names a revision, and another namespace', async () => {
    const there = await server.client.create(configMaps, configMap());
    await expect(server.client.create(configMaps, configMap(there.metadata.name))).rejects.toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: `configmaps "${there.metadata.name}" already exists`,
    });
    const versioned = { ...configMap(), metadata: { name: unique(), namespace: 'default', resourceVersion: '1' } };
    await expect(server.client.create(configMaps, versioned)).rejects.toMatchObject({ code: 400 });
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'other' } };
    await expect(
      transport.request({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', body }),
    ).rejects.toMatchObject({
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    });
    await expect(
      server.client.create(configMaps, { metadata: { name: 'x', namespace: 'nowhere' } }),
    ).rejects.toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  test('names every fault of an invalid object', async () => {
    const failure = server.client.create(configMaps, {
      metadata: { name: 'Not_Good', namespace: 'default', labels: { 'a b': 'c' } },
    });
    await expect(failure).rejects.toMatchObject({ code: 422, reason: 'Invalid' });
    await expect(failure).rejects.toMatchObject({
      status: {
        details: {
          name: 'Not_Good',
          kind: 'ConfigMap',
          causes: [{ field: 'metadata.name' }, { field: 'metadata.labels' }],
        },
      },
    });
  });

  test('stores nothing in a dry run', async () => {
    const dry = configMap();
    const answered = await server.client.create(configMaps, dry, { dryRun: true });
    expect(answered.metadata.uid).toBeTruthy();
    await expect(server.client.get(configMaps, refOf(dry))).rejects.toMatchObject({ code: 404 });
    await expect(
      transport.request({
        method: 'POST',
        path: '/api/v1/namespaces/default/configmaps',
        query: { dryRun: 'Some' },
        body: {},
      }),
    ).rejects.toMatchObject({ code: 422 });
  });

  test('does not keep or change what it was handed', async () => {
    const mine = configMap();
    const before = structuredClone(mine);
    const created = await server.client.create(configMaps, mine);
    expect(mine).toEqual(before);
    (mine.data as Record<string, string>).a = 'changed later';
    expect((await server.client.get(configMaps, refOf(mine))).data).toEqual({ a: '1' });
    expect(created.data).toEqual({ a: '1' });
  });

  test('methods that do not fit a path are not allowed', async () => {
    const refused = { code: 405, reason: 'MethodNotAllowed' };
    await expect(transport.request({ method: 'POST', path: at('x'), body: {} })).rejects.toMatchObject(refused);
    await expect(transport.request({ method: 'POST', path: '/api/v1/configmaps', body: {} })).rejects.toMatchObject(
      refused,
    );
    await expect(transport.request({ method: 'PUT', path: at('').slice(0, -1), body: {} })).rejects.toMatchObject(
      refused,
    );
    await expect(transport.request({ method: 'DELETE', path: '/api/v1/configmaps' })).rejects.toMatchObject(refused);
  });
});

describe('update', () => {
  test('conflicts where the object was changed since it was read', async () => {
    const first = await server.client.create(configMaps, configMap());
    await server.client.update(configMaps, { ...first, data: { a: '2' } });
    const { name } = first.metadata;
    await expect(server.client.update(configMaps, { ...first, data: { a: '3' } })).rejects.toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on configmaps "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      status: { details: { name, kind: 'configmaps' } },
    });
  });

  test('at one revision succeeds for one of many', async () => {
    const first = await server.client.create(configMaps, configMap());
    const updates = Array.from({ length: 10 }, (_, i) =>
      server.client.update(configMaps, { ...first, data: { i: String(i) } }),
    );
    const results = await Promise.allSettled(updates);
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    for (const r of results)
      if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  test('without a resourceVersion always goes through, also when many do it at once', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        server.client.update(configMaps, configMap(metadata.name, { data: { i: String(i) } })),
      ),
    );
    expect(new Set(results.map((r) => r.metadata.resourceVersion)).size).toBe(20);
    expect(results.every((r) => r.metadata.uid === metadata.uid)).toBe(true);
  });

  test('of another object of the same name is refused by its uid', async () => {
    const first = await server.client.create(configMaps, configMap());
    const { resourceVersion: _r, ...meta } = first.metadata;
    await expect(
      server.client.update(configMaps, { ...first, metadata: { ...meta, uid: 'other' } }),
    ).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining('Precondition failed: UID in precondition: other'),
    });
  });

  test('that changes nothing leaves the revision as it is, whatever the order of fields', async () => {
    const first = await server.client.create(configMaps, configMap(unique(), { data: { a: '1', b: '2' } }));
    const { namespace, name, ...meta } = first.metadata;
    const reordered = { data: { b: '2', a: '1' }, metadata: { ...meta, name, namespace: namespace ?? '' } };
    const again = await server.client.update(configMaps, reordered);
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('keeps what only the server sets, and refuses another name', async () => {
    const first = await server.client.create(configMaps, configMap());
    const { name } = first.metadata;
    const updated = await server.client.update(configMaps, {
      metadata: { name, namespace: 'default', creationTimestamp: '2000-01-01T00:00:00Z' },
      data: { z: '1' },
    });
    expect(updated.metadata).toMatchObject({
      uid: first.metadata.uid,
      creationTimestamp: first.metadata.creationTimestamp,
    });
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } };
    await expect(transport.request({ method: 'PUT', path: at(name), body })).rejects.toMatchObject({
      code: 400,
      message: `the name of the object (other) does not match the name on the URL (${name})`,
    });
    await expect(server.client.update(configMaps, configMap('not-there'))).rejects.toMatchObject({ code: 404 });
  });

  test('of the spec counts generations, of the status or metadata does not', async () => {
    const spec = {
      replicas: 1,
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    };
    const first = await server.client.create(deployments, { metadata: { name: 'gen', namespace: 'default' }, spec });
    expect(first.metadata.generation).toBe(1);
    const scaled = await server.client.update(deployments, { ...first, spec: { ...spec, replicas: 2 } });
    expect(scaled.metadata.generation).toBe(2);
    const labelled = await server.client.update(deployments, {
      ...scaled,
      metadata: { ...scaled.metadata, labels: { a: 'b' } },
      status: { replicas: 9 },
    });
    expect(labelled.metadata.generation).toBe(2);
    expect(labelled.status?.replicas ?? 0).toBe(0);
    const reported = await server.client.update(
      deployments,
      { ...labelled, spec: { ...spec, replicas: 7 }, status: { replicas: 2, observedGeneration: 2 } },
      { subresource: 'status' },
    );
    expect(reported).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 2 }, metadata: { generation: 2 } });
  });
});

describe('patch', () => {
  const patched = (name: string, type: string, body: unknown) =>
    transport.request({ method: 'PATCH', path: at(name), contentType: type, body });

  test('merges, replaces and removes', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    const merged = await server.client.patch(configMaps, refOf({ metadata }), 'merge', { data: { a: null, b: '2' } });
    expect(merged.data).toEqual({ b: '2' });
    const json = await server.client.patch(configMaps, refOf({ metadata }), 'json', [
      { op: 'add', path: '/data/c', value: '3' },
      { op: 'test', path: '/data/b', value: '2' },
    ]);
    expect(json.data).toEqual({ b: '2', c: '3' });
    const strategic = await server.client.patch(configMaps, refOf({ metadata }), 'strategic', {
      metadata: { labels: { l: 'v' } },
    });
    expect(strategic).toMatchObject({ data: { b: '2', c: '3' }, metadata: { labels: { l: 'v' } } });
  });

  test('strategic: merges lists by their keys', async () => {
    const { metadata } = await server.client.create(pods, pod());
    const changed = await server.client.patch(pods, refOf({ metadata }), 'strategic', {
      spec: { containers: [{ name: 'c', image: 'nginx:2' }] },
    });
    expect(changed.spec?.containers).toMatchObject([{ name: 'c', image: 'nginx:2', imagePullPolicy: 'Always' }]);
  });

  test('is tried again when others write, but not against a revision that it names', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        server.client.patch(configMaps, refOf({ metadata }), 'merge', { data: { [`k${i}`]: 'v' } }),
      ),
    );
    const all = await server.client.get(configMaps, refOf({ metadata }));
    expect(Object.keys(all.data ?? {})).toHaveLength(21);
    const old = { metadata: { resourceVersion: metadata.resourceVersion }, data: { z: '1' } };
    await expect(server.client.patch(configMaps, refOf({ metadata }), 'merge', old)).rejects.toMatchObject({
      code: 409,
    });
  });

  test('refuses what it cannot do', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    const { name } = metadata;
    await expect(patched(name, 'text/plain', {})).rejects.toMatchObject({
      code: 415,
      reason: 'UnsupportedMediaType',
    });
    await expect(patched(name, 'application/apply-patch+yaml', {})).rejects.toMatchObject({
      code: 422,
      reason: 'Invalid',
    });
    await expect(patched(name, 'application/merge-patch+json', { metadata: { name: 'other' } })).rejects.toMatchObject({
      code: 400,
    });
    await expect(patched(name, 'application/merge-patch+json', { data: { a: 1 } })).rejects.toMatchObject({
      code: 400,
    });
    await expect(patched('not-there', 'application/merge-patch+json', {})).rejects.toMatchObject({ code: 404 });
    await expect(
      patched(name, 'application/json-patch+json', [{ op: 'test', path: '/data/a', value: 'x' }]),
    ).rejects.toMatchObject({ code: 422 });
  });
});

describe('delete', () => {
  test('removes at once, and answers with a Status', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    const { object } = await transport.request({ method: 'DELETE', path: at(metadata.name) });
    expect(object).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: metadata.name, kind: 'configmaps', uid: metadata.uid },
    });
    await expect(server.client.get(configMaps, refOf({ metadata }))).rejects.toMatchObject({ code: 404 });
    await expect(server.client.delete(configMaps, refOf({ metadata }))).rejects.toMatchObject({ code: 404 });
  });

  test('a pod on a node is marked, and goes with a second delete without grace', async () => {
    const created = await server.client.create(pods, {
      ...pod(),
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x' }] },
    });
    const ref = refOf(created);
    await server.client.delete(pods, ref);
    const marked = await server.client.get(pods, ref);
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
    const due = Date.parse(marked.metadata.deletionTimestamp ?? '') - Date.now();
    expect(due).toBeGreaterThan(25_000);
    expect(due).toBeLessThan(31_000);
    await server.client.delete(pods, ref, { gracePeriodSeconds: 5 });
    expect((await server.client.get(pods, ref)).metadata.deletionGracePeriodSeconds).toBe(5);
    await server.client.delete(pods, ref, { gracePeriodSeconds: 60 });
    expect((await server.client.get(pods, ref)).metadata.deletionGracePeriodSeconds).toBe(5);
    await server.client.delete(pods, ref, { gracePeriodSeconds: 0 });
    await expect(server.client.get(pods, ref)).rejects.toMatchObject({ code: 404 });
  });

  test('a pod on no node goes at once', async () => {
    const created = await server.client.create(pods, pod());
    await server.client.delete(pods, refOf(created));
    await expect(server.client.get(pods, refOf(created))).rejects.toMatchObject({ code: 404 });
  });

  test('waits for finalizers, to which none can be added any more', async () => {
    const held = configMap(unique(), {});
    const created = await server.client.create(configMaps, {
      ...held,
      metadata: { ...held.metadata, name: held.metadata?.name ?? '', finalizers: ['example.com/a', 'example.com/b'] },
    });
    const ref = refOf(created);
    await server.client.delete(configMaps, ref);
    const marked: Stored<ConfigMap> = await server.client.get(configMaps, ref);
    expect(marked.metadata.deletionTimestamp).toBeTruthy();
    const finalizers = (...list: string[]) =>
      server.client.patch(configMaps, ref, 'merge', { metadata: { finalizers: list } });
    await expect(finalizers('example.com/a', 'example.com/b', 'example.com/c')).rejects.toMatchObject({ code: 422 });
    await finalizers('example.com/b');
    expect((await server.client.get(configMaps, ref)).metadata.finalizers).toEqual(['example.com/b']);
    await finalizers();
    await expect(server.client.get(configMaps, ref)).rejects.toMatchObject({ code: 404 });
  });

  test('propagation is left to the garbage collector by a finalizer', async () => {
    const foreground = await server.client.create(configMaps, configMap());
    await server.client.delete(configMaps, refOf(foreground), { propagationPolicy: 'Foreground' });
    expect((await server.client.get(configMaps, refOf(foreground))).metadata.finalizers).toEqual([
      'foregroundDeletion',
    ]);
    const orphan = await server.client.create(configMaps, configMap());
    await server.client.delete(configMaps, refOf(orphan), { propagationPolicy: 'Orphan' });
    expect((await server.client.get(configMaps, refOf(orphan))).metadata.finalizers).toEqual(['orphan']);
    const background = await server.client.create(configMaps, configMap());
    await server.client.delete(configMaps, refOf(background), { propagationPolicy: 'Background' });
    await expect(server.client.get(configMaps, refOf(background))).rejects.toMatchObject({ code: 404 });
  });

  test('holds only while its preconditions do', async () => {
    const { metadata } = await server.client.create(configMaps, configMap());
    const ref = refOf({ metadata });
    await expect(server.client.delete(configMaps, ref, { preconditions: { uid: 'other' } })).rejects.toMatchObject({
      code: 409,
    });
    await expect(
      server.client.delete(configMaps, ref, { preconditions: { resourceVersion: '1' } }),
    ).rejects.toMatchObject({ code: 409 });
    await server.client.delete(configMaps, ref, { preconditions: { uid: metadata.uid } });
  });

  test('of a collection takes what the selector selects', async () => {
    await server.client.create(namespaces, { metadata: { name: 'many' } });
    for (const [i, tier] of ['a', 'a', 'b'].entries()) {
      await server.client.create(configMaps, { metadata: { name: `m${i}`, namespace: 'many', labels: { tier } } });
    }
    await server.client.deleteCollection(configMaps, { namespace: 'many', labelSelector: 'tier=a' });
    const left = await server.client.list(configMaps, { namespace: 'many' });
    expect(left.items.map((c) => c.metadata.name)).toEqual(['m2']);
  });
});

describe('scale', () => {
  test('reads and writes the replicas', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments/scaled/scale';
    const spec = {
      replicas: 3,
      selector: { matchLabels: { app: 'y' } },
      template: { metadata: { labels: { app: 'y' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    };
    await server.client.create(deployments, { metadata: { name: 'scaled', namespace: 'default' }, spec });
    const { object: scale } = await transport.request({ method: 'GET', path });
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 3 },
      status: { selector: 'app=y' },
    });
    await transport.request({ method: 'PUT', path, body: { ...(scale as object), spec: { replicas: 5 } } });
    const merge = 'application/merge-patch+json';
    const { object: patched } = await transport.request({
      method: 'PATCH',
      path,
      contentType: merge,
      body: { spec: { replicas: 6 } },
    });
    expect(patched).toMatchObject({ spec: { replicas: 6 } });
    const deployment = await server.client.get(deployments, { namespace: 'default', name: 'scaled' });
    expect(deployment).toMatchObject({ spec: { replicas: 6 }, metadata: { generation: 3 } });
    await expect(
      transport.request({ method: 'PATCH', path, contentType: merge, body: { spec: { replicas: -1 } } }),
    ).rejects.toMatchObject({ code: 422 });
    await expect(transport.request({ method: 'PUT', path, body: { ...(scale as object) } })).rejects.toMatchObject({
      code: 409,
    });
  });
});
