import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { encodeStored } from '../../machinery/encode.ts';
import { openEmbedded } from '../../storage/embedded/open.ts';
import type { Storage } from '../../storage/storage.ts';
import type { CacheEvent } from './eventLog.ts';
import { WatchCache } from './watchCache.ts';

const clock = new VirtualClock();
let dir: string;
let storage: Storage;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-cache-'));
  storage = await openEmbedded({ dir, clock, log: silentLogger });
});
afterEach(async () => {
  await storage.close();
  await rm(dir, { recursive: true, force: true });
});

const keyOf = (name: string) => `/registry/configmaps/default/${name}`;
async function put(name: string, data: Record<string, string> = {}): Promise<number> {
  const object: ConfigMap = { metadata: { name, namespace: 'default' }, data };
  const value = encodeStored(configMaps, object);
  const { revision } = await storage.txn({
    compare: [],
    success: [{ op: 'put', key: keyOf(name), value }],
    failure: [],
  });
  return revision;
}
async function remove(name: string): Promise<number> {
  const { revision } = await storage.txn({ compare: [], success: [{ op: 'delete', key: keyOf(name) }], failure: [] });
  return revision;
}
const namesIn = (cache: WatchCache<ConfigMap>) => cache.entries().map((e) => e.object.metadata.name);

test('holds what is stored, in order, with the revision in the bytes', async () => {
  await put('b');
  const revision = await put('a', { k: 'v' });
  const cache = new WatchCache(configMaps, storage, clock);
  expect(cache.ready).toBe(false);
  await cache.freshen();
  expect(cache.freshen()).toBeUndefined();
  expect(namesIn(cache)).toEqual(['a', 'b']);
  expect(cache.get('default', 'a')?.bytes.toString()).toBe(
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"resourceVersion":"${revision}","name":"a","namespace":"default"},"data":{"k":"v"}}`,
  );
  expect(cache.object('default', 'a')).toBe(cache.object('default', 'a'));
  cache.stop();
});

test('follows every write: a list that somebody holds does not change', async () => {
  const cache = new WatchCache(configMaps, storage, clock);
  await cache.start();
  const events: CacheEvent[] = [];
  cache.listen({ onEvent: (e) => events.push(e), onEnd() {} });
  await put('b');
  await put('a');
  const held = cache.entries();
  await put('b', { x: '1' });
  const gone = await remove('a');
  await put('c');
  expect(held.map((e) => e.object.metadata.name)).toEqual(['a', 'b']);
  expect(held[1]?.object).not.toHaveProperty('data.x');
  expect(namesIn(cache)).toEqual(['b', 'c']);
  expect(events.map((e) => [e.type, e.entry.object.metadata.name])).toEqual([
    ['ADDED', 'b'],
    ['ADDED', 'a'],
    ['MODIFIED', 'b'],
    ['DELETED', 'a'],
    ['ADDED', 'c'],
  ]);
  expect(events[3]?.entry.object.metadata.resourceVersion).toBe(String(gone));
  expect(events[3]?.entry.bytes.toString()).toContain(`"resourceVersion":"${gone}","name":"a"`);
  expect([...cache.since(gone)].map((e) => e.type)).toEqual(['ADDED']);
  expect(cache.revision).toBe(await storage.revision());
  cache.stop();
});

test('is not ready before it knows of what was written while it was filled', async () => {
  await put('before');
  let wrote = false;
  const slow: Storage = Object.create(storage, {
    range: {
      value: async (request: Parameters<Storage['range']>[0]) => {
        const answer = await storage.range(request);
        if (!wrote) {
          wrote = true;
          await put('meanwhile');
        }
        return answer;
      },
    },
    liveRevision: { get: () => storage.liveRevision },
  });
  for (const method of ['txn', 'watch', 'revision', 'requestProgress'] as const) {
    Object.defineProperty(slow, method, { value: (storage[method] as (...args: never[]) => unknown).bind(storage) });
  }
  const cache = new WatchCache(configMaps, slow, clock);
  await cache.start();
  expect(namesIn(cache)).toEqual(['before', 'meanwhile']);
  expect(cache.revision).toBe(await storage.revision());
  cache.stop();
});

test('a revision that does not come is not waited for without end', async () => {
  const cache = new WatchCache(configMaps, storage, clock);
  await cache.start();
  const waiting = expect(cache.waitFor(1_000)).rejects.toMatchObject({ code: 504, reason: 'Timeout' });
  await clock.advance(3_100);
  await waiting;
  cache.stop();
});

test('keeps a bounded number of events, and says so to those that need older ones', async () => {
  const cache = new WatchCache(configMaps, storage, clock);
  await cache.start();
  const first = await put('a');
  await Promise.all(Array.from({ length: 11_000 }, () => put('a')));
  expect(cache.reaches(first)).toBe(false);
  expect(() => [...cache.since(first)]).toThrow(/too old resource version/);
  expect(cache.reaches(cache.revision - 7_000)).toBe(true);
  cache.stop();
});

test('listeners are told of the end', async () => {
  const cache = new WatchCache(configMaps, storage, clock);
  await cache.start();
  let ended = 0;
  cache.listen({
    onEvent() {},
    onEnd() {
      ended++;
    },
  });
  cache.stop();
  expect(ended).toBe(1);
});
