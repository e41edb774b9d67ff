/** All controllers against a real API server, in one process. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Deployment, deployments } from '../apis/apps/deployment.ts';
import { type ReplicaSet, replicaSets } from '../apis/apps/replicaSet.ts';
import { leases } from '../apis/coordination/lease.ts';
import { type ConfigMap, configMaps } from '../apis/core/configMap.ts';
import { endpoints } from '../apis/core/endpoints.ts';
import { events } from '../apis/core/event.ts';
import { namespaces } from '../apis/core/namespace.ts';
import { type Node, nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { type Service, services } from '../apis/core/service.ts';
import { serviceAccounts } from '../apis/core/serviceAccount.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import { builtinKinds } from '../apis/registry.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/createClient.ts';
import { SystemClock, VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SystemRandom } from '../lib/random.ts';
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { formatMicroTime, formatTime } from '../machinery/time.ts';
import { openEmbedded } from '../storage/embedded/open.ts';
import type { Storage } from '../storage/storage.ts';
import { startControllers } from './start.ts';
import { deploymentOf, setOf, template } from './testing/objects.ts';

const CLUSTER_CA = 'the CA';
const clock = new SystemClock();
/** The controllers' own time: nothing happens by itself after seconds, unless a test moves it. */
const controllerClock = new VirtualClock(clock.now());
let dir: string;
let storage: Storage;
let server: ApiServer;
let client: Client;
const stop = new AbortController();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-controllers-'));
  const random = new SystemRandom();
  const log = silentLogger;
  storage = await openEmbedded({ dir, clock, log });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const nobody = { cert: '', key: '' };
  server = await createApiServer({
    storage,
    clock,
    random,
    log,
    tls: { ...nobody, clientCA: '' },
    kubeletClient: { ...nobody, ca: '' },
    serviceAccountKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
    serviceCIDR: '10.96.0.0/16',
    advertiseAddress: '127.0.0.1',
  });
  client = createClient(server.transport({ name: 'admin', groups: ['system:masters'] }));
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];
  startControllers({
    client: createClient(server.transport({ name: 'system:kube-controller-manager', groups: [] })),
    clientFor: (name) => createClient(server.transport({ name: `system:serviceaccount:kube-system:${name}`, groups })),
    kinds: builtinKinds,
    clock: controllerClock,
    random,
    log,
    signal: stop.signal,
    clusterCA: CLUSTER_CA,
  });
  await eventually(() => client.get(serviceAccounts, { namespace: 'default', name: 'default' }));
});

afterAll(async () => {
  stop.abort(new Error('the tests are over'));
  await server?.close();
  await storage?.close();
  await rm(dir, { recursive: true, force: true });
});

afterEach(async () => {
  for (const kind of [deployments, replicaSets, services, pods] as readonly Kind[]) {
    await client.deleteCollection(kind, { namespace: 'default' }, { propagationPolicy: 'Background' });
  }
  await eventually(async () => expect((await list(pods)).length).toBe(0));
  await eventually(async () => expect((await list(replicaSets)).length).toBe(0));
});

/** Waits until `check` goes well; what takes longer than this is not event-driven. */
function eventually<T>(check: () => Promise<T> | T): Promise<T> {
  return vi.waitFor(
    async () => {
      // Retries, whose times are the controllers' own.
      await controllerClock.advance(10);
      return await check();
    },
    { timeout: 5_000, interval: 5 },
  );
}

async function list<T extends KubeObject>(kind: Kind<T>, namespace = 'default'): Promise<Stored<T>[]> {
  return [...(await client.list(kind, { namespace })).items];
}

const get = <T extends KubeObject>(kind: Kind<T>, name: string) => client.get(kind, { namespace: 'default', name });

async function isGone<T extends KubeObject>(kind: Kind<T>, name: string, namespace?: string): Promise<void> {
  const failure = await client.get(kind, { namespace: namespace ?? 'default', name }).catch((e: unknown) => e);
  if (!isApiError(failure, 'NotFound')) throw new Error(`${name} is still there`);
}

const inDefault = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, namespace: 'default' },
});

/** Reads, changes and writes again until nobody was faster. */
async function change<T extends KubeObject>(kind: Kind<T>, name: string, how: (object: Stored<T>) => T): Promise<void> {
  for (;;) {
    try {
      await client.update(kind, how(await get(kind, name)));
      return;
    } catch (error) {
      if (!isApiError(error, 'Conflict')) throw error;
    }
  }
}

/** What a kubelet would report. */
async function makeReady(): Promise<void> {
  for (const [i, pod] of (await list(pods)).entries()) {
    if (pod.status?.phase === 'Running') continue;
    const status = {
      ...pod.status,
      phase: 'Running',
      podIP: `10.244.0.${i + 10}`,
      podIPs: [{ ip: `10.244.0.${i + 10}` }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) }],
    };
    await client.update(pods, { ...pod, status }, { subresource: 'status' }).catch((error) => {
      if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error;
    });
  }
}

describe('deployments', () => {
  const image = async () => new Set((await list(pods)).map((p) => p.spec?.containers[0]?.image));
  const settled = (replicas: number) =>
    eventually(async () => {
      await makeReady();
      const { status, metadata } = await get(deployments, 'web');
      expect(status).toMatchObject({ replicas, updatedReplicas: replicas, availableReplicas: replicas });
      expect(status?.observedGeneration).toBe(metadata.generation);
    });

  it('roll out, scale, replace what is deleted, roll back and go with all that is theirs', async () => {
    await client.create(deployments, inDefault(deploymentOf()));
    await settled(3);
    const [first] = await list(pods);
    await client.delete(pods, { namespace: 'default', name: first?.metadata.name ?? '' });
    await eventually(async () => {
      const now = await list(pods);
      expect(now).toHaveLength(3);
      expect(now.map((p) => p.metadata.uid)).not.toContain(first?.metadata.uid);
    });
    const spec = (d: Deployment) => d.spec as NonNullable<Deployment['spec']>;
    await change(deployments, 'web', (d) => ({ ...d, spec: { ...spec(d), template: template('two') } }));
    await settled(3);
    expect(await image()).toEqual(new Set(['two']));
    await change(deployments, 'web', (d) => ({ ...d, spec: { ...spec(d), replicas: 5 } }));
    await settled(5);
    await change(deployments, 'web', (d) => ({ ...d, spec: { ...spec(d), template: template('one') } }));
    await settled(5);
    expect(await image()).toEqual(new Set(['one']));
    expect(await list(replicaSets)).toHaveLength(2);
    await eventually(async () => {
      const reasons = (await list(events)).map((e) => `${e.involvedObject.kind} ${e.reason}`);
      expect(reasons).toContain('Deployment ScalingReplicaSet');
      expect(reasons).toContain('ReplicaSet SuccessfulCreate');
      expect(reasons).toContain('ReplicaSet SuccessfulDelete');
    });
    await client.delete(deployments, { namespace: 'default', name: 'web' }, { propagationPolicy: 'Background' });
    await eventually(async () => {
      expect(await list(replicaSets)).toEqual([]);
      expect(await list(pods)).toEqual([]);
    });
  });

  it('make exactly as many pods as are asked for, however many that is', async () => {
    let most = 0;
    const watching = new AbortController();
    const there = new Set<string>();
    const count = (event: { type: string; object: Stored<Pod> }) => {
      if (event.type === 'ADDED') there.add(event.object.metadata.uid);
      if (event.type === 'DELETED') there.delete(event.object.metadata.uid);
      most = Math.max(most, there.size);
    };
    await client.watch(pods, { namespace: 'default', signal: watching.signal }, count, () => {});
    await client.create(deployments, inDefault(deploymentOf({ replicas: 120 })));
    await eventually(async () => expect(await list(pods)).toHaveLength(120));
    await eventually(async () => expect((await list(replicaSets))[0]?.status?.replicas).toBe(120));
    watching.abort();
    expect(most).toBe(120);
  });
});

describe('the garbage collector', () => {
  const owned = (name: string, owner: Stored<ConfigMap>, block = true): ConfigMap => ({
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: [
        {
          apiVersion: apiVersionOf(configMaps),
          kind: 'ConfigMap',
          name: owner.metadata.name,
          uid: owner.metadata.uid,
          blockOwnerDeletion: block,
        },
      ],
    },
  });
  const make = (map: ConfigMap) => client.create(configMaps, map);
  const owner = (name: string) => make({ metadata: { name, namespace: 'default' } });
  const remove = (name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') =>
    client.delete(configMaps, { namespace: 'default', name }, { propagationPolicy });

  it('deletes a chain of dependents in the background', async () => {
    const a = await owner('a');
    const b = await make(owned('b', a));
    await make(owned('c', b));
    await remove('a', 'Background');
    await eventually(async () => {
      await isGone(configMaps, 'b');
      await isGone(configMaps, 'c');
    });
  });

  it('deletes dependents first in the foreground', async () => {
    const a = await owner('a');
    const b = await make(owned('b', a));
    await make({ ...owned('c', b), metadata: { ...owned('c', b).metadata, finalizers: ['example.com/hold'] } });
    await remove('a', 'Foreground');
    await eventually(async () => expect((await get(configMaps, 'c')).metadata.deletionTimestamp).toBeDefined());
    expect((await get(configMaps, 'a')).metadata.finalizers).toEqual(['foregroundDeletion']);
    await change(configMaps, 'c', (c) => ({ ...c, metadata: { ...c.metadata, finalizers: [] } }));
    await eventually(async () => {
      for (const name of ['a', 'b', 'c']) await isGone(configMaps, name);
    });
  });

  it('does not wait for dependents that do not block', async () => {
    const a = await owner('a');
    const c = owned('c', a, false);
    await make({ ...c, metadata: { ...c.metadata, finalizers: ['example.com/hold'] } });
    await remove('a', 'Foreground');
    await eventually(() => isGone(configMaps, 'a'));
    await change(configMaps, 'c', (now) => ({ ...now, metadata: { ...now.metadata, finalizers: [] } }));
    await eventually(() => isGone(configMaps, 'c'));
  });

  it('lets dependents be when they are to be orphaned', async () => {
    const a = await owner('a');
    await make(owned('b', a));
    await remove('a', 'Orphan');
    await eventually(() => isGone(configMaps, 'a'));
    expect((await get(configMaps, 'b')).metadata.ownerReferences ?? []).toEqual([]);
    await remove('b', 'Background');
  });

  it('deletes what refers to an owner that never was, and leaves what has another one', async () => {
    const a = await owner('a');
    const nobody = { ...a, metadata: { ...a.metadata, name: 'nobody', uid: 'no-such-uid' } };
    await make(owned('lost', nobody));
    const two = owned('kept', a);
    const references = [
      ...(two.metadata?.ownerReferences ?? []),
      ...(owned('x', nobody).metadata?.ownerReferences ?? []),
    ];
    await make({ ...two, metadata: { ...two.metadata, ownerReferences: references } });
    await eventually(() => isGone(configMaps, 'lost'));
    await eventually(async () => {
      expect((await get(configMaps, 'kept')).metadata.ownerReferences).toMatchObject([{ name: 'a' }]);
    });
    await remove('a', 'Background');
    await eventually(() => isGone(configMaps, 'kept'));
  });

  it('takes references that have the uid right and the rest wrong for lost, and no others', async () => {
    const a = await owner('a');
    const wrong = (name: string) => make(owned(name, { ...a, metadata: { ...a.metadata, name: 'other' } }));
    await wrong('lost');
    await eventually(() => isGone(configMaps, 'lost'));
    await make(owned('kept', a));
    await wrong('lost-too');
    await eventually(() => isGone(configMaps, 'lost-too'));
    expect((await get(configMaps, 'kept')).metadata.ownerReferences).toMatchObject([{ name: 'a' }]);
    await remove('a', 'Background');
    await eventually(() => isGone(configMaps, 'kept'));
  });

  it('ends a circle of owners that is deleted in the foreground', async () => {
    const a = await owner('a');
    const b = await make(owned('b', a));
    await change(configMaps, 'a', (now) => ({
      ...now,
      metadata: { ...now.metadata, ownerReferences: owned('a', b).metadata?.ownerReferences ?? [] },
    }));
    await remove('a', 'Foreground');
    await eventually(async () => {
      await isGone(configMaps, 'a');
      await isGone(configMaps, 'b');
    });
  });
});

describe('namespaces', () => {
  it('get a service account and the CA, again when they are taken away or changed', async () => {
    await client.create(namespaces, { metadata: { name: 'shop' } });
    const account = { namespace: 'shop', name: 'default' };
    const before = await eventually(() => client.get(serviceAccounts, account));
    await client.delete(serviceAccounts, account);
    await eventually(async () => {
      expect((await client.get(serviceAccounts, account)).metadata.uid).not.toBe(before.metadata.uid);
    });
    const ref = { namespace: 'shop', name: 'kube-root-ca.crt' };
    const map = await eventually(() => client.get(configMaps, ref));
    await client.update(configMaps, { ...map, data: { 'ca.crt': 'forged', more: '1' } });
    await eventually(async () => expect((await client.get(configMaps, ref)).data).toEqual({ 'ca.crt': CLUSTER_CA }));
    await client.delete(namespaces, { name: 'shop' });
    await eventually(() => isGone(namespaces, 'shop'));
  });

  it('go with their content, and say what holds them up', async () => {
    await client.create(namespaces, { metadata: { name: 'old' } });
    await eventually(() => client.get(serviceAccounts, { namespace: 'old', name: 'default' }));
    const metadata = { name: 'held', namespace: 'old', finalizers: ['example.com/hold'] };
    await client.create(configMaps, { metadata });
    const set: ReplicaSet = { ...setOf(), metadata: { name: 'web', namespace: 'old' } };
    await client.create(replicaSets, set);
    await eventually(async () => expect(await list(pods, 'old')).toHaveLength(3));
    await client.delete(namespaces, { name: 'old' });
    await eventually(async () => {
      const { status } = await client.get(namespaces, { name: 'old' });
      expect(status?.phase).toBe('Terminating');
      const remaining = status?.conditions?.filter((c) => c.status === 'True').map((c) => [c.type, c.message]);
      expect(remaining).toEqual([
        ['NamespaceContentRemaining', 'Some resources are remaining: configmaps. has 1 resource instances'],
        [
          'NamespaceFinalizersRemaining',
          'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
        ],
      ]);
    });
    const held = await client.get(configMaps, { namespace: 'old', name: 'held' });
    await client.update(configMaps, { ...held, metadata: { ...held.metadata, finalizers: [] } });
    await eventually(() => isGone(namespaces, 'old'));
    expect(await list(pods, 'old')).toEqual([]);
  });
});

describe('services', () => {
  it('have slices and endpoints of the pods that they select, and lose them with the service', async () => {
    const service: Service = {
      metadata: { name: 'web', namespace: 'default', labels: { team: 'a' } },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    };
    await client.create(services, service);
    await client.create(replicaSets, inDefault(setOf({ replicas: 2 })));
    const slicesOf = async () =>
      (await list(endpointSlices)).filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === 'web');
    await eventually(async () => {
      await makeReady();
      const slices = await slicesOf();
      expect(slices).toMatchObject([
        {
          metadata: {
            labels: { team: 'a', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
            ownerReferences: [{ kind: 'Service', name: 'web' }],
          },
          addressType: 'IPv4',
          ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        },
      ]);
      expect(slices[0]?.endpoints).toHaveLength(2);
      for (const endpoint of slices[0]?.endpoints ?? []) {
        expect(endpoint.conditions).toEqual({ ready: true, serving: true, terminating: false });
        expect(endpoint.targetRef).toMatchObject({ kind: 'Pod', namespace: 'default' });
      }
      const [subset] = (await get(endpoints, 'web')).subsets ?? [];
      expect(subset?.addresses).toHaveLength(2);
      expect(subset?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    });
    await client.delete(services, { namespace: 'default', name: 'web' });
    await eventually(async () => {
      expect(await slicesOf()).toEqual([]);
      await isGone(endpoints, 'web');
    });
  });
});

describe('nodes', () => {
  const conditions = (status: string) => [
    { type: 'Ready', status, reason: 'KubeletReady', lastHeartbeatTime: formatTime(clock.now()) },
  ];
  const taints = async () =>
    ((await client.get(nodes, { name: 'n1' })).spec?.taints ?? []).map((t) => `${t.key}:${t.effect}`).sort();
  const report = async (status: string, name = 'n1') => {
    const node = await client.get(nodes, { name });
    await client.update(
      nodes,
      { ...node, status: { ...node.status, conditions: conditions(status) } },
      { subresource: 'status' },
    );
  };
  const podOn = (name: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'one' }], terminationGracePeriodSeconds: 0, ...more },
  });

  it('lose their taint when they report, and get others and lose their pods when they fall silent', async () => {
    const node: Node = { metadata: { name: 'n1' } };
    // Were all nodes silent, the fault would be thought to be here.
    await client.create(nodes, { metadata: { name: 'other' } });
    await report('True', 'other');
    await client.create(nodes, node);
    await eventually(async () => expect(await taints()).toEqual(['node.kubernetes.io/not-ready:NoSchedule']));
    await report('True');
    await eventually(async () => expect(await taints()).toEqual([]));
    await report('False');
    await eventually(async () => {
      expect(await taints()).toEqual([
        'node.kubernetes.io/not-ready:NoExecute',
        'node.kubernetes.io/not-ready:NoSchedule',
      ]);
    });
    await report('True');
    await eventually(async () => expect(await taints()).toEqual([]));

    const short = {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 5,
    };
    await client.create(pods, podOn('short', { tolerations: [short] }));
    const { tolerationSeconds: _seconds, ...forever } = short;
    await client.create(pods, podOn('forever', { tolerations: [forever] }));
    await makeReady();

    // The lease is a sign of life.
    const lease = {
      metadata: { name: 'n1', namespace: 'kube-node-lease' },
      spec: { holderIdentity: 'n1', renewTime: formatMicroTime(clock.now()) },
    };
    await controllerClock.advance(30_000);
    await client.create(leases, lease);
    await controllerClock.advance(15_000);
    await client.create(leases, { ...lease, metadata: { ...lease.metadata, name: 'other' } });
    await controllerClock.advance(15_000);
    expect(await taints()).toEqual([]);
    await controllerClock.advance(21_000);
    await eventually(async () => {
      expect(await taints()).toEqual([
        'node.kubernetes.io/unreachable:NoExecute',
        'node.kubernetes.io/unreachable:NoSchedule',
      ]);
    });
    const silent = await client.get(nodes, { name: 'n1' });
    expect(silent.status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    });
    await eventually(async () => {
      expect((await get(pods, 'forever')).status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
        status: 'False',
      });
    });
    await controllerClock.advance(6_000);
    await eventually(() => isGone(pods, 'short'));
    await get(pods, 'forever');

    await report('True');
    await eventually(async () => expect(await taints()).toEqual([]));
    await client.delete(nodes, { name: 'n1' });
    await controllerClock.advance(0);
    await get(pods, 'forever');
    await eventually(async () => {
      await controllerClock.advance(5_000);
      await isGone(pods, 'forever');
    });
  });
});
