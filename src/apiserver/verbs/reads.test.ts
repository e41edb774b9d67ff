import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { namespaces } from '../../apis/core/namespace.ts';
import type { WatchOptions } from '../../client/client.ts';
import type { Transport, WatchEvent } from '../../client/transport.ts';
import { VirtualClock } from '../../lib/clock.ts';
import type { Stored } from '../../machinery/kind.ts';
import { ADMIN, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
let transport: Transport;
const clock = new VirtualClock(Date.now());
beforeAll(async () => {
  server = await startTestServer({ clock });
  transport = server.api.transport(ADMIN);
});
afterAll(() => server.stop());

let count = 0;
/** A namespace of its own for each test. */
async function newNamespace(): Promise<string> {
  const name = `ns${++count}`;
  await server.client.create(namespaces, { metadata: { name } });
  return name;
}
const create = (namespace: string, name: string, labels: Record<string, string> = {}) =>
  server.client.create(configMaps, { metadata: { name, namespace, labels }, data: { n: name } });
const namesOf = (list: { items: readonly Stored<ConfigMap>[] }) => list.items.map((c) => c.metadata.name);

interface RawList {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: { metadata: { name: string } }[];
}
async function rawList(namespace: string, query: Record<string, string>): Promise<RawList> {
  const { object } = await transport.request({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    query,
  });
  return object as RawList;
}

describe('list', () => {
  test('selects by namespace, labels and fields', async () => {
    const ns = await newNamespace();
    await create(ns, 'a', { tier: 'x' });
    await create(ns, 'b', { tier: 'y' });
    await create(ns, 'c');
    expect(namesOf(await server.client.list(configMaps, { namespace: ns }))).toEqual(['a', 'b', 'c']);
    expect(namesOf(await server.client.list(configMaps, { namespace: ns, labelSelector: 'tier in (x, z)' }))).toEqual([
      'a',
    ]);
    expect(namesOf(await server.client.list(configMaps, { namespace: ns, labelSelector: '!tier' }))).toEqual(['c']);
    expect(namesOf(await server.client.list(configMaps, { namespace: ns, fieldSelector: 'metadata.name!=a' }))).toEqual(
      ['b', 'c'],
    );
    expect(namesOf(await server.client.list(configMaps, { fieldSelector: `metadata.namespace=${ns}` }))).toEqual([
      'a',
      'b',
      'c',
    ]);
    await expect(server.client.list(configMaps, { labelSelector: 'a in (' })).rejects.toMatchObject({ code: 400 });
    await expect(server.client.list(configMaps, { fieldSelector: 'data.x=1' })).rejects.toMatchObject({
      code: 400,
      message: 'field label not supported: data.x',
    });
  });

  test('pages of one revision fit together while objects come and go', async () => {
    const ns = await newNamespace();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(ns, name);
    const first = await rawList(ns, { limit: '2' });
    expect(first.metadata.remainingItemCount).toBe(3);
    await create(ns, 'aa');
    await create(ns, 'cc');
    await server.client.delete(configMaps, { namespace: ns, name: 'd' });
    const second = await rawList(ns, { limit: '2', continue: first.metadata.continue ?? '' });
    expect(second.metadata).toMatchObject({ resourceVersion: first.metadata.resourceVersion, remainingItemCount: 1 });
    const third = await rawList(ns, { limit: '2', continue: second.metadata.continue ?? '' });
    expect(third.metadata.continue).toBeUndefined();
    const names = [first, second, third].flatMap((page) => page.items.map((i) => i.metadata.name));
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('pages with a selector are full, and say nothing of the rest', async () => {
    const ns = await newNamespace();
    for (let i = 0; i < 9; i++) await create(ns, `n${i}`, { odd: String(i % 2) });
    const first = await rawList(ns, { limit: '2', labelSelector: 'odd=1' });
    expect(first.items.map((i) => i.metadata.name)).toEqual(['n1', 'n3']);
    expect(first.metadata.remainingItemCount).toBeUndefined();
    const second = await rawList(ns, { limit: '2', labelSelector: 'odd=1', continue: first.metadata.continue ?? '' });
    expect(second.items.map((i) => i.metadata.name)).toEqual(['n5', 'n7']);
    expect(second.metadata.continue).toBeUndefined();
  });

  test('at exactly a revision of the past, or not older than one', async () => {
    const ns = await newNamespace();
    const { metadata } = await create(ns, 'a');
    await create(ns, 'b');
    const exact = { namespace: ns, resourceVersion: metadata.resourceVersion, resourceVersionMatch: 'Exact' } as const;
    const past = await server.client.list(configMaps, exact);
    expect(namesOf(past)).toEqual(['a']);
    expect(past.metadata.resourceVersion).toBe(metadata.resourceVersion);
    const newer = await server.client.list(configMaps, { ...exact, resourceVersionMatch: 'NotOlderThan' });
    expect(namesOf(newer)).toEqual(['a', 'b']);
    const future = server.client.list(configMaps, { namespace: ns, resourceVersion: '99999999' });
    const refused = expect(future).rejects.toMatchObject({ code: 504, reason: 'Timeout' });
    await clock.advance(4_000);
    await refused;
  });

  test('refuses options that make no sense', async () => {
    const ns = await newNamespace();
    for (const query of [
      { resourceVersionMatch: 'Exact' },
      { resourceVersionMatch: 'Exact', resourceVersion: '0' },
      { resourceVersionMatch: 'Nearly', resourceVersion: '1' },
      { resourceVersion: 'x' },
      { limit: 'many' },
      { limit: '-1' },
      { continue: 'forged' },
      { continue: Buffer.from('{"v":"kubets1","rv":1,"after":"/registry/secrets/default/a"}').toString('base64url') },
    ] as Record<string, string>[]) {
      await expect(rawList(ns, query), JSON.stringify(query)).rejects.toMatchObject({ status: { status: 'Failure' } });
    }
  });

  test('what was compacted away is Expired', async () => {
    const ns = await newNamespace();
    const { metadata } = await create(ns, 'a');
    for (const name of ['b', 'c', 'd']) await create(ns, name);
    const page = await rawList(ns, { limit: '1' });
    const last = await create(ns, 'e');
    await server.storage.compact(Number(last.metadata.resourceVersion));
    const exact = { resourceVersion: metadata.resourceVersion, resourceVersionMatch: 'Exact' };
    await expect(rawList(ns, exact)).rejects.toMatchObject({ code: 410, reason: 'Expired' });
    const failure = await rawList(ns, { limit: '1', continue: page.metadata.continue ?? '' }).catch((e) => e);
    expect(failure).toMatchObject({ code: 410, reason: 'Expired' });
    const rest = await rawList(ns, { continue: failure.status.metadata.continue });
    expect(rest.items.map((i) => i.metadata.name)).toEqual(['b', 'c', 'd', 'e']);
  });
});

class Watcher {
  readonly events: WatchEvent<Stored<ConfigMap>>[] = [];
  readonly abort = new AbortController();
  ended: boolean | Error = false;

  async open(options: WatchOptions): Promise<this> {
    await server.client.watch(
      configMaps,
      { ...options, signal: this.abort.signal },
      (event) => this.events.push(event),
      (error) => {
        this.ended = error ?? true;
      },
    );
    return this;
  }

  get seen(): string[] {
    return this.events.map((e) => `${e.type} ${e.object.metadata?.name ?? ''}`.trim());
  }
}

describe('watch', () => {
  const watchers: Watcher[] = [];
  const watch = (options: WatchOptions) => {
    const watcher = new Watcher();
    watchers.push(watcher);
    return watcher.open(options);
  };
  afterAll(() => {
    for (const watcher of watchers) watcher.abort.abort();
  });

  test('tells every event after a revision, in order, with shared frozen objects', async () => {
    const ns = await newNamespace();
    const { metadata } = await create(ns, 'a');
    const b = await create(ns, 'b');
    const one = await watch({ namespace: ns, resourceVersion: metadata.resourceVersion });
    const two = await watch({ namespace: ns, resourceVersion: metadata.resourceVersion });
    const changed = await server.client.update(configMaps, { ...b, data: {} });
    await server.client.delete(configMaps, { namespace: ns, name: 'a' });
    expect(one.seen).toEqual(['ADDED b', 'MODIFIED b', 'DELETED a']);
    expect(one.events[1]?.object).toBe(changed);
    expect(two.events[1]?.object).toBe(changed);
    expect(Object.isFrozen(one.events[2]?.object.metadata)).toBe(true);
    const revisions = one.events.map((e) => Number(e.object.metadata.resourceVersion));
    expect(revisions).toEqual([...revisions].sort((x, y) => x - y));
    expect(revisions[2]).toBeGreaterThan(Number(changed.metadata.resourceVersion));
  });

  test('without a revision begins with what is there', async () => {
    const ns = await newNamespace();
    await create(ns, 'a');
    for (const options of [{}, { resourceVersion: '0' }]) {
      const watcher = await watch({ namespace: ns, ...options });
      expect(watcher.seen).toEqual(['ADDED a']);
    }
  });

  test('a streaming list ends with a marked bookmark', async () => {
    const ns = await newNamespace();
    await create(ns, 'a');
    const { object } = await transport.request({ method: 'GET', path: `/api/v1/namespaces/${ns}/configmaps` });
    const { resourceVersion } = (object as RawList).metadata;
    const watcher = await watch({
      namespace: ns,
      sendInitialEvents: true,
      allowWatchBookmarks: true,
      resourceVersionMatch: 'NotOlderThan',
    });
    expect(watcher.seen).toEqual(['ADDED a', 'BOOKMARK']);
    expect(watcher.events[1]?.object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
    });
    await expect(watch({ namespace: ns, sendInitialEvents: true })).rejects.toMatchObject({ code: 422 });
  });

  test('an object that enters or leaves the selection is added or deleted', async () => {
    const ns = await newNamespace();
    const watcher = await watch({ namespace: ns, labelSelector: 'in=yes' });
    await create(ns, 'a');
    const label = (value: string) =>
      server.client.patch(configMaps, { namespace: ns, name: 'a' }, 'merge', { metadata: { labels: { in: value } } });
    await label('yes');
    await server.client.patch(configMaps, { namespace: ns, name: 'a' }, 'merge', { data: { x: '1' } });
    const out = await label('no');
    await server.client.delete(configMaps, { namespace: ns, name: 'a' });
    expect(watcher.seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(watcher.events[2]?.object.metadata.labels).toEqual({ in: 'yes' });
    expect(watcher.events[2]?.object.metadata.resourceVersion).toBe(out.metadata.resourceVersion);
  });

  test('sees one object only, by its name', async () => {
    const ns = await newNamespace();
    const watcher = await watch({ namespace: ns, fieldSelector: 'metadata.name=b' });
    await create(ns, 'a');
    await create(ns, 'b');
    expect(watcher.seen).toEqual(['ADDED b']);
  });

  test('ends after its time, and sends bookmarks until then', async () => {
    const ns = await newNamespace();
    const watcher = await watch({ namespace: ns, allowWatchBookmarks: true, timeoutSeconds: 150, resourceVersion: '' });
    await clock.advance(125_000);
    expect(watcher.seen).toEqual(['BOOKMARK', 'BOOKMARK']);
    expect(watcher.ended).toBe(false);
    await clock.advance(30_000);
    expect(watcher.ended).toBe(true);
    await create(ns, 'late');
    expect(watcher.seen).toHaveLength(2);
  });

  test('is told nothing after it was aborted', async () => {
    const ns = await newNamespace();
    const watcher = await watch({ namespace: ns });
    watcher.abort.abort();
    await create(ns, 'a');
    expect(watcher.events).toEqual([]);
    expect(watcher.ended).toBe(false);
  });

  test('from a revision that is not kept any more is told so', async () => {
    const watcher = await watch({ resourceVersion: '1' });
    expect(watcher.events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
    expect(watcher.ended).toBe(true);
  });

  test('a revision that is still to come is waited for', async () => {
    const ns = await newNamespace();
    const { metadata } = await create(ns, 'a');
    const next = String(Number(metadata.resourceVersion) + 1);
    const watcher = await watch({ namespace: ns, resourceVersion: next });
    await create(ns, 'b');
    await create(ns, 'c');
    expect(watcher.seen).toEqual(['ADDED c']);
  });
});
