/** A database with the real kubectl and real containers: its data outlive its pods. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim } from '../src/apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../src/apis/core/pod.ts';
import { EXAMPLES, TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const REDIS = join(EXAMPLES, 'redis-statefulset.yaml');
const cluster = new TestCluster('redis');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const redis = async (pod: string, ...command: string[]) =>
  (await kubectl('exec', pod, '--', 'redis-cli', ...command)).trim();
const ready = (name: string) => kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=50s');
const pod = (name: string) => cluster.get<Pod>('pod', name);
const claim = (name: string) => cluster.get<PersistentVolumeClaim>('pvc', name);

beforeAll(async () => {
  await cluster.up();
  await kubectl('apply', '-f', REDIS);
  await eventually(() => kubectl('get', 'pod', 'redis-0'));
  await ready('redis-0');
});
afterAll(() => cluster.remove());

describe('a StatefulSet of Redis', () => {
  it('has a volume of the default class, as large as was asked for', async () => {
    expect(await kubectl('get', 'storageclass')).toMatch(
      /standard \(default\) +kubets\.io\/local +Delete +WaitForFirstConsumer +true /,
    );
    expect(await kubectl('get', 'pvc')).toMatch(/data-redis-0 +Bound +pvc-\S+ +64Mi +RWO +standard /);
    const { spec, metadata } = await claim('data-redis-0');
    expect(await kubectl('get', 'pv')).toMatch(
      new RegExp(`${spec?.volumeName} +64Mi +RWO +Delete +Bound +default/data-redis-0 +standard `),
    );
    expect(spec?.volumeName).toBe(`pvc-${metadata?.uid}`);
    const described = await kubectl('describe', 'pvc', 'data-redis-0');
    for (const reason of ['ExternalProvisioning', 'Provisioning', 'ProvisioningSucceeded']) {
      expect(described).toContain(reason);
    }
    expect(described).toMatch(/Used By: +redis-0/);
    const { metadata: meta, spec: podSpec } = await pod('redis-0');
    expect(meta?.labels?.['statefulset.kubernetes.io/pod-name']).toBe('redis-0');
    expect(podSpec?.terminationGracePeriodSeconds).toBe(10);
    expect(await kubectl('exec', 'redis-0', '--', 'head', '-1', '/opt/redis.conf')).toBe('dir /data\n');
  });

  it('is found under its name', async () => {
    expect(await redis('redis-0', '-h', 'redis-0.redis', 'ping')).toBe('PONG');
  });

  it('has its data and its name again when its pod is deleted', async () => {
    expect(await redis('redis-0', 'set', 'greeting', 'hello')).toBe('OK');
    const before = (await pod('redis-0')).metadata?.uid;
    await kubectl('delete', 'pod', 'redis-0');
    await eventually(async () => expect((await pod('redis-0')).metadata?.uid).not.toBe(before));
    await ready('redis-0');
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
  });

  it('runs on when the cluster is killed, and is looked after again when it is back', async () => {
    const before = (await pod('redis-0')).metadata?.uid;
    process.kill(await cluster.pid(), 'SIGKILL');
    await cluster.up();
    expect((await pod('redis-0')).metadata?.uid).toBe(before);
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
    await kubectl('delete', 'pod', 'redis-0', '--now');
    await eventually(async () => expect((await pod('redis-0')).metadata?.uid).not.toBe(before));
    await ready('redis-0');
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
  });

  it('is scaled up one after the other, and down in the other order', async () => {
    const columns =
      'custom-columns=TYPE:.type,NAME:.object.metadata.name,READY:.object.status.conditions[?(@.type=="Ready")].status';
    const watch = cluster.start('kubectl', ['get', 'pods', '-w', '--output-watch-events', '-o', columns]);
    await watch.said(/ADDED +redis-0/);
    await kubectl('scale', 'statefulset/redis', '--replicas=3');
    await kubectl('rollout', 'status', 'statefulset/redis', '--timeout=50s');
    await watch.said(/redis-2 +True/);
    const up = watch.output;
    expect(up.search(/redis-1 +True/)).toBeGreaterThan(0);
    expect(up.search(/ADDED +redis-2/)).toBeGreaterThan(up.search(/redis-1 +True/));
    expect(await redis('redis-2', 'set', 'who', 'two')).toBe('OK');
    await kubectl('scale', 'statefulset/redis', '--replicas=1');
    await watch.said(/DELETED +redis-1/, 60_000);
    expect(watch.output.search(/DELETED +redis-2/)).toBeLessThan(watch.output.search(/DELETED +redis-1/));
    await watch.stop();
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
    // What was scaled away keeps its claims, and has its data when it comes back.
    expect((await claim('data-redis-2')).status?.phase).toBe('Bound');
  });

  it('leaves what is below the partition as it is', async () => {
    const patch = { spec: { template: { metadata: { annotations: { changed: 'yes' } } } } };
    await kubectl('patch', 'statefulset', 'redis', '-p', JSON.stringify(patch));
    await kubectl('scale', 'statefulset/redis', '--replicas=3');
    await eventually(() => kubectl('get', 'pod', 'redis-2'), 60_000);
    await ready('redis-2');
    expect((await pod('redis-0')).metadata?.annotations?.changed).toBeUndefined();
    expect((await pod('redis-1')).metadata?.annotations?.changed).toBe('yes');
    expect(await redis('redis-2', 'get', 'who')).toBe('two');
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
  });

  it('grows while it runs', async () => {
    const patch = { spec: { resources: { requests: { storage: '128Mi' } } } };
    await kubectl('patch', 'pvc', 'data-redis-0', '-p', JSON.stringify(patch));
    await kubectl('wait', 'pvc/data-redis-0', '--for=jsonpath={.status.capacity.storage}=128Mi', '--timeout=30s');
    expect(await redis('redis-0', 'get', 'greeting')).toBe('hello');
  });

  it('leaves nothing when its claims are deleted', async () => {
    const volumes = cluster.paths.volumes;
    expect(await readdir(volumes)).toHaveLength(3);
    await kubectl('delete', '-f', REDIS, '--wait=false');
    // A claim that is in use stays until its pod is gone.
    await kubectl('delete', 'pvc', '--all', '--timeout=60s');
    await eventually(async () => expect(await kubectl('get', 'pv', '-o', 'name')).toBe(''));
    expect(existsSync(volumes)).toBe(true);
    expect(await readdir(volumes)).toEqual([]);
    await eventually(async () => expect((await cluster.footprint()).podFolders).toEqual([]));
  });
});
