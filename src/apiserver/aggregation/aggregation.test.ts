/** https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/ */
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type APIService, apiServices, availability } from '../../apis/apiregistration/apiService.ts';
import { configMaps } from '../../apis/core/configMap.ts';
import { namespaces } from '../../apis/core/namespace.ts';
import { services } from '../../apis/core/service.ts';
import { createClient } from '../../client/createClient.ts';
import { SystemClock } from '../../lib/clock.ts';
import { defineKind, type KubeObject } from '../../machinery/kind.ts';
import { object, opt, str } from '../../machinery/schema/types.ts';
import { TestCA } from '../testing/certificates.ts';
import { type Asked, type ExtensionServer, GROUP, startExtensionServer } from '../testing/extensionServer.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

/** Slow machines are given time. */
const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 20_000, interval: 20 });

const NAME = `v1.${GROUP}`;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const base64 = (pem: string) => Buffer.from(pem).toString('base64');

let server: TestServer;
let api: OverHttp;
let extension: ExtensionServer;
let extensionCA: TestCA;
let proxyCA: TestCA;

const metadata = { namespace: 'shop', name: 'till' };
const apiService = (port: number, spec: Partial<APIService['spec']> = {}): APIService => ({
  metadata: { name: NAME },
  spec: {
    group: GROUP,
    version: 'v1',
    groupPriorityMinimum: 17_900,
    versionPriority: 15,
    caBundle: base64(extensionCA.pem),
    service: { ...metadata, port },
    ...spec,
  },
});

async function settled(reason: string, name = NAME): Promise<void> {
  await eventually(async () => {
    const found = await server.client.get(apiServices, { name });
    expect(availability(found)?.reason, availability(found)?.message).toBe(reason);
  });
}

beforeAll(async () => {
  const clock = new SystemClock();
  [extensionCA, proxyCA] = await Promise.all([TestCA.create(clock, 'shop'), TestCA.create(clock, 'front proxy')]);
  const frontProxy = { ...(await proxyCA.issue('front-proxy-client')), ca: proxyCA.pem };
  server = await startTestServer({ frontProxy, nodeUsage: () => undefined });
  api = await overHttp(server);
  const serving = await extensionCA.issue('till', [], ['till.shop.svc']);
  extension = await startExtensionServer({ ...serving, clientCA: proxyCA.pem });
  await server.client.create(namespaces, { metadata: { name: 'shop' } });
  await server.client.create(services, { metadata, spec: { type: 'ExternalName', externalName: 'localhost' } });
  await server.client.create(apiServices, apiService(extension.port));
  await settled('Passed');
});

afterAll(async () => {
  api?.close();
  await extension?.close();
  await server?.stop();
});

/** Headers are bytes; those of names are UTF-8. */
const userOf = (asked: Asked | undefined) =>
  Buffer.from(String(asked?.headers['x-remote-user']), 'latin1').toString('utf8');

const WARES = `/apis/${GROUP}/v1/namespaces/shop/wares`;

describe('requests', () => {
  test('reach the other server in the name of who asks', async () => {
    const user = await server.ca.issue('jane', ['sales', 'staff']);
    const forbidden = await api.get(`${WARES}?limit=5`, {}, user);
    expect(forbidden).toMatchObject({ status: 403, json: { reason: 'Forbidden' } });
    expect(extension.asked).toHaveLength(0);
    const impersonated = {
      'impersonate-user': 'jöhn',
      'impersonate-group': 'system:masters',
      'impersonate-extra-example.com%2fscope': 'a',
      'x-remote-user': 'somebody-else',
      'x-remote-extra-more': 'b',
      authorization: 'Bearer secret',
    };
    const answer = await api.get(`${WARES}?limit=5&labelSelector=a%3Db`, impersonated);
    expect(answer).toMatchObject({ status: 200, json: { kind: 'WareList', items: [] } });
    const { url, headers, peer } = extension.asked.at(-1) ?? {};
    expect(url).toBe(`${WARES}?limit=5&labelSelector=a%3Db`);
    expect(peer).toBe('front-proxy-client');
    expect(userOf(extension.asked.at(-1))).toBe('jöhn');
    expect(headers?.['x-remote-group']).toMatch(/^system:masters, ?system:authenticated$/);
    expect(headers?.['x-remote-extra-example.com%2fscope']).toBe('a');
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('impersonate-user');
    expect(headers).not.toHaveProperty('x-remote-extra-more');
  });

  test('are written, read and refused as the other server says', async () => {
    const ware = { apiVersion: `${GROUP}/v1`, kind: 'Ware', metadata: { name: 'tea' }, price: 3 };
    expect(await api.send('POST', WARES, ware)).toMatchObject({ status: 201, json: { price: 3 } });
    expect((await api.get(`${WARES}/tea`)).json).toMatchObject({ price: 3, metadata: { namespace: 'shop' } });
    expect(await api.get(`${WARES}/none`)).toMatchObject({ status: 404, json: { message: 'wares "none" not found' } });
    // Below a subresource there may be more.
    expect((await api.get(`${WARES}/tea/price/in/euros`)).status).toBe(200);
    expect(extension.asked.at(-1)?.url).toBe(`${WARES}/tea/price/in/euros`);
    expect(await api.send('DELETE', `${WARES}/tea`)).toMatchObject({ status: 200, json: { status: 'Success' } });
  });

  test('that watch are told of events as they come', async () => {
    const watch = await api.watch(`${WARES}?watch=1`);
    await eventually(() => expect(extension.watches).toBe(1));
    extension.tell('one');
    await eventually(() => expect(watch.seen).toEqual(['ADDED one']));
    extension.tell('two');
    await eventually(() => expect(watch.seen).toEqual(['ADDED one', 'ADDED two']));
    watch.close();
    await eventually(() => expect(extension.watches).toBe(0));
  });

  test('that upgrade become a stream', async () => {
    const said = await new Promise<string>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: api.port,
        path: `${WARES}/tea/stream`,
        headers: { connection: 'Upgrade', upgrade: 'echo' },
        ca: server.ca.pem,
        agent: false,
        ...server.admin,
      });
      sent.on('error', reject);
      sent.on('response', (res) => reject(new Error(`answered ${res.statusCode}`)));
      sent.on('upgrade', (_res, socket) => {
        socket.write('hello');
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString('utf8'));
        });
      });
      sent.end();
    });
    expect(said).toBe('hello');
  });

  test('come from parts of the process, too', async () => {
    const Ware = object('com.example.Ware', () => ({ price: opt(1, str) }));
    const wares = defineKind<KubeObject>({
      group: GROUP,
      version: 'v1',
      kind: 'Ware',
      plural: 'wares',
      namespaced: true,
      schema: Ware as never,
    });
    const client = createClient(server.api.transport({ name: 'röbot', groups: ['system:masters'] }));
    await client.create(wares, { metadata: { namespace: 'shop', name: 'cup' } });
    expect(userOf(extension.asked.at(-1))).toBe('röbot');
    expect((await client.list(wares, { namespace: 'shop' })).items.map((w) => w.metadata.name)).toEqual(['cup']);
    expect(userOf(extension.asked.at(-1))).toBe('röbot');
    await expect(client.get(wares, { namespace: 'shop', name: 'none' })).rejects.toMatchObject({ reason: 'NotFound' });
    await client.delete(wares, { namespace: 'shop', name: 'cup' });
  });
});

describe('discovery', () => {
  test('tells of the other group at the place that its priority says', async () => {
    const { groups } = (await api.get('/apis')).json as { groups: { name: string }[] };
    expect(groups.slice(0, 3).map((g) => g.name)).toEqual(['apiregistration.k8s.io', GROUP, 'apps']);
    expect((await api.get(`/apis/${GROUP}`)).json).toMatchObject({ preferredVersion: { version: 'v1' } });
    expect((await api.get(`/apis/${GROUP}/v1`)).json.resources).toHaveLength(2);
    const { items } = (await api.get('/apis', { accept: AGGREGATED })).json;
    expect(items[1]).toMatchObject({
      metadata: { name: GROUP },
      versions: [{ version: 'v1', freshness: 'Current', resources: [{ resource: 'wares', shortNames: ['wa'] }] }],
    });
  });

  test('OpenAPI has what the other server has', async () => {
    const index = (await api.get('/openapi/v3')).json.paths;
    const { serverRelativeURL } = index[`apis/${GROUP}/v1`];
    const { components } = (await api.get(serverRelativeURL)).json;
    expect(components.schemas['com.example.Ware'].properties.price).toMatchObject({ type: 'integer' });
    const old = (await api.get('/openapi/v2')).json;
    expect(old.paths[`/apis/${GROUP}/v1/namespaces/{namespace}/wares/{name}`]).toBeDefined();
    expect(old.paths['/apis/other/']).toBeUndefined();
    expect(old.definitions['com.example.Ware']).toBeDefined();
    expect(old.definitions.unused).toBeUndefined();
    expect(old.definitions['io.k8s.api.core.v1.Pod']).toBeDefined();
  });

  test('a server that fails is told of as it was, and is not asked', async () => {
    extension.failing = true;
    // Looked at anew because it is another object.
    await server.client.patch(apiServices, { name: NAME }, 'merge', { spec: { versionPriority: 16 } });
    await settled('FailedDiscoveryCheck');
    expect(await api.get(WARES)).toMatchObject({ status: 503, json: { kind: 'Status', reason: 'ServiceUnavailable' } });
    expect((await api.get(`/apis/${GROUP}/v1`)).status).toBe(503);
    const { items } = (await api.get('/apis', { accept: AGGREGATED })).json;
    expect(items[1].versions[0]).toMatchObject({ version: 'v1', freshness: 'Stale' });
    expect((await api.get('/metrics')).text).toContain(`aggregator_unavailable_apiservice{name="${NAME}"} 1`);
    extension.failing = false;
    await settled('Passed');
    expect((await api.get(WARES)).status).toBe(200);
  });
});

describe('availability', () => {
  test.each([
    [
      'ServiceNotFound',
      { service: { namespace: 'shop', name: 'none', port: 443 } },
      'service/none in "shop" is not present',
    ],
    ['ServicePortError', { service: { namespace: 'shop', name: 'plain', port: 444 } }, 'is not listening on port 444'],
    ['EndpointsNotFound', { service: { namespace: 'shop', name: 'plain', port: 443 } }, 'cannot find endpointslices'],
  ])('%s', async (reason, spec, message) => {
    const plain = { metadata: { namespace: 'shop', name: 'plain' }, spec: { ports: [{ port: 443 }] } };
    await server.client.create(services, plain).catch(() => {});
    const name = 'v2.shop.example.com';
    const base = apiService(1, { version: 'v2', ...spec });
    await server.client.create(apiServices, { ...base, metadata: { name } });
    await settled(reason, name);
    const found = await server.client.get(apiServices, { name });
    expect(availability(found)?.message).toContain(message);
    expect(availability(found)?.status).toBe('False');
    await server.client.delete(apiServices, { name });
    await eventually(async () => expect((await api.get('/apis/shop.example.com/v2')).status).toBe(404));
  });

  test('a certificate of nobody known is refused when something is asked for', async () => {
    const caBundle = base64(server.ca.pem);
    await server.client.patch(apiServices, { name: NAME }, 'merge', { spec: { caBundle } });
    // Whether it is there is asked of anybody.
    await eventually(async () => {
      expect(await api.get(WARES)).toMatchObject({
        status: 503,
        json: { message: expect.stringMatching(/certificate/) },
      });
    });
    const spec = { caBundle: null, insecureSkipTLSVerify: true };
    await server.client.patch(apiServices, { name: NAME }, 'merge', { spec });
    await eventually(async () => expect((await api.get(WARES)).status).toBe(200));
  });
});

describe('API services of this server', () => {
  test('are there for each group and version', async () => {
    const { items } = await server.client.list(apiServices);
    const local = items.filter((s) => s.spec?.service === undefined).map((s) => s.metadata.name);
    expect(local).toEqual(expect.arrayContaining(['v1.', 'v1.apps', 'v2.autoscaling', 'v1beta1.metrics.k8s.io']));
    expect(local).not.toContain('v1.apiregistration.k8s.io');
    const core = items.find((s) => s.metadata.name === 'v1.');
    expect(core).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { version: 'v1', groupPriorityMinimum: 18_000, versionPriority: 1 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] },
    });
  });

  test('come and go with custom resources', async () => {
    const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'tests.lab.example.com' },
      spec: {
        group: 'lab.example.com',
        scope: 'Namespaced',
        names: { plural: 'tests', kind: 'Test' },
        versions: [version, { ...version, name: 'v2beta1', storage: false }],
      },
    };
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await api.send('POST', definitions, definition)).status).toBe(201);
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.lab.example.com';
    await eventually(async () =>
      expect((await api.get(path)).json).toMatchObject({
        metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } },
        spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
      }),
    );
    // What somebody changes or deletes is put right.
    await api.patch('merge', path, { spec: { versionPriority: 7 } });
    await eventually(async () => expect((await api.get(path)).json.spec.versionPriority).toBe(100));
    await api.send('DELETE', path);
    await eventually(async () => expect((await api.get(path)).status).toBe(200));
    await api.send('DELETE', `${definitions}/tests.lab.example.com`);
    await eventually(async () => expect((await api.get(path)).status).toBe(404));
  });

  test('are available again when another server no longer serves the group', async () => {
    const name = 'v1.nowhere.example.com';
    const service = { namespace: 'shop', name: 'none', port: 443 };
    const base = apiService(1, { group: 'nowhere.example.com', service });
    await server.client.create(apiServices, { ...base, metadata: { name } });
    await settled('ServiceNotFound', name);
    await server.client.patch(apiServices, { name }, 'merge', { spec: { service: null, caBundle: null } });
    await settled('Local', name);
    await server.client.delete(apiServices, { name });
  });

  test('metrics.k8s.io can be taken over and comes back', async () => {
    const name = 'v1beta1.metrics.k8s.io';
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    expect((await api.get('/apis/metrics.k8s.io/v1beta1/nodes')).status).toBe(200);
    const service = { ...metadata, port: extension.port };
    await api.patch('merge', path, { spec: { service, insecureSkipTLSVerify: true } });
    await settled('Passed', name);
    expect((await api.get('/apis/metrics.k8s.io/v1beta1/nodes')).json.kind).toBe('WareList');
    await api.send('DELETE', path);
    await eventually(async () => {
      expect((await api.get('/apis/metrics.k8s.io/v1beta1/nodes')).json.kind).toBe('NodeMetricsList');
    });
    await eventually(async () => expect((await api.get(path)).json.spec?.service).toBeUndefined());
  });
});

test('what other servers must know is published', async () => {
  const found = await server.client.get(configMaps, {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication',
  });
  expect(found.data).toEqual({
    'client-ca-file': server.ca.pem,
    'requestheader-client-ca-file': proxyCA.pem,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  });
});

test('a server that knows only the old form of discovery', async () => {
  const serving = await extensionCA.issue('till', [], ['till.shop.svc']);
  const old = await startExtensionServer({ ...serving, clientCA: proxyCA.pem, aggregatedDiscovery: false });
  try {
    await server.client.patch(apiServices, { name: NAME }, 'merge', {
      spec: { service: { port: old.port }, insecureSkipTLSVerify: false, caBundle: base64(extensionCA.pem) },
    });
    await eventually(async () => {
      const { items } = (await api.get('/apis', { accept: AGGREGATED })).json;
      expect(items[1].versions[0]).toMatchObject({
        freshness: 'Current',
        resources: [
          {
            resource: 'wares',
            scope: 'Namespaced',
            responseKind: { group: GROUP, version: 'v1', kind: 'Ware' },
            subresources: [{ subresource: 'price', verbs: ['get'] }],
          },
        ],
      });
    });
    expect((await http(server, api.port, WARES)).status).toBe(200);
  } finally {
    await old.close();
  }
});
