/** metadata.managedFields on every write that is no apply. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployments } from '../../apis/apps/deployment.ts';
import { jobs } from '../../apis/batch/job.ts';
import { configMaps } from '../../apis/core/configMap.ts';
import { pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { createClient } from '../../client/createClient.ts';
import type { Transport } from '../../client/transport.ts';
import { VirtualClock } from '../../lib/clock.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta.ts';
import { type Applier, applier, type Json, ownersOf } from '../testing/apply.ts';
import { ADMIN, startTestServer, type TestServer } from '../testing/testServer.ts';

const clock = new VirtualClock(Date.UTC(2026, 0, 1));
let server: TestServer;
let transport: Transport;
let apply: Applier;
beforeAll(async () => {
  server = await startTestServer({ clock });
  transport = server.api.transport(ADMIN);
  apply = applier(server);
  await server.client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'default' } });
});
afterAll(() => server.stop());

let names = 0;
const unique = () => `x${++names}`;
const base = '/api/v1/namespaces/default/configmaps';
const ref = (name: string) => ({ namespace: 'default', name });
const by = (fieldManager: string) => ({ fieldManager });
const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace: 'default' },
  data,
});
const entriesOf = (object: { metadata: { managedFields?: ManagedFieldsEntry[] } }) => object.metadata.managedFields;
const deployment = (name: string) => ({
  metadata: { name, namespace: 'default', labels: { app: 'web' } },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'nginx' }] } },
  },
});

describe('create', () => {
  test('notes every field, as Kubernetes writes it', async () => {
    const created = await server.client.create(deployments, deployment(unique()), by('kubectl-create'));
    expect(entriesOf(created)).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:progressDeadlineSeconds': {},
            'f:replicas': {},
            'f:revisionHistoryLimit': {},
            'f:selector': {},
            'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
            'f:template': {
              'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"main"}': {
                    '.': {},
                    'f:image': {},
                    'f:imagePullPolicy': {},
                    'f:name': {},
                    'f:resources': {},
                    'f:terminationMessagePath': {},
                    'f:terminationMessagePolicy': {},
                  },
                },
                'f:dnsPolicy': {},
                'f:restartPolicy': {},
                'f:schedulerName': {},
                'f:securityContext': {},
                'f:terminationGracePeriodSeconds': {},
              },
            },
          },
        },
      },
    ]);
  });

  test('takes the name of the client where no manager is named', async () => {
    const created = await server.client.create(configMaps, configMap(unique(), { a: '1' }));
    expect(entriesOf(created)?.[0]?.manager).toBe('unknown');
    const named = createClient(server.api.transport(ADMIN, 'kube-scheduler/v1'));
    expect(entriesOf(await named.create(configMaps, configMap(unique(), { a: '1' })))?.[0]?.manager).toBe(
      'kube-scheduler',
    );
  });

  test('keeps what the object came with, but takes over what it sets', async () => {
    const name = unique();
    const given = {
      manager: 'before',
      operation: 'Apply',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {}, 'f:gone': {} } },
    };
    const { object } = await transport.request({
      method: 'POST',
      path: base,
      query: { fieldManager: 'me' },
      body: { metadata: { name, managedFields: [given] }, data: { a: '1' } },
    });
    expect(ownersOf(object)).toEqual({
      'before Apply v1': ['data.gone'],
      'me Update v1': ['data', 'data.a'],
    });
  });

  test.each([
    ['x'.repeat(129), 'Too long'],
    ['tab\t', 'invalid character U+0009 (at position 3)'],
  ])('refuses the manager %j', async (manager, message) => {
    await expect(server.client.create(configMaps, configMap(unique()), by(manager))).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining(`CreateOptions.meta.k8s.io "" is invalid: fieldManager: `),
      status: { details: { causes: [{ message: expect.stringContaining(message) }] } },
    });
  });
});

describe('update and patch', () => {
  test('give what they change to who makes them, and take it from others', async () => {
    const name = unique();
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1', b: '1' } });
    const first = await server.client.patch(configMaps, ref(name), 'merge', { data: { a: '2', c: '1' } }, by('two'));
    expect(ownersOf(first)).toEqual({ 'me Apply v1': ['data.b'], 'two Update v1': ['data.a', 'data.c'] });
    const { metadata } = first;
    const second = await server.client.update(
      configMaps,
      { ...configMap(name, { a: '2', b: '2' }), metadata },
      by('3'),
    );
    expect(ownersOf(second)).toEqual({ '3 Update v1': ['data.b'], 'two Update v1': ['data.a'] });
    const third = await server.client.patch(configMaps, ref(name), 'json', [{ op: 'remove', path: '/data' }], by('4'));
    expect(ownersOf(third)).toEqual({});
  });

  test('that change nothing of what is owned leave times and revisions as they are', async () => {
    const name = unique();
    const created = await server.client.create(configMaps, configMap(name, { a: '1' }), by('one'));
    await clock.advance(5_000);
    const same = await server.client.patch(configMaps, ref(name), 'merge', { data: { a: '1' } }, by('two'));
    expect(same).toEqual(created);
    const changed = await server.client.patch(configMaps, ref(name), 'merge', { data: { b: '1' } }, by('one'));
    expect(entriesOf(changed)?.map((entry) => entry.time)).toEqual(['2026-01-01T00:00:05Z']);
    await clock.advance(5_000);
    // It writes, but comes to own nothing.
    const removed = await server.client.patch(configMaps, ref(name), 'merge', { data: { b: null } }, by('one'));
    expect(removed.metadata.resourceVersion).not.toBe(changed.metadata.resourceVersion);
    expect(entriesOf(removed)?.map((entry) => entry.time)).toEqual(['2026-01-01T00:00:05Z']);
  });

  test('without managedFields keep them, with them may change them', async () => {
    const name = unique();
    await server.client.create(configMaps, configMap(name, { a: '1' }), by('one'));
    const put = (managedFields: unknown) =>
      transport.request({
        method: 'PUT',
        path: `${base}/${name}`,
        query: { fieldManager: 'two' },
        body: { metadata: { name, ...(managedFields === undefined ? {} : { managedFields }) }, data: { a: '1' } },
      });
    const kept = { 'one Update v1': ['data', 'data.a'] };
    const entry = { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' };
    expect(ownersOf((await put(undefined)).object)).toEqual(kept);
    // What makes no sense is as if it were not there.
    for (const bad of [
      [{ ...entry, operation: 'Other', fieldsV1: { 'f:data': {} } }],
      [{ ...entry, fieldsType: 'V2', fieldsV1: { 'f:data': {} } }],
      [{ ...entry, fieldsV1: { data: {} } }],
      [{ ...entry, fieldsV1: { 'k:{': {} } }],
      [{ ...entry, fieldsV1: { 'i:x': {} } }],
      [{ ...entry, apiVersion: '', fieldsV1: { 'f:data': {} } }],
      [{ ...entry, fieldsV1: {} }],
    ]) {
      expect(ownersOf((await put(bad)).object)).toEqual(kept);
    }
    const told = await put([{ ...entry, manager: 'told', fieldsV1: { 'f:data': { 'f:a': {} } } }]);
    expect(ownersOf(told.object)).toEqual({ 'told Update v1': ['data.a'] });
  });

  test.each([[[]], [[{}]]])('managedFields: %j resets them; the next apply starts anew', async (reset) => {
    const name = unique();
    await server.client.create(configMaps, configMap(name, { a: '1', b: '1' }), by('one'));
    const body = { metadata: { managedFields: reset } };
    const cleared = await server.client.patch(configMaps, ref(name), 'merge', body as never, by('two'));
    expect(entriesOf(cleared)).toBeUndefined();
    // Nothing is noted of updates until somebody applies.
    const updated = await server.client.patch(configMaps, ref(name), 'merge', { data: { b: '2' } }, by('two'));
    expect(entriesOf(updated)).toBeUndefined();
    const { object } = await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { b: '2' } });
    expect(ownersOf(object)).toEqual({
      'me Apply v1': ['data.b'],
      'before-first-apply Update v1': ['data', 'data.a', 'data.b'],
    });
  });

  test('forget who owned in a version that is not served any more', async () => {
    const name = unique();
    await server.client.create(configMaps, configMap(name, { a: '1' }), by('one'));
    const old = {
      manager: 'old',
      operation: 'Update',
      apiVersion: 'v0',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {} } },
    };
    const path = `${base}/${name}`;
    const patch = (body: Json) =>
      ({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body }) as const;
    const told = await transport.request(patch({ metadata: { managedFields: [old] } }));
    expect(ownersOf(told.object)).toEqual({ 'old Update v0': ['data.a'] });
    const { object } = await transport.request({ ...patch({ data: { a: '2' } }), query: { fieldManager: 'two' } });
    expect(ownersOf(object)).toEqual({ 'two Update v1': ['data.a'] });
  });

  test('of more than ten managers: those who wrote longest ago become one', async () => {
    const name = unique();
    await server.client.create(configMaps, configMap(name, { a: '0' }), by('m00'));
    for (let i = 1; i <= 12; i++) {
      await clock.advance(1_000);
      const at = String(i).padStart(2, '0');
      await server.client.patch(configMaps, ref(name), 'merge', { data: { [`k${at}`]: '1' } }, by(`m${at}`));
    }
    const owners = ownersOf(await server.client.get(configMaps, ref(name)));
    expect(Object.keys(owners)).toEqual(
      ['ancient-changes', ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((i) => `m${String(i).padStart(2, '0')}`)].map(
        (m) => `${m} Update v1`,
      ),
    );
    expect(owners['ancient-changes Update v1']).toEqual(['data', 'data.a', 'data.k01', 'data.k02', 'data.k03']);
    // Who applies does not count.
    for (let i = 0; i < 12; i++) {
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { [`a${i}`]: '1' } };
      await apply(config, { manager: `a${i}` });
    }
    expect(Object.keys(ownersOf(await server.client.get(configMaps, ref(name))))).toHaveLength(22);
  });

  test('do not own metadata that only the server sets', async () => {
    const name = unique();
    const created = await server.client.create(
      configMaps,
      {
        metadata: {
          name,
          namespace: 'default',
          generateName: 'x-',
          finalizers: ['example.com/a'],
          annotations: { a: '1' },
        },
      },
      by('one'),
    );
    expect(ownersOf(created)['one Update v1']).toEqual([
      'metadata.annotations',
      'metadata.finalizers',
      'metadata.generateName',
      'metadata.annotations.a',
      'metadata.finalizers[="example.com/a"]',
    ]);
  });

  test('do not own what the server adds to the rest', async () => {
    const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } };
    const created = await server.client.create(
      jobs,
      { metadata: { name: unique(), namespace: 'default' }, spec },
      by('one'),
    );
    expect(created.spec?.selector?.matchLabels).toBeDefined();
    const owned = ownersOf(created)['one Update batch/v1'] ?? [];
    expect(owned).toContain('spec.backoffLimit');
    expect(owned.filter((path) => /selector|labels/.test(path))).toEqual([]);
  });
});

describe('subresources', () => {
  test('status: an entry of its own', async () => {
    const name = unique();
    const pod = { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await server.client.create(pods, pod, by('one'));
    const status = { conditions: [{ type: 'Ready', status: 'True' }], podIPs: [{ ip: '10.0.0.1' }], phase: 'Running' };
    const reported = await server.client.patch(
      pods,
      ref(name),
      'strategic',
      { status },
      {
        fieldManager: 'kubelet',
        subresource: 'status',
      },
    );
    expect(entriesOf(reported)?.[0]).toMatchObject({ manager: 'kubelet', operation: 'Update', subresource: 'status' });
    expect(ownersOf(reported)['kubelet Update v1 status']).toEqual([
      'status.conditions',
      'status.phase',
      'status.podIP',
      'status.podIPs',
      'status.conditions[type="Ready"]',
      'status.conditions[type="Ready"].status',
      'status.conditions[type="Ready"].type',
      'status.podIPs[ip="10.0.0.1"]',
      'status.podIPs[ip="10.0.0.1"].ip',
    ]);
    expect(ownersOf(reported)['one Update v1']).not.toContain('status');
    // managedFields are changed by the resource itself, not by a subresource.
    const same = await server.client.patch(pods, ref(name), 'merge', { metadata: { managedFields: [] } } as never, {
      fieldManager: 'kubelet',
      subresource: 'status',
    });
    expect(entriesOf(same)).toEqual(entriesOf(reported));
  });

  test('scale: the replicas belong to who scaled', async () => {
    const name = unique();
    await server.client.create(deployments, deployment(name), by('one'));
    await transport.request({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/default/deployments/${name}/scale`,
      contentType: 'application/merge-patch+json',
      query: { fieldManager: 'kubectl-scale' },
      body: { spec: { replicas: 3 } },
    });
    const owners = ownersOf(await server.client.get(deployments, ref(name)));
    expect(owners['kubectl-scale Update apps/v1 scale']).toEqual(['spec.replicas']);
    expect(owners['one Update apps/v1']).not.toContain('spec.replicas');
  });

  test('apply to status of a pod leaves the spec and its owners alone', async () => {
    const name = unique();
    const pod = { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await server.client.create(pods, pod, by('one'));
    const condition = { type: 'Special', status: 'True' };
    const config = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'c', image: 'other' }] },
      status: { conditions: [condition] },
    };
    const { object } = await apply(config, { subresource: 'status' });
    expect(object).toMatchObject({ spec: { containers: [{ image: 'i' }] }, status: { conditions: [condition] } });
    expect(ownersOf(object)['me Apply v1 status']).toEqual([
      'status.conditions[type="Special"]',
      'status.conditions[type="Special"].status',
      'status.conditions[type="Special"].type',
    ]);
    const gone = await apply({ ...config, status: {} }, { subresource: 'status' });
    expect(JSON.stringify(gone.object)).not.toContain('Special');
    await expect(apply({ ...config, metadata: { name: 'nowhere' } }, { subresource: 'status' })).rejects.toMatchObject({
      code: 404,
    });
  });
});
