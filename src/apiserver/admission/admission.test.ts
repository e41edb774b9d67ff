import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespaces } from '../../apis/core/namespace.ts';
import { nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type Service, type ServiceSpec, services } from '../../apis/core/service.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { priorityClasses } from '../../apis/scheduling/priorityClass.ts';
import { createClient } from '../../client/createClient.ts';
import type { Stored } from '../../machinery/kind.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(serviceAccounts, {
    metadata: { namespace, name: 'default' },
    imagePullSecrets: [{ name: 'registry' }],
  });
});
afterAll(() => server.stop());

const create = (name: string, spec: Partial<NonNullable<Pod['spec']>> = {}, at = namespace): Promise<Stored<Pod>> =>
  server.client.create(pods, {
    metadata: { namespace: at, name },
    spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  });

describe('namespaces', () => {
  test('must be there, and must stay', async () => {
    await expect(create('p', {}, 'absent')).rejects.toThrow('namespaces "absent" not found');
    await expect(server.client.delete(namespaces, { name: 'kube-system' })).rejects.toThrow('may not be deleted');
    await server.client.create(namespaces, { metadata: { name: 'going' } });
    await server.client.delete(namespaces, { name: 'going' });
    await expect(create('p', {}, 'going')).rejects.toMatchObject({
      status: { code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } },
    });
  });
});

describe('pods', () => {
  test('get a service account, its token and pull secrets', async () => {
    const { spec } = await create('with-account');
    expect(spec?.serviceAccountName).toBe('default');
    expect(spec?.imagePullSecrets).toEqual([{ name: 'registry' }]);
    const [volume] = spec?.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected?.sources?.[0]?.serviceAccountToken).toEqual({ expirationSeconds: 3607, path: 'token' });
    expect(spec?.containers[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
    expect((await create('without', { automountServiceAccountToken: false })).spec?.volumes).toBeUndefined();
    await expect(create('absent', { serviceAccountName: 'nobody' })).rejects.toThrow(
      'pods "absent" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
    // Nothing has made up a name yet: all of a set say the same.
    const unnamed: Pod = {
      metadata: { namespace: 'default', generateName: 'absent-' },
      spec: { serviceAccountName: 'nobody', containers: [{ name: 'main', image: 'one' }] },
    };
    await expect(server.client.create(pods, unnamed)).rejects.toThrow('pods "absent-" is forbidden');
  });

  test('wait for the account of a new namespace', async () => {
    await server.client.create(namespaces, { metadata: { name: 'fresh' } });
    const created = create('early', {}, 'fresh');
    await new Promise((resolve) => setImmediate(resolve));
    await server.client.create(serviceAccounts, { metadata: { namespace: 'fresh', name: 'default' } });
    expect((await created).spec?.serviceAccountName).toBe('default');
  });

  test('get their priority from a class', async () => {
    const critical = await create('critical', { priorityClassName: 'system-node-critical' });
    expect(critical.spec).toMatchObject({ priority: 2_000_001_000, preemptionPolicy: 'PreemptLowerPriority' });
    await expect(create('x', { priorityClassName: 'nope' })).rejects.toThrow(
      'no PriorityClass with name nope was found',
    );
    await expect(create('x', { priority: 7 })).rejects.toThrow('must not be provided in pod spec');
    await server.client.create(priorityClasses, { metadata: { name: 'usual' }, value: 5, globalDefault: true });
    expect((await create('usual')).spec).toMatchObject({ priority: 5, priorityClassName: 'usual' });
    await expect(
      server.client.create(priorityClasses, { metadata: { name: 'second' }, value: 6, globalDefault: true }),
    ).rejects.toThrow('Only one default can exist');
    await server.client.delete(priorityClasses, { name: 'usual' });
  });

  test('tolerate a node that is away for five minutes', async () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 };
    const away = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    };
    const pod = await create('tolerant', { tolerations: [own] });
    expect(pod.spec?.tolerations).toEqual([own, away]);
    // Whoever replaces them keeps those that nobody named.
    const more = { key: 'a', operator: 'Exists', effect: 'NoSchedule' };
    const spec = { ...pod.spec, containers: pod.spec?.containers ?? [], tolerations: [own, more] };
    const { spec: updated } = await server.client.update(pods, { ...pod, spec });
    expect(updated?.tolerations).toEqual([own, more, away]);
  });
});

describe('nodes', () => {
  test('begin with a taint, and change themselves within bounds', async () => {
    const kubelet = createClient(server.api.transport({ name: 'system:node:n1', groups: ['system:nodes'] }));
    const node = await kubelet.create(nodes, { metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } } });
    expect(node.spec?.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
    await expect(kubelet.create(nodes, { metadata: { name: 'n2' } })).rejects.toThrow(
      'not allowed to modify node "n2"',
    );
    const labelled = (labels: Record<string, string>) => ({ ...node, metadata: { ...node.metadata, labels } });
    await expect(
      kubelet.update(nodes, labelled({ 'kubernetes.io/hostname': 'n1', 'node-restriction.kubernetes.io/x': 'y' })),
    ).rejects.toThrow('is not allowed to modify labels: node-restriction.kubernetes.io/x');
    await expect(kubelet.update(nodes, { ...node, spec: {} })).rejects.toThrow('is not allowed to modify taints');
    await kubelet.update(nodes, labelled({ 'kubernetes.io/hostname': 'n1', custom: 'y' }));
  });
});

describe('services', () => {
  const make = (name: string, spec: ServiceSpec): Promise<Stored<Service>> =>
    server.client.create(services, { metadata: { namespace, name }, spec: { ports: [{ port: 80 }], ...spec } });

  test('get an address each, however many are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, (_, i) => make(`many-${i}`, { type: 'NodePort' })));
    expect(new Set(made.map((s) => s.spec?.clusterIP)).size).toBe(40);
    expect(new Set(made.map((s) => s.spec?.ports?.[0]?.nodePort)).size).toBe(40);
    expect(made[0]?.spec).toMatchObject({
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    });
    expect(made[0]?.spec?.clusterIPs).toEqual([made[0]?.spec?.clusterIP]);
  });

  test('an address or port that is taken, or none of ours, is refused; it is free when its service goes', async () => {
    await make('first', { clusterIP: '10.96.0.50', type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] });
    await expect(make('second', { clusterIP: '10.96.0.50' })).rejects.toThrow('provided IP is already allocated');
    await expect(make('third', { clusterIP: '10.97.0.1' })).rejects.toThrow('The range of valid IPs is 10.96.0.0/16');
    const taken = { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] };
    await expect(make('fourth', taken)).rejects.toThrow('provided port is already allocated');
    await expect(make('fifth', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      '30000-32767',
    );
    await server.client.delete(services, { namespace, name: 'first' });
    expect((await make('second', { clusterIP: '10.96.0.50', ...taken })).spec?.clusterIP).toBe('10.96.0.50');
  });

  test('what is refused holds nothing', async () => {
    const bad = { clusterIP: '10.96.0.60', ports: [{ port: 80, name: 'Not A Name' }] };
    await expect(make('bad', bad)).rejects.toThrow('is invalid');
    expect((await make('good', { clusterIP: '10.96.0.60' })).spec?.clusterIP).toBe('10.96.0.60');
  });

  test('a change of type', async () => {
    const made = await make('changing', {});
    const ported = await server.client.update(services, { ...made, spec: { ...made.spec, type: 'NodePort' } });
    const port = ported.spec?.ports?.[0]?.nodePort ?? 0;
    expect(port).toBeGreaterThanOrEqual(30_000);
    expect(ported.spec?.clusterIP).toBe(made.spec?.clusterIP);
    const back = await server.client.update(services, { ...ported, spec: { ...ported.spec, type: 'ClusterIP' } });
    expect(back.spec?.ports?.[0]?.nodePort).toBeUndefined();
    expect((await make('takes-over', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] })).spec?.type).toBe(
      'NodePort',
    );
  });

  test('headless and external ones have no address', async () => {
    expect((await make('headless', { clusterIP: 'None', selector: { a: 'b' } })).spec?.clusterIPs).toEqual(['None']);
    const external = await make('external', { type: 'ExternalName', externalName: 'example.com' });
    expect(external.spec?.clusterIP).toBeUndefined();
  });
});
