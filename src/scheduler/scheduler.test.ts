/** The scheduler against a real API server, with no more rights than Kubernetes gives it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { events } from '../apis/core/event.ts';
import { namespaces } from '../apis/core/namespace.ts';
import { type Node, nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { serviceAccounts } from '../apis/core/serviceAccount.ts';
import { priorityClasses } from '../apis/scheduling/priorityClass.ts';
import { startTestServer, type TestServer } from '../apiserver/testing/testServer.ts';
import { createClient } from '../client/createClient.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import type { Stored } from '../machinery/kind.ts';
import { type SchedulerOptions, startScheduler } from './scheduler.ts';

const PATIENCE_MS = 15_000;
let server: TestServer;
let stop: AbortController;
/** what the scheduler's writes of a status wait for */
let statusGate: Promise<void>;
/** those writes */
let statusWrites: Promise<unknown>[];

beforeEach(async () => {
  server = await startTestServer();
  stop = new AbortController();
  statusGate = Promise.resolve();
  statusWrites = [];
  await startScheduler(optionsUntil(stop.signal));
  const { client } = server;
  await client.create(namespaces, { metadata: { name: 'test' } });
  // Without its controller nobody else makes it.
  await client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'test' } });
});

afterEach(async () => {
  stop.abort();
  await server.stop();
});

function optionsUntil(signal: AbortSignal): SchedulerOptions {
  const user = { name: 'system:kube-scheduler', groups: ['system:authenticated'] };
  const client = createClient(server.api.transport(user));
  return {
    client: {
      ...client,
      patch(kind, ref, type, patch, options) {
        const written = statusGate.then(() => client.patch(kind, ref, type, patch, options));
        statusWrites.push(written);
        return written;
      },
    },
    clock: new SystemClock(),
    random: new SeededRandom(1),
    log: silentLogger,
    signal,
  };
}

async function addNode(name: string, cpu = '2', more: Partial<NonNullable<Node['spec']>> = {}): Promise<void> {
  await server.client.create(nodes, { metadata: { name, labels: { name } }, spec: more });
  const allocatable = { cpu, memory: '4Gi', pods: '110' };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Ready' }];
  const status = { capacity: allocatable, allocatable, conditions };
  await server.client.patch(nodes, { name }, 'merge', { status }, { subresource: 'status' });
  // Without a node lifecycle controller nobody takes this taint off.
  await server.client.patch(nodes, { name }, 'merge', { spec: { taints: more.taints ?? null } });
}

async function addPod(name: string, cpu: string, more: object = {}): Promise<void> {
  await server.client.create(pods, {
    metadata: { name, namespace: 'test' },
    spec: {
      containers: [{ name: 'main', image: 'app:1', resources: { requests: { cpu } } }],
      automountServiceAccountToken: false,
      ...more,
    },
  });
}

/** Waits for a pod to be as told; returns it. */
async function podUntil(name: string, holds: (pod: Stored<Pod>) => boolean): Promise<Stored<Pod>> {
  const found = Promise.withResolvers<Stored<Pod>>();
  const watching = new AbortController();
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  let last: Stored<Pod> | undefined;
  deadline.addEventListener('abort', () =>
    found.reject(new Error(`waited in vain for ${name}: ${JSON.stringify([last?.spec?.nodeName, last?.status])}`)),
  );
  const options = { namespace: 'test', fieldSelector: `metadata.name=${name}`, signal: watching.signal };
  await server.client.watch(
    pods,
    options,
    ({ type, object }) => {
      if (type !== 'ADDED' && type !== 'MODIFIED') return;
      last = object;
      if (holds(object)) found.resolve(object);
    },
    (error) => found.reject(error ?? new Error('the watch ended')),
  );
  try {
    return await found.promise;
  } finally {
    watching.abort();
  }
}

const isPlaced = (pod: Stored<Pod>) => pod.spec?.nodeName !== undefined;
const scheduled = (pod: Stored<Pod>) => pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
const isRefused = (pod: Stored<Pod>) => scheduled(pod)?.reason === 'Unschedulable';

async function eventsOf(name: string, reason: string): Promise<string[]> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const list = await server.client.list(events, { namespace: 'test' });
    const found = list.items.filter((e) => e.involvedObject.name === name && e.reason === reason);
    if (found.length > 0) return found.map((e) => `${e.type} ${e.source?.component} ${e.message}`);
    deadline.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the scheduler', () => {
  it('binds pods to nodes that fit', async () => {
    await addNode('one');
    await addPod('web', '500m');
    const web = await podUntil('web', isPlaced);
    expect(web.spec?.nodeName).toBe('one');
    expect(scheduled(web)).toMatchObject({ status: 'True' });
    expect(await eventsOf('web', 'Scheduled')).toEqual([
      'Normal default-scheduler Successfully assigned test/web to one',
    ]);
  });

  it('never overcommits, however many pods come at once', async () => {
    await Promise.all([addNode('one'), addNode('two'), addNode('three')]);
    const names = Array.from({ length: 12 }, (_, i) => `web${i}`);
    await Promise.all(names.map((name) => addPod(name, '500m')));
    const placed = await Promise.all(names.map((name) => podUntil(name, isPlaced)));
    const on = (node: string) => placed.filter((p) => p.spec?.nodeName === node).length;
    expect([on('one'), on('two'), on('three')]).toEqual([4, 4, 4]);
  });

  it('says why a pod waits, and places it when a node comes', async () => {
    await addPod('web', '1');
    const waiting = await podUntil('web', isRefused);
    expect(scheduled(waiting)).toMatchObject({ status: 'False', message: 'no nodes available to schedule pods' });
    await addNode('small', '500m');
    const text =
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, ' +
      'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    await podUntil('web', (pod) => scheduled(pod)?.message === text);
    expect(await eventsOf('web', 'FailedScheduling')).toContain(`Warning default-scheduler ${text}`);
    await addNode('large');
    expect((await podUntil('web', isPlaced)).spec?.nodeName).toBe('large');
  });

  it('places a pod as soon as another makes room', async () => {
    await addNode('one');
    await addPod('first', '2');
    await podUntil('first', isPlaced);
    await addPod('second', '2');
    await podUntil('second', isRefused);
    await server.client.delete(pods, { namespace: 'test', name: 'first' }, { gracePeriodSeconds: 0 });
    await podUntil('second', isPlaced);
  });

  it('waits for gates, cordons and other schedulers', async () => {
    await addNode('one', '2', { unschedulable: true });
    await addPod('web', '1');
    await podUntil('web', isRefused);
    await addPod('gated', '1', { schedulingGates: [{ name: 'wait' }] });
    await addPod('foreign', '1', { schedulerName: 'another' });
    await server.client.patch(nodes, { name: 'one' }, 'merge', { spec: { unschedulable: null } });
    await podUntil('web', isPlaced);
    const gated = await podUntil('gated', () => true);
    expect([gated.spec?.nodeName, scheduled(gated)?.reason]).toEqual([undefined, 'SchedulingGated']);
    await server.client.patch(pods, { namespace: 'test', name: 'gated' }, 'merge', { spec: { schedulingGates: null } });
    await podUntil('gated', isPlaced);
    expect((await podUntil('foreign', () => true)).spec?.nodeName).toBeUndefined();
  });

  it('preempts pods of lower priority', async () => {
    await server.client.create(priorityClasses, { metadata: { name: 'high' }, value: 1000 });
    await addNode('one');
    await addPod('low', '2');
    const low = await podUntil('low', isPlaced);
    await addPod('high', '2', { priorityClassName: 'high' });
    const high = await podUntil('high', (pod) => pod.status?.nominatedNodeName === 'one');
    expect(scheduled(high)?.message).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    const going = await podUntil('low', (pod) => pod.metadata.deletionTimestamp !== undefined);
    expect(going.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        observedGeneration: 1,
      }),
    );
    expect(await eventsOf('low', 'Preempted')).toEqual([
      `Normal default-scheduler Preempted by pod ${high.metadata.uid} on node one`,
    ]);
    // As the kubelet does once the containers are stopped.
    const options = { gracePeriodSeconds: 0, preconditions: { uid: low.metadata.uid } };
    await server.client.delete(pods, { namespace: 'test', name: 'low' }, options);
    expect((await podUntil('high', isPlaced)).spec?.nodeName).toBe('one');
  });

  it('counts pods that have ended no more', async () => {
    await addNode('one');
    await addPod('job', '2');
    await podUntil('job', isPlaced);
    await addPod('web', '2');
    await podUntil('web', isRefused);
    const ref = { namespace: 'test', name: 'job' };
    await server.client.patch(pods, ref, 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
    await podUntil('web', isPlaced);
  });

  it('binds a pod only once what it said of it before is written', async () => {
    const gate = Promise.withResolvers<void>();
    statusGate = gate.promise;
    await addPod('web', '1');
    await eventsOf('web', 'FailedScheduling');
    await addNode('one');
    // Comes after the other, so that this has been decided on too when it is placed.
    await addPod('next', '1');
    await podUntil('next', isPlaced);
    gate.resolve();
    await Promise.allSettled(statusWrites);
    expect(scheduled(await podUntil('web', isPlaced))?.status).toBe('True');
  });

  it('gives away the room that was kept for a pod which is deleted', async () => {
    await server.client.create(priorityClasses, { metadata: { name: 'high' }, value: 1000 });
    await addNode('one', '4');
    await addPod('low', '2');
    await podUntil('low', isPlaced);
    await addPod('high', '4', { priorityClassName: 'high' });
    await podUntil('high', (pod) => pod.status?.nominatedNodeName === 'one');
    await addPod('small', '1');
    await podUntil('small', isRefused);
    await server.client.delete(pods, { namespace: 'test', name: 'high' });
    await podUntil('small', isPlaced);
  });

  it('resolves when it knows the cluster, and rejects when it is stopped before', async () => {
    const stopped = new AbortController();
    const known = startScheduler(optionsUntil(stopped.signal));
    stopped.abort(new Error('enough'));
    await expect(known).rejects.toThrow('enough');
  });
});
