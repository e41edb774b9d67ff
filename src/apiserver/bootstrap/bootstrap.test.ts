import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { configMaps } from '../../apis/core/configMap.ts';
import { endpoints } from '../../apis/core/endpoints.ts';
import { namespaces } from '../../apis/core/namespace.ts';
import { services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import { flowSchemas } from '../../apis/flowcontrol/flowSchema.ts';
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import { type ClusterRole, clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../apis/rbac/clusterRoleBinding.ts';
import { builtinKinds } from '../../apis/registry.ts';
import { priorityClasses } from '../../apis/scheduling/priorityClass.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { KindRegistry } from '../../machinery/kindRegistry.ts';
import { Registry } from '../registry/registry.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';
import { ensureDefaultObjects } from './defaultObjects.ts';

let server: TestServer;
let port = 0;
const clock = new VirtualClock(Date.now());
const kubernetes = { namespace: 'default', name: 'kubernetes' };

beforeAll(async () => {
  server = await startTestServer({ clock });
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

test('a new cluster has its namespaces, priority classes, roles and bindings', async () => {
  const names = (list: { items: readonly { metadata: { name: string } }[] }) => list.items.map((i) => i.metadata.name);
  expect(names(await server.client.list(namespaces))).toEqual([
    'default',
    'kube-node-lease',
    'kube-public',
    'kube-system',
  ]);
  expect(names(await server.client.list(priorityClasses))).toEqual(['system-cluster-critical', 'system-node-critical']);
  const roles = names(await server.client.list(clusterRoles));
  expect(roles).toEqual(expect.arrayContaining(['admin', 'cluster-admin', 'edit', 'system:node', 'view']));
  const bindings = await server.client.list(clusterRoleBindings);
  for (const { roleRef } of bindings.items) expect(roles).toContain(roleRef.name);
});

test('what is needed comes back where it is deleted, and system classes stay', async () => {
  const exempt = { name: 'exempt' };
  const published = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  const { data } = await server.client.get(configMaps, published);
  await server.client.delete(flowSchemas, exempt);
  await server.client.delete(priorityLevelConfigurations, exempt);
  await server.client.delete(configMaps, published);
  await clock.advance(61_000);
  await vi.waitFor(async () => {
    await server.client.get(flowSchemas, exempt);
    await server.client.get(priorityLevelConfigurations, exempt);
    expect((await server.client.get(configMaps, published)).data).toEqual(data);
  });
  await expect(server.client.delete(priorityClasses, { name: 'system-node-critical' })).rejects.toThrow(
    'this is a system priority class and cannot be deleted',
  );
});

test('a later start adds what is missing, leaves what was added, and writes nothing where all is there', async () => {
  const registry = new Registry(new KindRegistry(builtinKinds), server.storage, clock);
  const start = () => ensureDefaultObjects({ registry, client: server.client, log: silentLogger, clock });
  const before = await server.storage.revision();
  await start();
  expect(await server.storage.revision()).toBe(before);

  const view = await server.client.get(clusterRoles, { name: 'view' });
  const own = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] };
  await server.client.update(clusterRoles, { ...view, rules: [own] } as ClusterRole);
  const edit = await server.client.get(clusterRoles, { name: 'edit' });
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await server.client.update(clusterRoles, {
    ...edit,
    metadata: { ...edit.metadata, annotations },
    rules: [],
  } as ClusterRole);
  await server.client.delete(clusterRoleBindings, { name: 'system:discovery' });
  await start();
  const completed = await server.client.get(clusterRoles, { name: 'view' });
  expect(completed.rules?.[0]).toEqual(own);
  expect(completed.rules?.some((r) => r.resources?.includes('pods'))).toBe(true);
  expect((await server.client.get(clusterRoles, { name: 'edit' })).rules ?? []).toEqual([]);
  await server.client.get(clusterRoleBindings, { name: 'system:discovery' });
  registry.stop();
});

test('the service kubernetes leads to this server, and is put right when it is changed', async () => {
  const service = await server.client.get(services, kubernetes);
  expect(service.spec).toMatchObject({
    clusterIP: '10.96.0.1',
    ports: [{ name: 'https', port: 443, targetPort: port }],
  });
  const slice = await server.client.get(endpointSlices, kubernetes);
  expect(slice).toMatchObject({ addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port }] });

  const revision = await server.storage.revision();
  await clock.advance(5_000);
  expect(await server.storage.revision()).toBe(revision);

  await server.client.delete(endpointSlices, kubernetes);
  await server.client.update(endpoints, { ...(await server.client.get(endpoints, kubernetes)), subsets: [] });
  await clock.advance(2_000);
  await expect.poll(async () => (await server.client.get(endpointSlices, kubernetes)).ports).toMatchObject([{ port }]);
  expect((await server.client.get(endpoints, kubernetes)).subsets).toMatchObject([{ addresses: [{ ip: '10.0.0.1' }] }]);
});
